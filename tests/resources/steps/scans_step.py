"""A step of the platform with one small table, for real runs: scans of a store-day at a gate."""

# No postponed annotations here: Dagster reads those of `context` when the decorator runs.

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import dagster as dg
import polars as pl

from lakehouse.contracts.orders import GATE_EVENTS
from lakehouse.store_day import StoreDay
from resources.clock import Clock
from resources.steps.declare import table_assets
from resources.steps.partitions import STORE_DAYS, partition_key, register_store, store_day_of
from resources.steps.write_path import Report, Tables, TableWrite
from resources.workplace import Workplace

DAYS = {store_id: StoreDay(store_id, date(2026, 3, 2)) for store_id in ("good", "bad", "unread")}
"""By store what becomes of it: its rows pass, break a check, or cannot be read."""


def scans(day: StoreDay, direction: str) -> pl.DataFrame:
    row = {
        "gate_event_id": f"{day.store_id}-1",
        "store_id": day.store_id,
        "business_date": day.business_date.isoformat(),
        "account_id": "a",
        "gate_id": "g",
        "scanned_at": day.start_at + timedelta(hours=12),
        "direction": direction,
        "payment_method": "alipay",
    }
    return pl.DataFrame([row], GATE_EVENTS.schema)


@table_assets("scans", [(GATE_EVENTS, ())], partitions_def=STORE_DAYS)
def written(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    day = store_day_of(context)
    if day.store_id == "unread":
        raise RuntimeError
    frame = scans(day, "sideways" if day.store_id == "bad" else "entry")
    yield from tables.write(context, [TableWrite(GATE_EVENTS, frame)], store_day=day)


def tables(home: Path, store_id: str) -> dict[str, Tables]:
    """The step's resources, after the end of the store's day."""
    workplace, clock = Workplace(home=str(home)), Clock(fixed_at=DAYS[store_id].end_at.isoformat())
    return {"tables": Tables(workplace=workplace, clock=clock)}


def run(instance: dg.DagsterInstance, home: Path, store_id: str) -> dg.ExecuteInProcessResult:
    """A run for the store's day."""
    register_store(instance, store_id)
    return dg.materialize(
        [written],
        instance=instance,
        partition_key=partition_key(DAYS[store_id]),
        resources=tables(home, store_id),
        raise_on_error=False,
    )
