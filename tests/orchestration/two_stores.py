"""A small platform of the shape of ours, for real runs: a table of all stores, the first table of a store-day, and what
follows it."""

# No postponed annotations here: Dagster reads those of `context` when the decorator runs.

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import dagster as dg
import polars as pl

from orchestration.jobs import ROOTS
from orchestration.unfinished import stale
from resources.steps.metadata import as_metadata
from resources.steps.partitions import STORE_DAYS, partition_key, register_store, store_day_of_key
from resources.steps.store_digests import digests_of

FIRST, SECOND = (partition_key(store_day_of_key(f"2026-11-22|{store}")) for store in ("s1", "s2"))
DAYS = (FIRST, SECOND)
STORES, SCANS, TRACKS, BASKETS = (
    dg.AssetKey(path) for path in (["orders", "stores"], ROOTS[-1].path, ["vision", "tracks"], ["orders", "baskets"])
)
OF_A_DAY = (SCANS, TRACKS, BASKETS)


@dataclass
class TwoStores:
    """`widths`: what the table of all stores holds; `tells`: whether it says whose rows are new. `failing`: store-days
    whose tracks cannot be made; `cut`: whether a run ends between a table and its check; `meanwhile`: what happens
    while tracks are made."""

    instance: dg.DagsterInstance
    widths: dict[str, float] = field(default_factory=lambda: {"s1": 4.0, "s2": 4.0})
    tells: bool = True
    failing: set[str] = field(default_factory=set)
    cut: bool = False
    meanwhile: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        for store_id in self.widths:
            register_store(self.instance, store_id)

        @dg.asset(key=STORES)
        def stores() -> dg.MaterializeResult:  # type: ignore[type-arg]
            return dg.MaterializeResult(metadata=self.facts())

        @dg.asset(key=SCANS, deps=[STORES], partitions_def=STORE_DAYS)
        def scans() -> None: ...

        sound = dg.AssetCheckSpec("sound", asset=TRACKS, partitions_def=STORE_DAYS)

        @dg.asset(key=TRACKS, deps=[STORES, SCANS], partitions_def=STORE_DAYS, check_specs=[sound])
        def tracks(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
            if context.partition_key in self.failing:
                raise dg.Failure("no camera")
            self.meanwhile()
            yield dg.MaterializeResult()
            if self.cut:
                raise dg.Failure("killed")
            yield dg.AssetCheckResult(passed=True, check_name="sound")

        @dg.asset(key=BASKETS, deps=[TRACKS], partitions_def=STORE_DAYS)
        def baskets() -> None: ...

        self.assets = [stores, scans, tracks, baskets]
        self.graph = dg.Definitions(self.assets).resolve_asset_graph()

    def facts(self) -> dict[str, dg.MetadataValue]:
        """What a materialization of the table of all stores tells."""
        frame = pl.DataFrame({"store_id": list(self.widths), "floor_width_m": list(self.widths.values())})
        return as_metadata(digests_of(frame)) if self.tells else {}

    def land(self, **widths: float) -> None:
        """The table of all stores is written by somebody else, at this moment."""
        self.widths |= widths
        self.instance.report_runless_asset_event(dg.AssetMaterialization(STORES, metadata=self.facts()))

    def deliver(self, **widths: float) -> None:
        """A run that writes the table of all stores."""
        self.widths |= widths
        assert self.run([STORES]).success

    def make(self, *days: str, assets: Collection[dg.AssetKey] = OF_A_DAY) -> list[bool]:
        """A run for each store-day. Returns which succeeded."""
        return [self.run(assets, day).success for day in days]

    def run(self, assets: Collection[dg.AssetKey], day: str | None = None) -> dg.ExecuteInProcessResult:
        """One run."""
        return dg.materialize(
            self.assets, selection=list(assets), partition_key=day, instance=self.instance, raise_on_error=False
        )

    def stale(self) -> dict[str, list[dg.AssetKey]]:
        """By store-day what is to be made again, where there is anything."""
        found = {day: stale(self.instance, self.graph, OF_A_DAY, day) for day in DAYS}
        return {day: keys for day, keys in found.items() if keys}
