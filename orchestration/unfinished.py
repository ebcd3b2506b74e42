"""What is to be made again: what a run that was cut off, or that failed, has left undone, and what is older than its
sources. `orchestration run` and the daemon ask the same. Asks Dagster's record, opens no table."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import dagster as dg
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Recorded

from lakehouse.lake import Lake
from lakehouse.life.seals import sealed_days
from orchestration.jobs import ROOTS
from orchestration.materializations import Materialization, newest
from resources.steps.partitions import STORES, partition_key, store_day_of_key
from resources.steps.store_digests import is_same_for


def begun_days(instance: dg.DagsterInstance) -> list[str]:
    """Partition keys of the store-days that any delivery has begun, oldest first."""
    stores = set(instance.get_dynamic_partitions(str(STORES.name)))
    keys = {key for root in ROOTS for key in instance.get_materialized_partitions(root)}
    days = sorted(store_day_of_key(key) for key in keys)
    return [partition_key(day) for day in days if day.store_id in stores]


def open_days(instance: dg.DagsterInstance, lake: Lake) -> list[str]:
    """Of the days begun those that are not sealed: a run can still change them."""
    sealed = set(sealed_days(lake))
    return [key for key in begun_days(instance) if store_day_of_key(key) not in sealed]


def stale(
    instance: dg.DagsterInstance, graph: dg.BaseAssetGraph, keys: Collection[dg.AssetKey], partition: str | None
) -> list[dg.AssetKey]:
    """Of the assets `keys` those to materialize again, for a store-day or (None) for what has no
    partitions. What is written by one step is stale together."""
    record = _Materializations(instance, graph, partition)
    undone = _without_result(instance, graph, keys, partition)
    found: set[dg.AssetKey] = set()

    def follows(key: dg.AssetKey) -> bool:
        parents, mine = graph.get(key).parent_keys, record.newest(key)
        return key not in ROOTS and (
            not found.isdisjoint(parents) or any(record.has_changed(parent, mine.saw(parent)) for parent in parents)
        )

    for key in graph.toposorted_asset_keys:
        if key in keys and (record.newest(key).number == 0 or key in undone or follows(key)):
            found |= graph.get(key).execution_set_asset_keys & set(keys)
    return sorted(found)


def has_news(
    instance: dg.DagsterInstance, graph: dg.BaseAssetGraph, keys: Iterable[dg.AssetKey], partition: str
) -> bool:
    """Whether a table of all stores has other rows for the store than when a run was last asked for one of the assets
    `keys` of its store-day. If not, that run has seen what there is to see, and has failed or will come."""
    record = _Materializations(instance, graph, partition)
    for key in keys:
        asked = instance.get_latest_planned_materialization_info(key, partition)
        since = asked.storage_id if asked else 0
        shared = [parent for parent in graph.get(key).parent_keys if is_of_all_stores(graph, parent)]
        if any(record.has_changed(parent, since) for parent in shared):
            return True
    return False


def is_of_all_stores(graph: dg.BaseAssetGraph, key: dg.AssetKey) -> bool:
    """Whether an asset that a store-day is made from is of no store-day: a table that holds all stores."""
    return graph.get(key).partitions_def is None


class _Materializations:
    """Those of a store-day, or (None) of what has no partitions; each is read once."""

    def __init__(self, instance: dg.DagsterInstance, graph: dg.BaseAssetGraph, partition: str | None) -> None:
        self._instance = instance
        self._graph = graph
        self._partition = partition
        self._read: dict[tuple[dg.AssetKey, int | None], Materialization] = {}

    def newest(self, key: dg.AssetKey, up_to: int | None = None) -> Materialization:
        """The asset's newest, or the newest up to a number of the event log."""
        if (key, up_to) not in self._read:
            partition = None if is_of_all_stores(self._graph, key) else self._partition
            self._read[key, up_to] = newest(self._instance, key, partition, up_to)
        return self._read[key, up_to]

    def has_changed(self, key: dg.AssetKey, since: int) -> bool:
        """Whether an asset was materialized after a number of the event log, and not only for other stores: a store's
        rows in a table of all stores may be the same as before."""
        after = self.newest(key)
        if after.number <= since:
            return False
        if self._partition is None or not is_of_all_stores(self._graph, key):
            return True
        before = self.newest(key, up_to=since)
        return not is_same_for(store_day_of_key(self._partition).store_id, before.told, after.told)


def _without_result(
    instance: dg.DagsterInstance, graph: dg.BaseAssetGraph, keys: Collection[dg.AssetKey], partition: str | None
) -> set[dg.AssetKey]:
    """Assets with a declared check of which no result came: the run was cut off before it could say one. That of a run
    under way may still come."""
    checks = [check for key in keys for check in graph.get(key).check_keys]
    chosen = None if partition is None else PartitionKeyFilter(key=partition)
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(checks, partition_filter=chosen)
    asking = {record.run_id for record in latest.values() if record.status is Recorded.PLANNED}
    runs = {run_id: instance.get_run_by_id(run_id) for run_id in asking}
    under_way = {run_id for run_id, run in runs.items() if run is not None and not run.is_finished}

    def is_open(check: dg.AssetCheckKey) -> bool:
        record = latest.get(check)
        return record is None or (record.status is Recorded.PLANNED and record.run_id not in under_way)

    return {check.asset_key for check in checks if is_open(check)}
