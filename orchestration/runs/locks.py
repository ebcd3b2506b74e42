"""Whether the process of a run lives. Who executes a run holds a kernel lock on a file of the run's own for as long as
it does: the kernel takes the lock back however the process ends, across reboots too, and no process id, start time or
clock has to be compared. The file holds the process id for a person to read; nothing is decided by it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

from resources.lock_file import sign, signed_by


class Process(Enum):
    """What the lock says of a run's process."""

    ALIVE = "alive"
    GONE = "gone"
    UNSEEN = "unseen"
    """No lock file: the process has not come so far, or it ended in order, or an older version ran it."""


@contextmanager
def hold(folder: Path, run_id: str) -> Iterator[None]:
    """Holds the run's lock while the block runs. The file goes if the block ends in order; otherwise it stays, as after
    a kill, and says that nobody holds it."""
    handle = _locked(folder, run_id)
    try:
        yield
        (folder / run_id).unlink(missing_ok=True)
    finally:
        os.close(handle)


def hold_until_exit(folder: Path, run_id: str) -> None:
    """Holds the run's lock for the rest of this process's life: for a process that is one run's own, which writes the
    run's end after the last of our code has run."""
    _locked(folder, run_id)


def process_of(folder: Path, run_id: str) -> Process:
    """Whether the process that executes the run lives."""
    try:
        handle = os.open(folder / run_id, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Process.UNSEEN
    try:
        # Shared, so that two who ask at once do not take each other for the run.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return Process.ALIVE
    finally:
        os.close(handle)
    return Process.GONE


def process_id(folder: Path, run_id: str) -> int | None:
    """The process id that the run's holder has written, for a message."""
    return signed_by(folder / run_id)


def forget_all_but(folder: Path, unfinished: Collection[str]) -> None:
    """Removes the lock files that nobody holds, but those of unfinished runs."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in unfinished and process_of(folder, path.name) is not Process.ALIVE:
            path.unlink(missing_ok=True)


def _locked(folder: Path, run_id: str) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / run_id, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    # Waits for somebody who is just asking, which takes microseconds.
    fcntl.flock(handle, fcntl.LOCK_EX)
    sign(handle)
    return handle
