"""Takes everything that landed through every asset, in dependency order, into the instance that the UI shows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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
from orchestration.partitions import partition_key, register_store
from resources.settings import Settings


# The progress display reads the event log; the same lines on the console would tear it apart.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True)
class Step:
    """One Dagster run: a job and, for a store-day, its partition."""

    job: str
    title: str
    store_day: StoreDay | None = None


def run(settings: Settings, console: Console) -> bool:
    """Runs what is waiting and prints the summary. Returns whether every step and every blocking check passed."""
    # The definitions are imported here: the other commands of this module do without them.
    from orchestration.build import build_defs  # noqa: PLC0415
    from resources.lake import Workplace  # noqa: PLC0415

    started = time.monotonic()
    workplace = Workplace(home=str(settings.home))
    defs = build_defs({"workplace": workplace}, environment=settings.file.environment)
    instance = open_instance(settings)
    waiting = arrivals.look(settings.landing_root)
    steps = plan(waiting, known_days(settings.lake()), settings.lake())
    if not steps:
        console.print("nothing new has landed: nothing to do, nothing changed")
    for step in steps:
        if not _execute(console, instance, defs, step):
            console.print(f"[red]{step.title} failed[/red]: see the run in the UI (make ui)")
            return False
    days = known_days(settings.lake())
    latest = [day for day in days if day in waiting.store_days] or days[-1:]
    checks = [key for asset in defs.resolve_asset_graph().asset_nodes for key in asset.check_keys]
    summary.show(console, summary.summarize(settings, instance, checks, latest), time.monotonic() - started)
    _where_to_look(console, settings)
    return True


def plan(waiting: arrivals.Arrivals, known: Sequence[StoreDay], lake: Lake) -> list[Step]:
    """The runs that what waits asks for; none if nothing waits."""
    if waiting.is_empty:
        return []
    steps = [Step("reference", "reference data and history")] if waiting.has_store_wide else []
    days = {*waiting.store_days}
    if waiting.has_reviews:
        steps.append(Step("review", "reviewers' decisions"))
        days |= {day for day in known if not is_sealed(lake, day)}
    ordered = sorted(days, key=lambda day: (day.business_date, day.store_id))
    steps += [Step("store_day", f"store-day {partition_key(day)}", day) for day in ordered]
    return [*steps, Step("sweep", "sweep of what has expired"), Step("marts", "marts")]


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
    key = partition_key(step.store_day) if step.store_day else None
    if step.store_day:
        register_store(instance, step.store_day.store_id)
    succeeded: list[bool] = []

    def work() -> None:
        result = job.execute_in_process(
            instance=instance, partition_key=key, run_id=run_id, raise_on_error=False, run_config=_QUIET
        )
        succeeded.append(result.success)

    progress.follow(console, instance, run_id, step.title, len(list(_step_names(job))), work)
    return all(succeeded)


def _step_names(job: dg.JobDefinition) -> Iterator[str]:
    yield from (node.name for node in job.nodes)


def _where_to_look(console: Console, settings: Settings) -> None:
    console.print()
    console.print("[bold]Where to look next[/bold]")
    console.print("  make ui       every asset, check and picture of the day, at http://localhost:3000")
    console.print("  make review   what waits for a person's judgement")
    console.print(f"  {settings.warehouse}   the analysts' file: select * from marts.store_days")
    console.print("  docs/         data dictionary, runbooks, decisions")
