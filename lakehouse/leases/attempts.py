"""What a lease is, and how long is waited for one."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from typing import Protocol

from lakehouse.errors import LeaseUnavailable

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
