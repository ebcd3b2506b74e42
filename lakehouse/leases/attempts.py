"""What a lease is, how long is waited for one, and what is waited for now."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from lakehouse.errors import LeaseUnavailable
from lakehouse.leases.holder import Holder

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


@dataclass(frozen=True)
class Wait:
    """A lease that a thread of this process waits for, and who holds it, if that is known."""

    table: str
    holder: Holder | None

    @property
    def words(self) -> str:
        """Who holds it."""
        return f"held by {self.holder.words}" if self.holder else "held by somebody who does not say"


_WAITS: dict[int, Wait] = {}


def current_waits() -> list[Wait]:
    """What the threads of this process wait for at this moment."""
    return list(_WAITS.values())


def attempts(table: str, wait_s: float, read_holder: Callable[[], Holder | None]) -> Iterator[None]:
    """Yields at growing pauses until the waiting time is over, then raises LeaseUnavailable, which names the holder."""
    started, pause = time.monotonic(), _POLL_S[0]
    while True:
        yield
        wait = Wait(table, read_holder())
        if time.monotonic() - started > wait_s:
            raise LeaseUnavailable(table, f"its lease was not free within {wait_s:g} s: {wait.words}")
        _WAITS[threading.get_ident()] = wait
        try:
            time.sleep(pause)
        finally:
            del _WAITS[threading.get_ident()]
        pause = min(pause * 1.5, _POLL_S[1])
