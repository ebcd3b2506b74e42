"""What a run that was cut off, or that failed, has left undone: assets without a materialization, or with
one older than what they are made from. Asks Dagster's record, opens no table."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import dagster as dg

from orchestration.jobs import ROOTS
from resources.steps.partitions import STORES, partition_key, store_day_of_key


def begun_days(instance: dg.DagsterInstance) -> list[str]:
    """Partition keys of the store-days that any delivery has begun, oldest first."""
    stores = set(instance.get_dynamic_partitions(str(STORES.name)))
    keys = {key for root in ROOTS for key in instance.get_materialized_partitions(root)}
    days = sorted(store_day_of_key(key) for key in keys)
    return [partition_key(day) for day in days if day.store_id in stores]


def stale(
    instance: dg.DagsterInstance, graph: dg.AssetGraph, keys: Collection[dg.AssetKey], partition: str | None
) -> list[dg.AssetKey]:
    """Of the assets `keys` those to materialize again, for a store-day or (None) for what has no
    partitions. What is written by one step is stale together."""
    found: set[dg.AssetKey] = set()
    when = {key: _last(instance, graph, key, partition) for key in _with_parents(graph, keys)}
    for key in graph.toposorted_asset_keys:
        if key not in keys:
            continue
        mine, parents = when[key], graph.get(key).parent_keys
        newest = max((when[parent] for parent in parents), default=0)
        follows = key not in ROOTS and (newest > mine or not found.isdisjoint(parents))
        if mine == 0 or follows:
            found |= graph.get(key).execution_set_asset_keys & set(keys)
    return sorted(found)


def _with_parents(graph: dg.AssetGraph, keys: Iterable[dg.AssetKey]) -> set[dg.AssetKey]:
    return {parent for key in keys for parent in (key, *graph.get(key).parent_keys)}


def _last(instance: dg.DagsterInstance, graph: dg.AssetGraph, key: dg.AssetKey, partition: str | None) -> int:
    """Number of the asset's latest materialization in the event log; 0 for none."""
    is_partitioned = graph.get(key).partitions_def is not None
    chosen = [partition] if is_partitioned and partition is not None else None
    records = instance.fetch_materializations(dg.AssetRecordsFilter(key, asset_partitions=chosen), limit=1).records
    return records[0].storage_id if records else 0
