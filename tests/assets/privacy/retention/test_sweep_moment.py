"""By which moment a sweep may judge: every case of the clock, and for any history of lies, steps and reboots."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.privacy.retention.sweep_moment import confirm, find_moment
from lakehouse.contracts.vision import TRACK_POINTS
from lakehouse.lake import ENGINE_FOLDER, Lake
from lakehouse.life.expiry import drop_at, is_expired
from lakehouse.store_day import capture_hour
from resources.believed_time import TOLERANCE, Doubt, Heartbeat, Known, judge
from resources.clock import Clock
from resources.clock_reading import ClockReading, read_machine, simulated_reading

T0 = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
WEEK = timedelta(hours=169)
MINUTE = timedelta(minutes=1)
LAST = Heartbeat(T0, "boot-1", timedelta(hours=5), is_proved=True)


def reading(wall: timedelta, up: timedelta, boot: str = "boot-1", *, sync: bool = False) -> ClockReading:
    """A clock that shows T0 + `wall` on a machine that has been up five hours (the last heartbeat's) + `up`."""
    return ClockReading(T0 + wall, boot, LAST.up + up, sync)


def nothing_due() -> bool:
    return False


TEN = 10 * MINUTE
UNPROVED = replace(LAST, is_proved=False)
CASES: dict[str, tuple[Heartbeat, ClockReading, Doubt | None, timedelta]] = {
    "goes on": (LAST, reading(TEN, TEN), None, TEN),
    "small step ahead": (LAST, reading(TEN + TOLERANCE, TEN), None, TEN + TOLERANCE),
    "small step back": (LAST, reading(TEN - TOLERANCE, TEN), None, TEN - TOLERANCE),
    "slept for a night": (LAST, reading(8 * 60 * MINUTE, 8 * 60 * MINUTE), None, 8 * 60 * MINUTE),
    "a week ahead": (LAST, reading(TEN + WEEK, TEN), Doubt.AHEAD, TEN),
    "a week ahead, by a wrong time server": (LAST, reading(TEN + WEEK, TEN, sync=True), Doubt.AHEAD, TEN),
    "just too far": (LAST, reading(TEN + TOLERANCE + MINUTE, TEN), Doubt.AHEAD, TEN),
    "a day behind": (LAST, reading(TEN - 24 * 60 * MINUTE, TEN), Doubt.BEHIND, TEN),
    "a day behind, synchronised": (LAST, reading(-24 * 60 * MINUTE, TEN, sync=True), Doubt.BEHIND, TEN),
    "off for a week, synchronised": (LAST, reading(WEEK, -LAST.up, "boot-2", sync=True), None, WEEK),
    "off for a week, unsynchronised": (LAST, reading(WEEK, -LAST.up, "boot-2"), Doubt.UNPROVED, timedelta()),
    "restarted quickly, unsynchronised": (LAST, reading(2 * MINUTE, -LAST.up, "boot-2"), None, 2 * MINUTE),
    "restarted, battery empty": (LAST, reading(-WEEK, -LAST.up, "boot-2"), Doubt.BEHIND, timedelta()),
    "boot unknown": (LAST, reading(TEN, TEN, ""), Doubt.UNPROVED, timedelta()),
    "boot unknown, as last time": (replace(LAST, boot_id=""), reading(TEN, TEN, ""), Doubt.UNPROVED, timedelta()),
    "boot unknown, synchronised": (LAST, reading(TEN, TEN, "", sync=True), None, TEN),
    "uptime ran back": (LAST, reading(WEEK, -MINUTE), Doubt.UNPROVED, timedelta()),
    "time server answers after the start": (UNPROVED, reading(WEEK, TEN, sync=True), None, WEEK),
    "still in doubt, the machine stays up": (UNPROVED, reading(WEEK, TEN), Doubt.UNPROVED, TEN),
    "set by hand in a real lake": (LAST, simulated_reading(T0 + WEEK), Doubt.SIMULATED, timedelta()),
    "simulated as before": (replace(LAST, boot_id="simulated"), simulated_reading(T0 + WEEK), None, WEEK),
    "real after a simulation": (replace(LAST, boot_id="simulated"), reading(WEEK, TEN), Doubt.UNPROVED, timedelta()),
}


@pytest.mark.parametrize("case", CASES)
def test_case(case: str) -> None:
    last, now, doubt, at = CASES[case]
    found = judge(Known(last, last.at), now, nothing_due)
    assert (found.doubt, found.at) == (doubt, T0 + at)
    assert ("confirm-time" in found.words) == (doubt not in (None, Doubt.SIMULATED))


def test_small_steps_never_add_up() -> None:
    """A clock that gains four minutes at each sweep is believed once and not seven days later."""
    known, steps = Known(LAST, T0), 0
    for count in range(1, 8):
        now = reading(count * (TEN + 4 * MINUTE), count * TEN)
        found = judge(known, now, nothing_due)
        assert found.at is not None
        assert found.at <= T0 + count * TEN + TOLERANCE
        steps += found.doubt is None
        known = Known(found.heartbeat, max(found.at, known.mark or found.at))
    assert steps == 1


def test_a_doubted_clock_never_vouches_for_itself() -> None:
    """Seen twice, a jump is no better founded than the first time."""
    first = judge(Known(LAST, T0), reading(WEEK + TEN, TEN), nothing_due)
    again = judge(Known(first.heartbeat, first.at), reading(WEEK + 2 * TEN, 2 * TEN), nothing_due)
    assert (again.doubt, again.at) == (Doubt.AHEAD, T0 + 2 * TEN)
    right_again = judge(Known(again.heartbeat, again.at), reading(3 * TEN, 3 * TEN), nothing_due)
    assert (right_again.doubt, right_again.at) == (None, T0 + 3 * TEN)


@pytest.mark.parametrize(
    ("sync", "due", "doubt"),
    [(True, True, None), (True, False, None), (False, False, None), (False, True, Doubt.FIRST)],
)
def test_the_first_sweep_of_a_lake(sync: bool, due: bool, doubt: Doubt | None) -> None:
    found = judge(Known(None, None), reading(TEN, TEN, sync=sync), lambda: due)
    assert (found.doubt, found.at) == (doubt, None if doubt else T0 + TEN)
    assert found.heartbeat is None or found.heartbeat.is_proved


@pytest.mark.parametrize("has_heartbeat", [True, False])
@pytest.mark.parametrize("sync", [True, False])
def test_a_mark_in_the_future_is_no_time_to_judge_by(has_heartbeat: bool, sync: bool) -> None:
    known = Known(LAST if has_heartbeat else None, T0 + WEEK)
    found = judge(known, reading(TEN, TEN, sync=sync), nothing_due)
    assert (found.doubt, found.at, found.difference) == (Doubt.MARK_AHEAD, T0 + TEN, WEEK - TEN)


def test_without_a_heartbeat_the_mark_is_the_last_known_time() -> None:
    for sync, doubt, at in ((True, None, WEEK), (False, Doubt.UNPROVED, timedelta())):
        found = judge(Known(None, T0), reading(WEEK, TEN, sync=sync), nothing_due)
        assert (found.doubt, found.at) == (doubt, T0 + at)


seconds = st.integers(0, 14 * 24 * 3600).map(lambda s: timedelta(seconds=s))
lies = st.one_of(st.just(timedelta()), st.integers(-400, 400).map(lambda s: timedelta(seconds=s)),
                 st.integers(-10_000, 10_000).map(lambda h: timedelta(hours=h)))  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[timedelta, ClockReading]]:
    """True times since T0, and what the clock said. A kernel calls a clock synchronised only if it is right."""
    true, up, boot = timedelta(), timedelta(hours=5), 1
    found = [(true, ClockReading(T0, "boot-1", up, is_synchronised=True))]
    for _ in range(draw(st.integers(1, 12))):
        if draw(st.booleans()):
            true, up, boot = true + draw(seconds), timedelta(), boot + 1
        passed, lie = draw(seconds), draw(lies)
        true, up = true + passed, up + passed
        is_synchronised = lie == timedelta() and draw(st.booleans())
        found.append((true, ClockReading(T0 + true + lie, f"boot-{boot}", up, is_synchronised)))
    return found


@given(histories(), seconds)
def test_nothing_alive_dies_and_everything_certain_does(
    history: list[tuple[timedelta, ClockReading]], captured: timedelta
) -> None:
    hour = capture_hour(T0 + captured)
    known, before = Known(None, None), None
    for true, now in history:
        found = judge(known, now, nothing_due)
        assert found.at is not None
        if drop_at(TRACK_POINTS, hour) > T0 + true + TOLERANCE:
            assert not is_expired(TRACK_POINTS, hour, found.at), "alive by the true time"
        if before is not None:
            at, reading_before = before
            passed = now.up - reading_before.up if now.boot_id == reading_before.boot_id else timedelta()
            if drop_at(TRACK_POINTS, hour) <= at + passed - TOLERANCE:
                assert is_expired(TRACK_POINTS, hour, found.at), "due by what is certain, whatever the clock says"
            assert found.at >= at, "no clock brings the dead back within their limit"
        if now.is_synchronised:
            assert found.doubt is None
            assert not drop_at(TRACK_POINTS, hour) <= T0 + true or is_expired(TRACK_POINTS, hour, found.at)
        assert (found.doubt is None) or abs(found.difference) > TOLERANCE
        before = found.at, now
        known = Known(found.heartbeat, max(found.at, known.mark or found.at))


HEARTBEAT, MARK = f"{ENGINE_FOLDER}/sweep_heartbeat.json", f"{ENGINE_FOLDER}/sweep_high_water"
DAMAGED = (
    b"", b"{", b"\xff\xfe", b"[]", b"null", b"{}", b"[" * 3000, b'{"at": "2026-03-02", "boot_id": "b"}',
    b'{"at": "2026-03-02T04:00:00", "boot_id": "b", "up_s": 1, "is_proved": true}',
    b'{"at": "2026-03-02T04:00:00+00:00", "boot_id": "b", "up_s": NaN, "is_proved": true}',
    b'{"at": "2026-03-02T04:00:00+00:00", "boot_id": "b", "up_s": 1e300, "is_proved": true}',
    b'{"at": "9999-12-31T23:59:00+00:00", "boot_id": "boot-1", "up_s": 1, "is_proved": true}',
    b'{"at": "2027-03-02T04:00:00+00:00", "boot_id": "boot-1", "up_s": 1, "is_proved": true}',
)  # fmt: skip


@pytest.mark.parametrize("raw", DAMAGED, ids=range(len(DAMAGED)))
def test_a_damaged_heartbeat_is_set_aside_with_an_alarm(tmp_path: Path, raw: bytes) -> None:
    lake = Lake(str(tmp_path))
    assert find_moment(lake, (), reading(timedelta(), timedelta(), sync=True)).doubt is None
    lake.objects.put_bytes(raw, HEARTBEAT)
    found = find_moment(lake, (), reading(TEN, TEN, sync=True))
    assert (found.doubt, found.at) == (Doubt.DAMAGED, T0 + TEN)
    assert lake.objects.read_bytes(f"{HEARTBEAT}.damaged") == raw
    again = find_moment(lake, (), reading(2 * TEN, 2 * TEN))
    assert (again.doubt, again.at) == (None, T0 + 2 * TEN)


@pytest.mark.parametrize("raw", [b"", b"2026-03", b"\xff", b"2026-03-02T04:00:00", b"9999-12-31T23:59:00+00:00"])
def test_a_damaged_mark_is_set_aside_with_an_alarm(tmp_path: Path, raw: bytes) -> None:
    lake = Lake(str(tmp_path))
    find_moment(lake, (), reading(timedelta(), timedelta()))
    lake.objects.put_bytes(raw, MARK)
    found = find_moment(lake, (), reading(TEN, TEN))
    assert (found.doubt, found.at) == (Doubt.DAMAGED, T0 + TEN)
    assert lake.objects.read_bytes(f"{MARK}.damaged") == raw
    assert find_moment(lake, (), reading(2 * TEN, 2 * TEN)).doubt is None


@pytest.mark.parametrize("name", [HEARTBEAT, MARK])
def test_a_folder_in_the_heartbeats_place_stops_no_sweep(tmp_path: Path, name: str) -> None:
    """As with a file that may not be read or written, for those whom permissions bind."""
    lake = Lake(str(tmp_path))
    find_moment(lake, (), reading(timedelta(), timedelta(), sync=True))
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    for count in (1, 2):
        found = find_moment(lake, (), reading(count * TEN, count * TEN, sync=True))
        assert (found.doubt, found.at) == (Doubt.DAMAGED, T0 + count * TEN)
    (tmp_path / name).rmdir()
    assert find_moment(lake, (), reading(3 * TEN, 3 * TEN, sync=True)).doubt is None


def test_both_damaged_and_nobody_vouches_the_clock_may_delete_nothing(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    lake.objects.put_bytes(b"{", HEARTBEAT)
    lake.objects.put_bytes(b"{", MARK)
    found = judge(Known(None, None, is_damaged=True), reading(TEN, TEN), lambda: True)
    assert (found.doubt, found.at) == (Doubt.FIRST, None)


def test_a_simulated_clock_leaves_a_real_lakes_heartbeat_alone(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    find_moment(lake, (), reading(timedelta(), timedelta()))
    left = lake.objects.read_bytes(HEARTBEAT)
    found = find_moment(lake, (), Clock(fixed_at=(T0 + WEEK).isoformat()).reading())
    assert (found.doubt, found.at) == (Doubt.SIMULATED, T0)
    assert lake.objects.read_bytes(HEARTBEAT) == left


def test_who_confirmed_and_when_is_kept(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    find_moment(lake, (), reading(timedelta(), timedelta()))
    ahead = reading(WEEK, TEN)
    assert find_moment(lake, (), ahead).doubt is Doubt.AHEAD
    confirm(lake, ahead, "operator-1")
    (kept,) = lake.objects.list(f"{ENGINE_FOLDER}/time_confirmations")
    assert b"operator-1" in (lake.objects.read_bytes(kept.key) or b"")
    found = find_moment(lake, (), reading(WEEK + TEN, 2 * TEN))
    assert (found.doubt, found.at) == (None, T0 + WEEK + TEN)


def test_the_machine_is_read() -> None:
    first, second = read_machine(), Clock().reading()
    assert first.boot_id
    assert first.boot_id == second.boot_id
    assert timedelta() < first.up <= second.up
    assert first.wall_at.tzinfo is UTC
    assert not first.is_simulated
