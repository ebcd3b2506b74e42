"""One holder at a time per table: who writes, drops or vacuums holds the table's lease.

Why writers hold it too: a vacuum beside a running writer deletes its uncommitted files, and tombstones must
be checked and the commit made under one lock. On a local disk the lease is a kernel file lock, which dies
with its holder. In a bucket it is an object that the holder keeps rewriting; whoever sees it unchanged for a
whole `TAKEOVER_S` takes it over. That needs no clock that two machines share, and no process that cleans up.
"""

from __future__ import annotations

import fcntl
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from lakehouse.bucket import BucketObjects
from lakehouse.contract import TableContract
from lakehouse.errors import LeaseLost, LeaseUnavailable
from lakehouse.lake import ENGINE_FOLDER, Lake

WAIT_S = 120.0
TAKEOVER_S = 15.0
_POLL_S = (0.002, 0.1)


class Lease(Protocol):
    """A lease that is held."""

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
        objects = lake.objects
        assert isinstance(objects, BucketObjects)
        lease = _BucketLease(objects, key, contract.path, takeover_s)
        lease.acquire(wait_s)
        try:
            yield lease
        finally:
            lease.release()


class _FileLease:
    def check(self) -> None:
        """The kernel takes it from nobody who lives."""


@contextmanager
def _hold_file(path: Path, table: str, wait_s: float) -> Iterator[Lease]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        for _ in _attempts(table, wait_s):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                continue
        yield _FileLease()
    finally:
        os.close(handle)


def _attempts(table: str, wait_s: float) -> Iterator[None]:
    """Yields at growing pauses until the waiting time is over, then raises LeaseUnavailable."""
    started, pause = time.monotonic(), _POLL_S[0]
    while True:
        yield
        if time.monotonic() - started > wait_s:
            raise LeaseUnavailable(table, f"its lease was not free within {wait_s:g} s")
        time.sleep(pause)
        pause = min(pause * 1.5, _POLL_S[1])


class _BucketLease:
    """An object whose content is its holder and a count that grows while the holder lives; empty when
    free."""

    def __init__(self, objects: BucketObjects, key: str, table: str, takeover_s: float) -> None:
        self._objects = objects
        self._key = key
        self._table = table
        self._takeover_s = takeover_s
        self._holder = f"{socket.gethostname()} {os.getpid()} {threading.get_ident()} {time.monotonic_ns()}"
        self._beats = 0
        self._tag: str | None = None
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, name=f"lease {table}", daemon=True)

    def acquire(self, wait_s: float) -> None:
        seen_tag, seen_at = "", time.monotonic()
        for _ in _attempts(self._table, wait_s):
            found = self._objects.read_tagged(self._key)
            if found is None:
                self._tag = self._objects.create_tagged(self._content(), self._key)
            else:
                content, tag = found
                if tag != seen_tag:
                    seen_tag, seen_at = tag, time.monotonic()
                if content == b"free" or time.monotonic() - seen_at >= self._takeover_s:
                    self._tag = self._objects.replace_tagged(self._content(), self._key, tag)
            if self._tag is not None:
                break
        self._heart.start()

    def check(self) -> None:
        self._renew()

    def release(self) -> None:
        self._stop.set()
        self._heart.join()
        if self._tag is not None:
            self._objects.replace_tagged(b"free", self._key, self._tag)

    def _content(self) -> bytes:
        self._beats += 1
        return f"{self._holder} {self._beats}".encode()

    def _renew(self) -> None:
        with self._guard:
            if self._tag is not None:
                self._tag = self._objects.replace_tagged(self._content(), self._key, self._tag)
            if self._tag is None:
                raise LeaseLost(self._table, "its lease was taken over while a write was under way")

    def _beat(self) -> None:
        while not self._stop.wait(self._takeover_s / 4):
            try:
                self._renew()
            except LeaseLost:
                return
            except Exception:  # noqa: BLE001 - a beat that fails is tried again; check() has the last word
                continue
