"""When a capture hour's rows die. Retention counts from capture; the time of day is always an argument."""

from __future__ import annotations

from datetime import datetime, timedelta

from lakehouse.contract import RetentionClass, TableContract
from lakehouse.contracts.retention import DROP_MARGIN, PATIENCE, SCHEDULE
from lakehouse.store_day import StoreDay, hour_start

HOUR_COLUMN = "capture_hour"


def limit_of(contract: TableContract) -> timedelta | None:
    """Longest life of a row from its capture on; None where no age ends it."""
    return SCHEDULE[contract.retention].limit


def limit_at(contract: TableContract, label: str) -> datetime:
    """Moment at which the oldest possible value of that hour reaches its limit."""
    limit = limit_of(contract)
    if limit is None:
        raise ValueError(f"{contract.path}: its retention class has no limit")
    return hour_start(label) + limit


def drop_at(contract: TableContract, label: str) -> datetime:
    """From this moment on the hour is dropped, and refused by the writer."""
    return limit_at(contract, label) - DROP_MARGIN


def is_expired(contract: TableContract, label: str, now: datetime) -> bool:
    """Whether the hour has to go. False for tables without a limit."""
    return limit_of(contract) is not None and now >= drop_at(contract, label)


def is_pressing(contract: TableContract, label: str, now: datetime) -> bool:
    """Whether an expired hour has to go now, sealed or not, leased or not: its limit is near."""
    return limit_of(contract) is not None and now >= drop_at(contract, label) + PATIENCE


def seals_at(store_day: StoreDay) -> datetime:
    """When the day's earliest hour of movement expires, and with it the day's evidence begins to go."""
    limit = SCHEDULE[RetentionClass.MOVEMENT].limit
    if limit is None:
        raise ValueError("the movement class has no limit")
    return store_day.start_at + limit - DROP_MARGIN
