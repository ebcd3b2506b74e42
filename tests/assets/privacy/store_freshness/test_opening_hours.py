"""How long a store was open between two instants. 08:00 in the store is 00:00 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.privacy.store_freshness.opening_hours import OpeningHours

MIDNIGHT = datetime(2026, 11, 21, 16, tzinfo=UTC)
"""Midnight in the store, 22 November."""


def at(hours: float) -> datetime:
    return MIDNIGHT + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("opens", "closes", "since", "until", "hours"),
    [
        ("08:00", "22:00", 8, 22, 14),
        ("08:00", "22:00", 22, 32, 0),
        ("08:00", "22:00", 21.5, 32.25, 0.75),
        ("08:00", "22:00", 0, 240, 140),
        ("00:00", "24:00", 3, 27, 24),
        ("18:00", "02:00", 23, 27, 3),
        ("18:00", "02:00", -1, 1, 2),
        ("09:00", "09:00", 0, 24, 24),
        ("08:00", "22:00", 12, 11, 0),
    ],
)
def test_only_opening_time_counts(opens: str, closes: str, since: float, until: float, hours: float) -> None:
    assert OpeningHours.of(opens, closes).open_between(at(since), at(until)) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "8", "noon", "08:00:00", "a:b"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        OpeningHours.of(text, "22:00")


MINUTES = st.integers(0, 24 * 60)
INSTANTS = st.integers(0, 14 * 24 * 60).map(lambda minutes: MIDNIGHT + timedelta(minutes=minutes))


@given(MINUTES, MINUTES, INSTANTS, INSTANTS, INSTANTS)
def test_parts_add_up_and_no_part_is_longer_than_it_lasts(
    opens: int, closes: int, one: datetime, two: datetime, three: datetime
) -> None:
    hours = OpeningHours(timedelta(minutes=opens), timedelta(minutes=closes))
    since, between, until = sorted((one, two, three))
    whole = hours.open_between(since, until)
    assert timedelta() <= whole <= until - since
    assert whole == hours.open_between(since, between) + hours.open_between(between, until)
