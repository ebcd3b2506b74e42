"""A table's lease in a bucket: an object that its holder keeps rewriting, if nobody else has meanwhile."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lakehouse.errors import LeaseLost
from lakehouse.files.bucket import BucketObjects
from lakehouse.files.objects import ObjectStore
from lakehouse.leases.attempts import attempts, mark_of
from lakehouse.leases.holder import holder_of, signature

FREE = b"free"


@contextmanager
def hold_object(objects: ObjectStore, key: str, table: str, wait_s: float, takeover_s: float) -> Iterator[BucketLease]:
    """Holds the lease that lies at the key. Raises LeaseUnavailable after `wait_s` seconds."""
    if not isinstance(objects, BucketObjects):
        raise TypeError("a bucket lease needs a bucket")
    lease = BucketLease(objects, key, table, takeover_s)
    lease.acquire(wait_s)
    try:
        yield lease
    finally:
        lease.release()


class BucketLease:
    """An object that names its holder, with a count that grows while the holder lives; or says it is free."""

    def __init__(self, objects: BucketObjects, key: str, table: str, takeover_s: float) -> None:
        self._objects = objects
        self._key = key
        self._table = table
        self._takeover_s = takeover_s
        self.took_over = False
        """Whether the holder before never let go of it: dead, or only slow."""
        self.mark = mark_of(f"{socket.gethostname()} {os.getpid()} {threading.get_ident()} {time.monotonic_ns()}")
        self._seen = b""
        self._beats = 0
        self._tag: str | None = None
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._heart = threading.Thread(target=self._beat, name=f"lease {table}", daemon=True)

    def acquire(self, wait_s: float) -> None:
        seen_tag, seen_at = "", time.monotonic()
        for _ in attempts(self._table, wait_s, lambda: holder_of(self._seen)):
            found = self._objects.read_tagged(self._key)
            if found is None:
                self._tag = self._objects.create_tagged(self._content(), self._key)
            else:
                self._seen, tag = found
                if tag != seen_tag:
                    seen_tag, seen_at = tag, time.monotonic()
                if self._seen == FREE or time.monotonic() - seen_at >= self._takeover_s:
                    self._tag = self._objects.replace_tagged(self._content(), self._key, tag)
                    self.took_over = self._seen != FREE
            if self._tag is not None:
                break
        self._heart.start()

    def check(self) -> None:
        self._renew()

    def release(self) -> None:
        self._stop.set()
        self._heart.join()
        if self._tag is not None:
            self._objects.replace_tagged(FREE, self._key, self._tag)

    def _content(self) -> bytes:
        self._beats += 1
        return signature(mark=self.mark, beats=self._beats)

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
