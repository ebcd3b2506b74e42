"""What is due at a moment, for any capture time and any clock: nothing lives too long, nothing dies too early."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from assets.privacy.places import FilePlace
from assets.privacy.retention.due import (
    effective_hour,
    expired_files,
    hour_of,
    identity,
    list_folder,
    look_at_undated,
    sort_files,
)
from lakehouse.contracts.retention import DROP_MARGIN
from lakehouse.files.objects import ObjectStore, StoredObject
from lakehouse.store_day import capture_hour, hour_start

HOUR = timedelta(hours=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
moments = st.integers(0, 400 * 3600).map(lambda seconds: START + timedelta(seconds=seconds))
limits = st.sampled_from([timedelta(hours=2), timedelta(hours=72), timedelta(hours=168)])


class Listing:
    """A store that can only be listed."""

    def __init__(self, *keys: str) -> None:
        self._keys = keys

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        return (StoredObject(key, 7) for key in self._keys if key.startswith(prefix))


def place(limit: timedelta, *keys: str) -> FilePlace:
    return FilePlace(cast(ObjectStore, Listing(*keys)), "", "footage", limit)


def stamped(captured_at: datetime) -> str:
    return f"s001/c1/{captured_at.strftime('%Y%m%dT%H%M%S.000Z')}.mp4"


@given(moments, moments, limits)
def test_a_clip_dies_in_its_last_half_to_one_and_a_half_hours(
    captured_at: datetime, now: datetime, limit: timedelta
) -> None:
    there = place(limit, stamped(captured_at))
    is_due = bool(expired_files(there, sort_files(there, list_folder(there), {}), now))
    age = now - captured_at
    if age >= limit - DROP_MARGIN:
        assert is_due
    if age < limit - DROP_MARGIN - HOUR:
        assert not is_due


@given(moments, limits)
def test_once_due_always_due(captured_at: datetime, limit: timedelta) -> None:
    there = place(limit, stamped(captured_at))
    found = sort_files(there, list_folder(there), {})
    due = [bool(expired_files(there, found, START + timedelta(hours=hours / 2))) for hours in range(0, 1200, 7)]
    assert due == sorted(due)


@given(moments)
def test_folder_and_name_tell_the_same_hour(captured_at: datetime) -> None:
    name = stamped(captured_at).rsplit("/", 1)[-1]
    hour = capture_hour(captured_at)
    assert hour_of(stamped(captured_at)) == hour_of(f"s001/c1/{hour}/{name}") == hour
    assert hour_start(hour) <= captured_at < hour_start(hour) + HOUR


@given(moments, st.lists(moments, min_size=1), st.sampled_from(["notes.txt", "20990101T000000.000Z.mp4"]))
def test_the_first_sight_is_never_forgotten_while_the_file_is_there(
    first: datetime, later: list[datetime], name: str
) -> None:
    there = [list_folder(place(timedelta(hours=168), f"s001/c1/{name}"))]
    file = StoredObject(f"s001/c1/{name}", 7)
    seen = look_at_undated(there, {}, first)
    assert effective_hour(file, seen) == capture_hour(first)
    for now in later:
        seen = look_at_undated(there, seen, now)
        assert seen[identity(file)] <= first
    assert look_at_undated([list_folder(place(timedelta(hours=168)))], seen, later[-1]) == {}


@given(moments)
def test_a_clip_that_tells_its_age_needs_no_register(captured_at: datetime) -> None:
    assert look_at_undated([list_folder(place(HOUR, stamped(captured_at)))], {}, captured_at) == {}


@given(moments, st.integers(-86_400, 86_400).map(lambda seconds: timedelta(seconds=seconds)))
def test_a_declared_skew_never_prolongs_a_life(named_at: datetime, skew: timedelta) -> None:
    """It counts from the store's time if the recorder was ahead, and from the recorder's if it was behind."""
    file = StoredObject(stamped(named_at), 7)
    assert effective_hour(file, {}, skew) == capture_hour(min(named_at, named_at - skew))
    first_seen = {identity(file): named_at - timedelta(hours=3)}
    assert effective_hour(file, first_seen, skew) == capture_hour(min(named_at - timedelta(hours=3), named_at - skew))
