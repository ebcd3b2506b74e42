"""When each store was last heard of, as a Dagster asset."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import dagster as dg
import polars as pl

from assets.privacy.store_freshness.checks import DECLARED, check_freshness
from assets.privacy.store_freshness.rows import DayRecord, Heard
from assets.privacy.store_freshness.rows import store_freshness as rows_of
from assets.privacy.store_freshness.settings import FreshnessSettings
from lakehouse.contracts.orders import GATE_EVENTS, ORDERS
from lakehouse.contracts.privacy import STORE_FRESHNESS
from lakehouse.contracts.store_reference import CAMERAS, STORES
from lakehouse.contracts.vision import FOOTAGE_SEGMENTS, USABLE_STATUSES
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import collect, scan
from resources.clock import Clock
from resources.landing.deliveries import started_by
from resources.steps.declare import kind_and_place, table_assets
from resources.steps.partitions import partition_key, store_day_of_key
from resources.steps.specs import asset_key
from resources.steps.write_path import Report, Tables, TableWrite

Result = TypeVar("Result")


@table_assets(
    "store_freshness",
    [(STORE_FRESHNESS, (STORES, CAMERAS, FOOTAGE_SEGMENTS, GATE_EVENTS, ORDERS))],
    checks={STORE_FRESHNESS.path: DECLARED},
)
def store_freshness(context: dg.AssetExecutionContext, tables: Tables, clock: Clock) -> Iterator[Report]:
    """Asks the catalogue for the last clips, the gates for the last scans, and Dagster's record for the days. What
    cannot be read is unknown, and the rest goes on."""
    now, lake = clock.now(), tables.workplace.lake()
    stores = tables.read(STORES)
    since = now - timedelta(days=FreshnessSettings().days_back + 1)

    def attempt(what: str, read: Callable[[], Result]) -> Result | None:
        try:
            return read()
        except Exception as error:  # noqa: BLE001 - of whatever kind: its text could quote a row
            context.log.warning(f"{what} could not be read: {kind_and_place(error)}")
            return None

    heard = Heard(
        attempt(FOOTAGE_SEGMENTS.path, lambda: _last_clips(lake, now)),
        attempt(GATE_EVENTS.path, lambda: _last_scans(lake, since, now)),
        attempt("Dagster's record", lambda: _days(context.instance, set(stores["store_id"]), since)),
    )
    found = rows_of(stores, tables.read(CAMERAS), heard, now)
    facts = {f"places_{state}": count for state, count in found["state"].value_counts().iter_rows()}
    real = stores.filter(~pl.col("is_simulated"))["store_id"]
    results = check_freshness(found.filter(pl.col("store_id").is_in(real.implode())))
    write = TableWrite(STORE_FRESHNESS, found, results, facts, may_empty=True)
    yield from tables.write(context, [write])


def _last_clips(lake: Lake, now: datetime) -> dict[tuple[str, str], datetime]:
    """End of each camera's last usable clip. What is dated later than now says nothing of now."""
    rows = scan(lake, FOOTAGE_SEGMENTS).filter(pl.col("status").is_in(USABLE_STATUSES), pl.col("captured_at") <= now)
    last = rows.group_by("store_id", "camera_id").agg(pl.col("ended_at").max())
    return {(store, camera): at for store, camera, at in collect(lake, FOOTAGE_SEGMENTS, last).iter_rows()}


def _last_scans(lake: Lake, since: datetime, now: datetime) -> dict[str, datetime]:
    """Each store's last scan after `since`: older ones are silence, whenever they were."""
    rows = scan(lake, GATE_EVENTS).filter(pl.col("scanned_at").is_between(since, now))
    last = rows.group_by("store_id").agg(pl.col("scanned_at").max())
    return dict(collect(lake, GATE_EVENTS, last).iter_rows())


def _days(instance: dg.DagsterInstance, stores: set[str], since: datetime) -> dict[StoreDay, DayRecord]:
    """Store-days that ended after `since`, and of each store the first that was begun and the last that was computed.
    By the numbers of the event log: orders are of what was taken in before them."""
    materialized = dg.DagsterEventType.ASSET_MATERIALIZATION
    begun: dict[str, tuple[int, dg.AssetKey]] = {}
    for root in (dg.AssetKey(delivery.consumer) for delivery in started_by("store_day")):
        for key, number in instance.get_latest_storage_id_by_partition(root, materialized).items():
            begun[key] = max(begun.get(key, (0, root)), (number, root))
    made = instance.get_latest_storage_id_by_partition(asset_key(ORDERS), materialized)
    days = {day: begun[key] for key in begun if (day := store_day_of_key(key)).store_id in stores}
    computed = {day for day, (number, _) in days.items() if made.get(partition_key(day), 0) > number}
    first = {day.store_id: day for day in sorted(days, reverse=True)}
    last = {day.store_id: day for day in sorted(computed)}
    wanted = {day for day in days if day.end_at > since} | {*first.values(), *last.values()}
    return {
        day: DayRecord(
            _when(instance, days[day][1], day), _when(instance, asset_key(ORDERS), day) if day in computed else None
        )
        for day in wanted
    }


def _when(instance: dg.DagsterInstance, key: dg.AssetKey, day: StoreDay) -> datetime:
    wanted = dg.AssetRecordsFilter(key, asset_partitions=[partition_key(day)])
    (record,) = instance.fetch_materializations(wanted, limit=1).records
    return datetime.fromtimestamp(record.timestamp, UTC)
