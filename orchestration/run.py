"""Takes everything that landed through every asset, in dependency order, into the instance that the UI shows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import polars as pl
from rich.console import Console

from lakehouse.contracts import contract
from lakehouse.lake import Lake
from lakehouse.reader import scan
from lakehouse.seals import is_sealed
from lakehouse.store_day import StoreDay
from orchestration import arrivals, progress, summary
from orchestration.instance import open_instance
from orchestration.partitions import partition_key, register_store, store_day_of_key
from orchestration.unfinished import begun_days, stale
from resources.settings import Settings

_DECISIONS = dg.AssetKey(["orders", "review_decisions"])
_SWEEPS = dg.AssetKey(["privacy", "sweeps"])
# The progress display reads the event log; the same lines on the console would tear it apart.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Step:
    """One Dagster run: a job, for a store-day its partition, and the assets if not all of them."""

    job: str
    title: str
    partition: str | None = None
    assets: tuple[dg.AssetKey, ...] = ()


def run(settings: Settings, console: Console) -> bool:
    """Runs what is waiting or was left undone, and prints the summary. Returns whether every step and every blocking
    check passed."""
    # The definitions are imported here: the other commands of this module do without them.
    from orchestration.build import build_defs
    from resources.lake import Workplace

    started = time.monotonic()
    workplace = Workplace(home=str(settings.home))
    defs = build_defs({"workplace": workplace}, environment=settings.file.environment)
    instance = open_instance(settings)
    waiting = arrivals.look(settings.landing_root, datetime.now(UTC))
    done = 0
    for step in steps(settings, instance, defs, waiting):
        done += 1
        if not _execute(console, instance, defs, step):
            console.print(f"[red]{step.title} failed[/red]: {_reason(instance)}")
            console.print("The run with all its checks is in the UI (make ui).")
            return False
    if not done:
        console.print("nothing new has landed: nothing to do, nothing changed")
    days = known_days(settings.lake())
    latest = [day for day in days if day in waiting.store_days] or days[-1:]
    checks = [key for asset in defs.resolve_asset_graph().asset_nodes for key in asset.check_keys]
    summary.show(console, summary.summarize(settings, instance, checks, latest), time.monotonic() - started)
    _where_to_look(console, settings)
    return True


def steps(
    settings: Settings, instance: dg.DagsterInstance, defs: dg.Definitions, waiting: arrivals.Arrivals
) -> Iterator[Step]:
    """The runs to do, one after the other: what is stale is looked up when its turn comes. None if nothing waits and
    nothing was left undone."""
    graph, lake = defs.resolve_asset_graph(), settings.lake()
    reference = _keys_of(defs, "reference")
    if waiting.has_store_wide or stale(instance, graph, reference, None):
        yield Step("reference", "reference data and history")
    if waiting.has_reviews or stale(instance, graph, [_DECISIONS], None):
        yield Step("review", "reviewers' decisions")
    # Anew: what belongs to no store with reference data has been refused by now.
    landed = []
    for day in arrivals.look(settings.landing_root, datetime.now(UTC)).store_days:
        register_store(instance, day.store_id)
        landed.append(partition_key(day))
    for key in landed:
        yield Step("store_day", f"store-day {key}", key)
    for key in begun_days(instance):
        if key in landed or is_sealed(lake, store_day_of_key(key)):
            continue
        if undone := stale(instance, graph, _keys_of(defs, "store_day"), key):
            yield Step("store_day", f"store-day {key}", key, tuple(undone))
    if stale(instance, graph, _keys_of(defs, "warehouse"), None):
        yield Step("warehouse", "marts")
    if waiting.store_days or stale(instance, graph, [_SWEEPS], None):
        yield Step("sweep", "what has reached the end of its life")


def _keys_of(defs: dg.Definitions, job: str) -> list[dg.AssetKey]:
    return sorted(defs.resolve_job_def(job).asset_layer.executable_asset_keys)


def known_days(lake: Lake) -> list[StoreDay]:
    """Store-days that have visits, oldest first."""
    pairs = scan(lake, contract("orders", "visits")).select("store_id", "business_date").unique().collect()
    days = [StoreDay(store_id, day) for store_id, day in pairs.with_columns(_as_date()).iter_rows()]
    return sorted(days, key=lambda day: (day.business_date, day.store_id))


def _as_date() -> pl.Expr:
    return pl.col("business_date").str.to_date()


def _execute(console: Console, instance: dg.DagsterInstance, defs: dg.Definitions, step: Step) -> bool:
    job = defs.resolve_job_def(step.job)
    run_id = str(uuid.uuid4())
    chosen = set(step.assets or job.asset_layer.executable_asset_keys)
    succeeded: list[bool] = []

    def work() -> None:
        result = job.execute_in_process(
            instance=instance,
            partition_key=step.partition,
            run_id=run_id,
            raise_on_error=False,
            run_config=_QUIET,
            # Named one by one, so that the automation conditions know that this run makes what follows, too.
            asset_selection=sorted(chosen),
        )
        succeeded.append(result.success)

    graph = defs.resolve_asset_graph()
    count = len({frozenset(graph.get(key).execution_set_asset_keys) for key in chosen})
    progress.follow(console, instance, run_id, step.title, count, work)
    return all(succeeded)


def _reason(instance: dg.DagsterInstance) -> str:
    """Which steps of the latest run failed, and what they said of it: counts and places only, as everywhere."""
    last = instance.get_runs(limit=1)
    if not last:
        return "no run was recorded"
    found = []
    for record in instance.get_records_for_run(last[0].run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records:
        event = record.event_log_entry.dagster_event
        failure = event.step_failure_data if event else None
        said = failure.user_failure_data.description if failure and failure.user_failure_data else "failed"
        found.append(f"{event.step_key if event else ''}: {said}")
    return "; ".join(found) or "no step failed by itself"


def _where_to_look(console: Console, settings: Settings) -> None:
    console.print()
    console.print("[bold]Where to look next[/bold]")
    console.print("  make ui       every asset, check and picture of the day, at http://localhost:3000")
    console.print("  make review   what waits for a person's judgement")
    console.print(f"  {settings.warehouse}   the analysts' file: select * from marts.store_days")
    console.print("  docs/         data dictionary, runbooks, decisions")
