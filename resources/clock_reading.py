"""What the machine says of the time, and what speaks for it: how long it has been up, in which boot, and whether the
kernel holds its clock for synchronised. The judgement is somebody else's."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

SIMULATED_BOOT = "simulated"
"""Stands for the boot where the time was set by a test or a simulation."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# `struct timex` has 208 bytes; a kernel that made it longer would still find room.
_TIMEX_BYTES = 512
# adjtimex(2) returns this when STA_UNSYNC or STA_CLOCKERR is set: no time daemon has vouched for the clock lately.
_TIME_ERROR = 5


@dataclass(frozen=True)
class ClockReading:
    """One look at the clock.

    `wall_at`: what it shows, UTC. `boot_id`: the kernel's name for this boot, empty where unknown. `up`: time since
    that boot, sleep included, which nobody can set (CLOCK_BOOTTIME). `is_synchronised`: the kernel says that a time
    daemon keeps the clock right.
    """

    wall_at: datetime
    boot_id: str
    up: timedelta
    is_synchronised: bool

    @property
    def is_simulated(self) -> bool:
        """Whether somebody set this time, so that it says nothing about the machine's clock."""
        return self.boot_id == SIMULATED_BOOT


def simulated_reading(wall_at: datetime) -> ClockReading:
    """A time that a test or a simulation set: no boot, and nobody vouches for it."""
    return ClockReading(wall_at, SIMULATED_BOOT, timedelta(), is_synchronised=False)


def read_machine() -> ClockReading:
    """The machine's own clock (Linux). What cannot be found out is reported as unknown, which proves nothing."""
    up = timedelta(seconds=time.clock_gettime(time.CLOCK_BOOTTIME))
    return ClockReading(datetime.now(UTC), _boot_id(), up, _is_synchronised())


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _is_synchronised() -> bool:
    """Asks and changes nothing: `modes` is zero. A container that forbids the call answers no."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return False
    return 0 <= int(state) < _TIME_ERROR
