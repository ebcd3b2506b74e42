"""How a command ends when it is told to: by Ctrl-C, by a terminated session or by a service manager."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from rich.console import Console

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_IN_ORDER_S = 2.0
"""Seconds that putting things in order may take; what it misses, the next start does."""
_AT_THE_LATEST_S = 4.0
"""Seconds after which the process ends even if a library has swallowed the exception."""


class Stopped(BaseException):
    """The signal `number` was received. No Exception: nothing that goes on after errors may go on after this."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def listen() -> None:
    """From now on the first signal raises Stopped in the main thread, and a second one ends the process at once."""
    for number in _SIGNALS:
        signal.signal(number, _on_signal)


def _on_signal(number: int, _frame: FrameType | None) -> NoReturn:
    for each in _SIGNALS:
        signal.signal(each, lambda again, _: os._exit(128 + again))
    backstop = threading.Timer(_AT_THE_LATEST_S, os._exit, (128 + number,))
    backstop.daemon = True
    backstop.start()
    raise Stopped(number)


def in_order(work: Callable[[], object]) -> bool:
    """Does what should be done before the end, if it can be done in time. Returns whether it was."""
    done: list[bool] = []

    def attempt() -> None:
        # Whatever it raises, the process ends now, and the next start does what is missing.
        with suppress(Exception):
            work()
            done.append(True)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(_IN_ORDER_S)
    return bool(done)


def leave(stopped: Stopped, console: Console, what: str) -> NoReturn:
    """Says one sentence and ends the process with 128 plus the signal's number, as a shell would report it.

    At once: threads and worker processes are not waited for. The kernel ends the workers with their parent, and every
    write survives being cut off anywhere.
    """
    how = "Ctrl-C" if stopped.number == signal.SIGINT else signal.Signals(stopped.number).name
    console.print(f"stopped by {how}: {what}")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(128 + stopped.number)
