"""Stores join the partitions when their first delivery is seen; a business date is a partition by itself."""

from __future__ import annotations

import dagster as dg

from resources.partitions import DATES, STORE_DAYS, STORES, partition_key, store_day_of_key

__all__ = ["DATES", "STORES", "STORE_DAYS", "partition_key", "register_store", "store_day_of_key"]


def register_store(instance: dg.DagsterInstance, store_id: str) -> bool:
    """Adds a store to the partitions. Returns whether it was new."""
    if instance.has_dynamic_partition(str(STORES.name), store_id):
        return False
    instance.add_dynamic_partitions(str(STORES.name), [store_id])
    return True
