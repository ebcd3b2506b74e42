"""The time that may be judged by. A machine's clock can be wrong by a week, and what is deleted, refused or closed by
it is gone: the clock is believed only where something that cannot be set speaks for it.

Every sweep leaves a heartbeat: the time, the boot, and how long the machine had been up. Within one boot the time since
then is known without the clock. After a boot the kernel's word counts, and without it a person's.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from lakehouse.lake import ENGINE_FOLDER, Lake
from resources.clock_reading import SIMULATED_BOOT, ClockReading

TOLERANCE = timedelta(minutes=5)
"""The clock may differ from what the heartbeat lets expect by this, in all. Above: what time daemons do unasked (leap
seconds, steps of some seconds; slewing moves both clocks alike). Below: a sixth of the half hour before a limit in
which hours are dropped, so that neither side of a limit is missed."""

CONFIRM_COMMAND = "python -m orchestration confirm-time"

HIGH_WATER = f"{ENGINE_FOLDER}/sweep_high_water"
HEARTBEAT = f"{ENGINE_FOLDER}/sweep_heartbeat.json"

_LAST_YEAR = 9000


class Doubt(StrEnum):
    """Why the time is not believed."""

    AHEAD = "the clock is ahead of the last heartbeat plus the time that the machine has been up"
    BEHIND = "the clock is behind the last heartbeat"
    UNPROVED = (
        "the clock moved on by more than the machine is known to have been up, and the kernel calls it unsynchronised"
    )
    FIRST = "no sweep has run before, something would be deleted, and the kernel calls the clock unsynchronised"
    MARK_AHEAD = "the latest moment that any sweep judged by is still to come"
    SIMULATED = "the time was set by hand, in a lake that lives by a machine's clock"
    DAMAGED = "the last heartbeat or the latest moment judged by could not be read, or not be written"


@dataclass(frozen=True)
class Heartbeat:
    """What a sweep knew of the time. `at`: the time by its line, not by the clock: small steps of the clock never move
    it. `up`: how long the machine had been up then. `is_proved`: the line began in this boot, by the kernel's word, a
    person's, or as the lake's first; else the machine was started since, and it is only known to be no earlier."""

    at: datetime
    boot_id: str
    up: timedelta
    is_proved: bool

    @property
    def is_simulated(self) -> bool:
        """Whether a test or a simulation set the time."""
        return self.boot_id == SIMULATED_BOOT


@dataclass(frozen=True)
class BelievedTime:
    """What may be judged by. `at`: everything due then may go; None: nothing may. `doubt`: None if the clock is
    believed. `difference`: of the doubted time to `at`, positive if ahead. `heartbeat`: the next to keep, if any."""

    at: datetime | None
    doubt: Doubt | None
    difference: timedelta
    heartbeat: Heartbeat | None

    @property
    def words(self) -> str:
        """The doubt in a sentence with the way out. Empty without a doubt."""
        seconds = f" ({self.difference.total_seconds():+.0f} s)" if self.difference else ""
        confirm = f"compare the clock with another one, then run {CONFIRM_COMMAND}"
        match self.doubt:
            case None:
                return ""
            case Doubt.DAMAGED:
                return f"{self.doubt}; the clock was believed and the sweep went on"
            case Doubt.SIMULATED:
                return f"{self.doubt}{seconds}; what is due by that time only waits; sweep by the machine's clock"
            case Doubt.FIRST:
                return f"{self.doubt}; nothing was deleted; {confirm}"
        return f"{self.doubt}{seconds}; what is due by that time only waits; {confirm}"


@dataclass(frozen=True)
class Known:
    """What earlier sweeps left: `mark`, the latest moment that any judged by, and `heartbeat`. `is_damaged`: one of
    them was there and could not be used."""

    heartbeat: Heartbeat | None
    mark: datetime | None
    is_damaged: bool = False


def judge(known: Known, now: ClockReading, is_anything_due: Callable[[], bool]) -> BelievedTime:
    """The moment to judge by. `is_anything_due`: whether a sweep by the clock would delete or seal anything; asked
    only at the first sweep of a lake.

    In doubt the moment is the latest that is certain: what is due then dies all the same. It never lies further ahead
    of the true time than TOLERANCE, as long as the kernel, the persons and the first clock tell the truth.
    """
    mark = known.mark
    if known.heartbeat is not None:
        found = _by_heartbeat(known.heartbeat, now)
    elif mark is not None:
        found = _by_mark(mark, now)
    else:
        found = _first(now, is_anything_due)
    at = found.at
    if at is not None and mark is not None and mark > at:
        if mark - at <= TOLERANCE:
            found = replace(found, at=mark)
        elif found.doubt is None:
            found = replace(found, doubt=Doubt.MARK_AHEAD, difference=mark - at)
    if known.is_damaged and found.doubt is None:
        return replace(found, doubt=Doubt.DAMAGED)
    return found


def _by_heartbeat(last: Heartbeat, now: ClockReading) -> BelievedTime:
    is_same_boot = bool(now.boot_id) and now.boot_id == last.boot_id and not now.is_simulated and now.up >= last.up
    expected = last.at + (now.up - last.up) if is_same_boot else last.at
    off = now.wall_at - expected
    if now.is_simulated and not last.is_simulated:
        return BelievedTime(expected, Doubt.SIMULATED, off, last)
    is_proved = is_same_boot and last.is_proved
    line = Heartbeat(expected, now.boot_id, now.up, is_proved)
    if off < -TOLERANCE:
        return BelievedTime(expected, Doubt.BEHIND, off, line)
    if (now.is_synchronised or now.is_simulated) and not is_proved:
        return _believed(now, proved(now))
    if off <= TOLERANCE:
        return _believed(now, line)
    return BelievedTime(expected, Doubt.AHEAD if is_proved else Doubt.UNPROVED, off, line)


def _by_mark(mark: datetime, now: ClockReading) -> BelievedTime:
    """No heartbeat: all that is known is what the latest sweep judged by, and it may have been deceived. If it lies in
    the future nothing says which of the two is wrong, so only what is due by both may go."""
    if mark - now.wall_at <= TOLERANCE:
        return _by_heartbeat(Heartbeat(mark, "", timedelta(), is_proved=False), now)
    return BelievedTime(now.wall_at, Doubt.MARK_AHEAD, mark - now.wall_at, proved(now) if now.is_synchronised else None)


def _first(now: ClockReading, is_anything_due: Callable[[], bool]) -> BelievedTime:
    """Nothing contradicts a lake's first clock. Unless the kernel vouches for it, it may begin only where it would
    delete nothing."""
    if not now.is_synchronised and not now.is_simulated and is_anything_due():
        return BelievedTime(None, Doubt.FIRST, timedelta(), None)
    return _believed(now, proved(now))


def _believed(now: ClockReading, heartbeat: Heartbeat) -> BelievedTime:
    return BelievedTime(now.wall_at, None, timedelta(), heartbeat)


def proved(now: ClockReading) -> Heartbeat:
    """The heartbeat of a clock that something or somebody vouches for."""
    return Heartbeat(now.wall_at, now.boot_id, now.up, is_proved=True)


def believed_now(lake: Lake, now: ClockReading) -> datetime:
    """The time to refuse and to close by: the clock's, or in doubt the one that is certain. Before the first sweep
    there is nothing to hold the clock against."""
    found = judge(read_known(lake), now, lambda: False)
    return found.at or now.wall_at


def read_known(lake: Lake) -> Known:
    """What earlier sweeps left in the engine folder."""
    raw_heartbeat, raw_mark = _raw(lake, HEARTBEAT), _raw(lake, HIGH_WATER)
    heartbeat, mark = _heartbeat_of(raw_heartbeat), _instant_of(raw_mark)
    if heartbeat is not None and mark is not None and heartbeat.at > mark + TOLERANCE:
        heartbeat = None
    is_damaged = (heartbeat is None and raw_heartbeat is not None) or (mark is None and raw_mark is not None)
    return Known(heartbeat, mark, is_damaged)


def _raw(lake: Lake, key: str) -> bytes | None:
    """The content; none that anything could be read from where the file cannot be opened. None if it is absent."""
    try:
        return lake.objects.read_bytes(key)
    except Exception:  # noqa: BLE001 - a folder in its place, no permission, a bucket's error: deletion does not wait
        return b""


def _heartbeat_of(raw: bytes | None) -> Heartbeat | None:
    try:
        record = json.loads(raw or b"null")
        at, boot_id, up_s, is_proved = (record[name] for name in ("at", "boot_id", "up_s", "is_proved"))
        instant = _instant_of(str(at).encode())
        if instant is None or not isinstance(boot_id, str) or not isinstance(is_proved, bool):
            return None
        if not math.isfinite(up_s) or up_s < 0:
            return None
        return Heartbeat(instant, boot_id, timedelta(seconds=up_s), is_proved)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _instant_of(raw: bytes | None) -> datetime | None:
    try:
        found = datetime.fromisoformat((raw or b"").decode("ascii"))
    except ValueError:
        return None
    # Beyond it no time can be added any more: whoever wrote that had no clock.
    return found if found.tzinfo is not None and found.year < _LAST_YEAR else None
