"""The partitions of everything that belongs to a store-day: business date (Asia/Shanghai) and store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import dagster as dg

from lakehouse.store_day import STORE_ZONE, StoreDay

FIRST_DATE = "2025-11-01"
STORES = dg.DynamicPartitionsDefinition(name="stores")
# Today exists as a partition: without the offset a day appears only when it is over.
DATES = dg.DailyPartitionsDefinition(start_date=FIRST_DATE, timezone=STORE_ZONE, end_offset=1)
STORE_DAYS = dg.MultiPartitionsDefinition({"date": DATES, "store": STORES})


def partition_key(store_day: StoreDay) -> str:
    """Partition key of a store-day, as 2026-11-22|s001."""
    keys = {"date": store_day.business_date.isoformat(), "store": store_day.store_id}
    return str(dg.MultiPartitionKey(keys))


def store_day_of(context: dg.AssetExecutionContext) -> StoreDay:
    """The store-day that a step is for."""
    return store_day_of_key(context.partition_key)


def store_day_of_key(key: str) -> StoreDay:
    """The inverse of `partition_key`. Raises ValueError for what is no store-day."""
    parts: Mapping[str, str] = (
        key.keys_by_dimension
        if isinstance(key, dg.MultiPartitionKey)
        else dict(zip(("date", "store"), key.split("|"), strict=True))
    )
    return StoreDay(parts["store"], date.fromisoformat(parts["date"]))


def register_store(instance: dg.DagsterInstance, store_id: str) -> bool:
    """Adds a store to the partitions. Returns whether it was new."""
    if instance.has_dynamic_partition(str(STORES.name), store_id):
        return False
    instance.add_dynamic_partitions(str(STORES.name), [store_id])
    return True
