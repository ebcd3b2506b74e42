"""The two clocks of the lakehouse: the store-local business date, and the UTC capture hour that deletion
counts by."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from lakehouse.contract import TableContract

STORE_ZONE = "Asia/Shanghai"
_HOUR_FORMAT = "%Y-%m-%dT%HZ"
_HOUR = timedelta(hours=1)


def capture_hour(instant: datetime) -> str:
    """Label of the UTC hour of an instant, as `2026-11-22T15Z`. Raises ValueError for a naive instant."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(UTC).strftime(_HOUR_FORMAT)


def hour_start(label: str) -> datetime:
    """First instant of a capture hour. Raises ValueError for what is no label."""
    start = datetime.strptime(label, _HOUR_FORMAT).replace(tzinfo=UTC)
    if start.strftime(_HOUR_FORMAT) != label:
        raise ValueError("a capture hour is written as 2026-11-22T15Z")
    return start


def capture_hour_of(column: str) -> pl.Expr:
    """Expression: capture hour of a UTC instant column."""
    return pl.col(column).dt.strftime(_HOUR_FORMAT)


def business_date_of(column: str) -> pl.Expr:
    """Expression: business date (text) of a UTC instant column."""
    return pl.col(column).dt.convert_time_zone(STORE_ZONE).dt.strftime("%Y-%m-%d")


@dataclass(frozen=True, order=True)
class StoreDay:
    """One store's business date, midnight to midnight in Asia/Shanghai (no daylight saving)."""

    store_id: str
    business_date: date

    @classmethod
    def of_hour(cls, store_id: str, label: str) -> StoreDay:
        """The store-day that a capture hour belongs to: the zone's offset is whole hours, so there is
        exactly one."""
        return cls(store_id, hour_start(label).astimezone(ZoneInfo(STORE_ZONE)).date())

    @classmethod
    def of_instant(cls, store_id: str, instant: datetime) -> StoreDay:
        """The store-day of an instant."""
        return cls.of_hour(store_id, capture_hour(instant))

    @property
    def start_at(self) -> datetime:
        """First instant, UTC."""
        return datetime.combine(self.business_date, time(), ZoneInfo(STORE_ZONE)).astimezone(UTC)

    @property
    def end_at(self) -> datetime:
        """First instant of the next day, UTC."""
        return self.start_at + timedelta(days=1)

    @property
    def capture_hours(self) -> tuple[str, ...]:
        """Labels of its 24 UTC hours, in order."""
        return tuple(capture_hour(self.start_at + index * _HOUR) for index in range(24))

    def partition(self, contract: TableContract) -> dict[str, tuple[str, ...]]:
        """What of a table belongs to this day, as the writer and the reader take it.

        Raises ValueError for a table that is not partitioned by store-day.
        """
        values = {
            "store_id": (self.store_id,),
            "capture_hour": self.capture_hours,
            "business_date": (self.business_date.isoformat(),),
        }
        if set(contract.partition_by) not in ({"store_id", "capture_hour"}, {"store_id", "business_date"}):
            raise ValueError(f"{contract.path} is not partitioned by store-day")
        return {column: values[column] for column in contract.partition_by}


def rows_within(day: StoreDay, frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Rows of the day's capture hours, and how many lie past midnight (a clip may run over it by seconds)."""
    inside = frame.filter(pl.col("capture_hour").is_in(list(day.capture_hours)))
    return inside, frame.height - inside.height
