"""One holder at a time per table: who writes, drops or vacuums holds the table's lease.

Why writers hold it too: a vacuum beside a running writer deletes its uncommitted files, and tombstones must
be checked and the commit made under one lock. On a local disk the lease is a kernel file lock, which dies
with its holder. In a bucket it is an object that the holder keeps rewriting; whoever sees it unchanged for a
whole `TAKEOVER_S` takes it over, and moves the table's log on, so that the holder before
cannot commit any more. That needs no clock that two machines share, and no process that cleans up.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from lakehouse.contract import TableContract
from lakehouse.errors import LeaseUnavailable
from lakehouse.lake import ENGINE_FOLDER, Lake

WAIT_S = 120.0
TAKEOVER_S = 15.0
_POLL_S = (0.002, 0.1)


class Lease(Protocol):
    """A lease that is held.

    `mark`: eight hex digits that no two holders share. It ends the names of the files that the holder writes: who
    was overtaken cleans up, and must not find its own names on files that the next holder has made live.
    """

    mark: str

    def check(self) -> None:
        """Raises LeaseLost if somebody took it over. Called right before what must not happen without it."""
        ...


@contextmanager
def hold_lease(
    lake: Lake, contract: TableContract, *, wait_s: float = WAIT_S, takeover_s: float = TAKEOVER_S
) -> Iterator[Lease]:
    """Holds the table's lease. Raises LeaseUnavailable after `wait_s` seconds."""
    key = f"{ENGINE_FOLDER}/leases/{contract.path}"
    if lake.is_local:
        with _hold_file(Path(lake.root) / key, contract.path, wait_s) as held:
            yield held
    else:
        from lakehouse.bucket_lease import hold_object
        from lakehouse.fence import fence

        with hold_object(lake.objects, key, contract.path, wait_s, takeover_s) as held:
            if held.took_over:
                fence(lake, contract)
            yield held


class _FileLease:
    def __init__(self, mark: str) -> None:
        self.mark = mark

    def check(self) -> None:
        """The kernel takes it from nobody who lives."""


@contextmanager
def _hold_file(path: Path, table: str, wait_s: float) -> Iterator[Lease]:
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


def mark_of(holder: str) -> str:
    """A holder's mark, from what it calls itself."""
    return hashlib.sha256(holder.encode()).hexdigest()[:8]


def attempts(table: str, wait_s: float) -> Iterator[None]:
    """Yields at growing pauses until the waiting time is over, then raises LeaseUnavailable."""
    started, pause = time.monotonic(), _POLL_S[0]
    while True:
        yield
        if time.monotonic() - started > wait_s:
            raise LeaseUnavailable(table, f"its lease was not free within {wait_s:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, _POLL_S[1])
