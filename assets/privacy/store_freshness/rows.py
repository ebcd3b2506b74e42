"""Rows of `privacy/store_freshness`: what each store last sent, and how far its days are computed, judged at an
instant. Pure: the time is an argument."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import polars as pl

from assets.privacy.store_freshness.opening_hours import OpeningHours
from assets.privacy.store_freshness.settings import FreshnessSettings
from lakehouse.contracts.privacy import STORE_FRESHNESS
from lakehouse.store_day import StoreDay

_DAY = timedelta(days=1)
_SETTINGS = FreshnessSettings()
Key = TypeVar("Key")
Row = dict[str, object]


@dataclass(frozen=True)
class DayRecord:
    """When something of a store-day was last taken in, and when its orders were last made after that; None for not
    yet."""

    begun_at: datetime
    computed_at: datetime | None


@dataclass(frozen=True)
class Heard:
    """What the tables and Dagster's record say. `footage`: end of the last usable clip by store and camera; `scans`:
    the last scan by store; `days`: the store-days of the time that is looked at, and of each store the first that was
    begun and the last that was computed. None where it could not be read: not known is not fine."""

    footage: Mapping[tuple[str, str], datetime] | None
    scans: Mapping[str, datetime] | None
    days: Mapping[StoreDay, DayRecord] | None


def store_freshness(
    stores: pl.DataFrame,
    cameras: pl.DataFrame,
    heard: Heard,
    now: datetime,
    settings: FreshnessSettings = _SETTINGS,
) -> pl.DataFrame:
    """One row per camera, one for the scans of each store, one for its last computed day and one for each day that is
    not computed and should be. `stores`, `cameras`: rows of the reference tables.

    A simulated store delivers finished days, whenever somebody makes one: its silence is called `simulated`, and a day
    of which nothing has landed is none. What of it is not computed, or could not be read, is said as of any other."""
    rows: list[Row] = []
    for store in stores.sort("store_id").iter_rows(named=True):
        cameras_of_it = cameras.filter(pl.col("store_id") == store["store_id"])["camera_id"].unique().sort()
        found = _of_store(store, cameras_of_it, heard, now, settings)
        rows += map(_of_simulated, found) if store["is_simulated"] else found
    return pl.DataFrame(rows, STORE_FRESHNESS.schema).sort(STORE_FRESHNESS.key)


def _of_store(
    store: Mapping[str, Any], cameras: Iterable[str], heard: Heard, now: datetime, settings: FreshnessSettings
) -> Iterator[Row]:
    store_id, hours = store["store_id"], _hours(store["opens_at"], store["closes_at"])
    for camera_id in cameras:
        last = _get(heard.footage, (store_id, camera_id))
        state = _state(hours if heard.footage is not None else None, last, settings.camera_silent_after, now)
        yield _row(store_id, "footage", state, last, camera_id=camera_id)
    last = _get(heard.scans, store_id)
    state = _state(hours if heard.scans is not None else None, last, settings.scans_silent_after, now)
    yield _row(store_id, "gate_events", state, last)
    yield from _days(store_id, heard.days, now, settings, only_landed=store["is_simulated"])


def _of_simulated(row: Row) -> Row:
    return row | {"state": "simulated"} if row["state"] in ("fresh", "silent", "never") else row


def _get(found: Mapping[Key, datetime] | None, key: Key) -> datetime | None:
    return None if found is None else found.get(key)


def _hours(opens: str, closes: str) -> OpeningHours | None:
    """None for what is no time: one store's row stops no other's."""
    try:
        return OpeningHours.of(opens, closes)
    except ValueError:
        return None


def _state(hours: OpeningHours | None, last: datetime | None, limit: timedelta, now: datetime) -> str:
    """`hours` None: nothing is known."""
    if hours is None:
        return "unknown"
    if last is None:
        return "never"
    return "silent" if hours.open_between(last, now) > limit else "fresh"


def _days(
    store_id: str,
    days: Mapping[StoreDay, DayRecord] | None,
    now: datetime,
    settings: FreshnessSettings,
    *,
    only_landed: bool,
) -> Iterator[Row]:
    if days is None:
        yield _row(store_id, "orders", "unknown", None)
        return
    mine = {day: record for day, record in days.items() if day.store_id == store_id}
    if not mine:
        yield _row(store_id, "orders", "never", None)
        return
    for day in _dates(store_id, min(mine), now, settings):
        if (day in mine or not only_landed) and _is_late(day, mine.get(day), now, settings.computed_within):
            yield _row(store_id, "orders", "not_computed", None, business_date=day.business_date.isoformat())
    if computed := max((day for day, record in mine.items() if record.computed_at), default=None):
        last = mine[computed].computed_at
        yield _row(store_id, "orders", "fresh", last, business_date=computed.business_date.isoformat())


def _dates(store_id: str, first: StoreDay, now: datetime, settings: FreshnessSettings) -> Iterable[StoreDay]:
    today = StoreDay.of_instant(store_id, now).business_date
    back = (StoreDay(store_id, today - n * _DAY) for n in range(settings.days_back + 1))
    return [day for day in back if day >= first]


def _is_late(day: StoreDay, record: DayRecord | None, now: datetime, limit: timedelta) -> bool:
    """A day that something has landed of is due soon after that; one of which nothing has, after its end."""
    if record is not None:
        return record.computed_at is None and now - record.begun_at > limit
    return now - day.end_at > limit


def _row(
    store_id: str,
    delivery: str,
    state: str,
    last_at: datetime | None,
    *,
    camera_id: str = "",
    business_date: str = "",
) -> Row:
    return {
        "store_id": store_id,
        "delivery": delivery,
        "camera_id": camera_id,
        "business_date": business_date,
        "state": state,
        "last_at": last_at,
    }
