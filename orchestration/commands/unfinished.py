"""What a run that was cut off, or that failed, has left undone: assets without a materialization, or with
one older than what they are made from. Asks Dagster's record, opens no table."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import dagster as dg

from orchestration.jobs import ROOTS
from resources.steps.partitions import STORES, partition_key, store_day_of_key
from resources.steps.store_digests import is_same_for


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
    store_id = store_day_of_key(partition).store_id if partition is not None else None
    for key in graph.toposorted_asset_keys:
        if key not in keys:
            continue
        mine, parents = when[key], graph.get(key).parent_keys
        newer = [parent for parent in parents if when[parent] > mine]
        # What another store delivered into a table of all stores is nothing to this one.
        if mine and store_id is not None:
            newer = [parent for parent in newer if not _is_same(instance, graph, parent, store_id, mine)]
        follows = key not in ROOTS and (bool(newer) or not found.isdisjoint(parents))
        if mine == 0 or follows:
            found |= graph.get(key).execution_set_asset_keys & set(keys)
    return sorted(found)


def _with_parents(graph: dg.AssetGraph, keys: Iterable[dg.AssetKey]) -> set[dg.AssetKey]:
    return {parent for key in keys for parent in (key, *graph.get(key).parent_keys)}


def _is_same(instance: dg.DagsterInstance, graph: dg.AssetGraph, key: dg.AssetKey, store_id: str, since: int) -> bool:
    """Whether a table of all stores has the same rows for one of them as it had at a number of the event log."""
    if graph.get(key).partitions_def is not None:
        return False
    before = instance.fetch_materializations(dg.AssetRecordsFilter(key, before_storage_id=since), limit=1).records
    after = instance.fetch_materializations(key, limit=1).records
    told = [
        {name: entry.value for name, entry in record.asset_materialization.metadata.items()}
        for record in (*before, *after)
        if record.asset_materialization
    ]
    return bool(before) and is_same_for(store_id, told[0], told[-1])


def _last(instance: dg.DagsterInstance, graph: dg.AssetGraph, key: dg.AssetKey, partition: str | None) -> int:
    """Number of the asset's latest materialization in the event log; 0 for none."""
    is_partitioned = graph.get(key).partitions_def is not None
    chosen = [partition] if is_partitioned and partition is not None else None
    records = instance.fetch_materializations(dg.AssetRecordsFilter(key, asset_partitions=chosen), limit=1).records
    return records[0].storage_id if records else 0
