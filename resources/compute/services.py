"""Processes that live together: when one of them ends, all end."""

from __future__ import annotations

import ctypes
import os
import select
import signal
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_TO_END_BY_THEMSELVES_S = 2.0
"""Seconds that they have to end in order, all together; whoever told us to end is waiting."""


class ServiceEnded(Exception):
    """One of the processes has ended by itself, and the others were ended. The message is one sentence."""

    def __init__(self, name: str, status: int) -> None:
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
        super().__init__(f"{name} {how}, so everything was ended: what it said stands above; start it again")
        self.name = name
        self.status = status


def live_together(services: Mapping[str, Sequence[str]], folder: Path) -> NoReturn:
    """Starts the commands in a folder, by the names to tell of them, and waits until one ends.

    Raises ServiceEnded then, whatever the status: none is meant to end. What a signal raises meanwhile passes through.
    Either way no process of theirs is left.
    """
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in services.items():
            # In a session of its own: Ctrl-C reaches this process alone, which then ends all of them.
            running[name] = subprocess.Popen(command, cwd=folder, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: PLW1509
        name = _first_to_end(running)
        raise ServiceEnded(name, running[name].wait())
    finally:
        _end(running.values())


def _first_to_end(running: Mapping[str, subprocess.Popen[bytes]]) -> str:
    watched = {os.pidfd_open(process.pid): name for name, process in running.items()}
    try:
        poll = select.poll()
        for handle in watched:
            poll.register(handle, select.POLLIN)
        return watched[poll.poll()[0][0]]
    finally:
        for handle in watched:
            os.close(handle)


def _end(processes: Collection[subprocess.Popen[bytes]]) -> None:
    """Asks politely, waits a little, and kills what is left, with all that it has started: a run that works goes on for
    as long as it is let."""
    for process in processes:
        process.send_signal(signal.SIGINT)
    until = time.monotonic() + _TO_END_BY_THEMSELVES_S
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(until - time.monotonic(), 0.0))
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
