"""One process at a time, by a kernel lock on a file: it goes with its holder, however that ends, across reboots too."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Taken(Exception):
    """Another process holds the lock. `holder`: its process id, as it has written it; None if that cannot be read."""

    def __init__(self, holder: int | None) -> None:
        super().__init__("another process" if holder is None else f"process {holder}")
        self.holder = holder


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Holds the lock while the block runs. Raises Taken at once if another process has it. The file stays, with the
    process id of who held it last."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(signed_by(path)) from None
        sign(handle)
        yield
    finally:
        os.close(handle)


def sign(handle: int) -> None:
    """Writes the process id into a lock file that is held. For a message only: nothing is decided by it, so a full disk
    does not matter."""
    with suppress(OSError):
        os.truncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode("ascii"), 0)


def signed_by(path: Path) -> int | None:
    """The process id in a lock file; None if none can be read."""
    with suppress(OSError, ValueError):
        return int(path.read_text(encoding="ascii"))
    return None
