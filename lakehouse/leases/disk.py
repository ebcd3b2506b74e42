"""A table's lease on a local disk: a kernel file lock, which dies with its holder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakehouse.leases.attempts import Lease, attempts, mark_of


class _FileLease:
    def __init__(self, mark: str) -> None:
        self.mark = mark

    def check(self) -> None:
        """The kernel takes it from nobody who lives."""


@contextmanager
def hold_file(path: Path, table: str, wait_s: float) -> Iterator[Lease]:
    """Holds the lock on a file. Raises LeaseUnavailable after `wait_s` seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        for _ in attempts(table, wait_s):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                continue
        yield _FileLease(mark_of(f"{os.getpid()} {time.monotonic_ns()}"))
    finally:
        os.close(handle)
