"""What is to be made again: a store's own reference data make its days again, another store's do not."""

from __future__ import annotations

import dagster as dg
import polars as pl

from orchestration.commands.unfinished import stale
from resources.steps.metadata import as_metadata
from resources.steps.partitions import STORE_DAYS, partition_key, register_store, store_day_of_key
from resources.steps.store_digests import digests_of

DAYS = ("2026-11-22|s1", "2026-11-22|s2")


def test_only_the_store_whose_reference_data_changed_is_stale() -> None:
    widths = {"s1": 4.0, "s2": 4.0}
    tells = [True]

    @dg.asset
    def stores() -> dg.MaterializeResult:  # type: ignore[type-arg]
        frame = pl.DataFrame({"store_id": list(widths), "floor_width_m": list(widths.values())})
        return dg.MaterializeResult(metadata=as_metadata(digests_of(frame)) if tells[0] else {})

    @dg.asset(deps=[stores], partitions_def=STORE_DAYS)
    def tracks() -> None: ...

    instance = dg.DagsterInstance.ephemeral()
    for store in widths:
        register_store(instance, store)
    keys = [key for key in STORE_DAYS.get_partition_keys(dynamic_partitions_store=instance) if key in DAYS]
    assert sorted(partition_key(store_day_of_key(key)) for key in keys) == sorted(DAYS)
    graph = dg.Definitions([stores, tracks]).resolve_asset_graph()

    def deliver() -> list[str]:
        dg.materialize([stores], instance=instance)
        return [key for key in DAYS if stale(instance, graph, [tracks.key], key)]

    def make() -> None:
        for key in DAYS:
            dg.materialize([stores, tracks], selection=[tracks], partition_key=key, instance=instance)

    assert deliver() == list(DAYS), "never made"
    make()
    assert deliver() == [], "delivered again as it was"
    widths["s2"] = 5.0
    assert deliver() == [DAYS[1]]
    assert deliver() == [DAYS[1]], "still, until it is made"
    make()
    widths["s3"] = 1.0
    assert deliver() == []
    tells[0] = False
    assert deliver() == list(DAYS), "nothing tells"
