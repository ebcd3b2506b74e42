"""A table's lease on a local disk: a kernel file lock, which dies with its holder."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from lakehouse.leases.attempts import Lease, attempts, mark_of
from lakehouse.leases.holder import Holder, holder_of, signature


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
        for _ in attempts(table, wait_s, lambda: _holder(handle)):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                continue
        _sign(handle)
        yield _FileLease(mark_of(f"{os.getpid()} {time.monotonic_ns()}"))
    finally:
        os.close(handle)


def _sign(handle: int) -> None:
    # For whoever waits; who holds the lease is the kernel's word, so a full disk takes nothing away.
    with suppress(OSError):
        os.truncate(handle, 0)
        os.pwrite(handle, signature(), 0)


def _holder(handle: int) -> Holder | None:
    # It signed when the lock became its own, so the file's time is that of the lease.
    signed_at = datetime.fromtimestamp(os.fstat(handle).st_mtime, UTC)
    return holder_of(os.pread(handle, 1024, 0), signed_at)
