from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.store_day import StoreDay, business_date_of, capture_hour, capture_hour_of, hour_start
from tests.lakehouse.small_tables import DAY, PLAIN_CARDS, SIGHTS, TOTALS

INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_a_day_in_shanghai_is_24_utc_hours() -> None:
    assert DAY.start_at == datetime(2026, 11, 21, 16, tzinfo=UTC)
    assert DAY.end_at == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert len(DAY.capture_hours) == 24
    assert (DAY.capture_hours[0], DAY.capture_hours[-1]) == ("2026-11-21T16Z", "2026-11-22T15Z")


@given(INSTANTS)
def test_every_instant_lies_in_one_hour_of_its_store_day(instant: datetime) -> None:
    label = capture_hour(instant)
    day = StoreDay.of_instant("s001", instant)
    assert hour_start(label) <= instant < day.end_at
    assert day.start_at <= instant
    assert label in day.capture_hours
    frame = pl.DataFrame({"at": [instant]}, schema={"at": pl.Datetime("us", "UTC")})
    assert frame.select(capture_hour_of("at")).item() == label
    assert frame.select(business_date_of("at")).item() == day.business_date.isoformat()


def test_partitions_follow_the_table() -> None:
    assert DAY.partition(SIGHTS) == {"store_id": ("s001",), "capture_hour": DAY.capture_hours}
    assert DAY.partition(TOTALS) == {"store_id": ("s001",), "business_date": ("2026-11-22",)}
    with pytest.raises(ValueError, match="not partitioned by store-day"):
        DAY.partition(PLAIN_CARDS)


@pytest.mark.parametrize("label", ["2026-11-22T5Z", "2026-11-22", "2026-11-22T15", "2026-11-22T24Z"])
def test_other_texts_are_no_hours(label: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        hour_start(label)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        capture_hour(datetime(2026, 11, 22, 15))  # noqa: DTZ001 - that is the point
    assert StoreDay("s001", date(2026, 1, 1)) < StoreDay("s001", date(2026, 1, 2)) < StoreDay("s002", date(2025, 1, 1))
