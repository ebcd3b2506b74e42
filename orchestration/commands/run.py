"""Takes everything that landed through every asset, in dependency order, into the instance that the UI shows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import dagster as dg
import polars as pl
from rich.console import Console
from rich.markup import escape

from lakehouse.contracts import CONTRACTS, contract
from lakehouse.errors import LakehouseError
from lakehouse.lake import Lake
from lakehouse.leases.holder import THIS_PROCESS
from lakehouse.life.seals import is_sealed
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan
from lakehouse.tables.snapshot import unusable
from orchestration import arrivals
from orchestration.arrivals import Arrivals
from orchestration.commands import progress
from orchestration.commands.cut_off_runs import end_cut_off_runs
from orchestration.report import deliveries, freshness, summary
from orchestration.report.check_outcomes import State, in_state
from orchestration.runs.dead_runs import end_dead_runs, locks_of
from orchestration.runs.instance import open_instance
from orchestration.runs.locks import hold
from orchestration.runs.queue import LANE_TAG, lane_of
from orchestration.runs.records import explained
from orchestration.runs.stopping import Stopped, in_order
from orchestration.runs.waits import waits_for
from orchestration.unfinished import begun_days, open_days, stale
from resources.clock import Clock
from resources.lock_file import Taken, alone
from resources.preflight import NotReady, check_home, check_lake, check_model
from resources.settings import Settings
from resources.steps.declare import kind_and_place
from resources.steps.partitions import partition_key, register_store, store_day_of_key

Result = TypeVar("Result")

# The progress display reads the event log; the same lines on the console would tear it apart.
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
# The next `orchestration run` does again what was cut off; the daemon knows no code location for it.
_NOT_BY_THE_DAEMON = {"dagster/max_retries": "0"}


@dataclass(frozen=True)
class Step:
    """One Dagster run: a job, for a store-day its partition, and the assets if not all of them."""

    job: str
    title: str
    partition: str | None = None
    assets: tuple[dg.AssetKey, ...] = ()


_SWEEP = Step("sweep", "what has reached the end of its life")
_DELIVERIES = Step("deliveries", "what was refused, is stuck or did not come")


@dataclass(frozen=True)
class _Session:
    """One call of `run`: where it works, and what has failed so far. One failure stops nothing else."""

    console: Console
    settings: Settings
    instance: dg.DagsterInstance
    defs: dg.Definitions
    failed: list[str] = field(default_factory=list)

    def attempt(self, what: str, do: Callable[[], Result], otherwise: Result) -> Result:
        """The result of `do`, or `otherwise` if it raised; then the failure is named and counted."""
        try:
            return do()
        except (LakehouseError, NotReady) as error:
            self.fail(what, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the rest goes on
            self.fail(what, explained(self.settings, error) or kind_and_place(error))
        return otherwise

    def holds(self, what: str, check: Callable[[Settings], None]) -> bool:
        """Whether what a check asks for is there; if not, that is named and counted."""

        def asked() -> bool:
            check(self.settings)
            return True

        return self.attempt(what, asked, False)

    def look(self) -> Arrivals:
        """What waits in the landing folder; nothing, if that cannot be found out."""
        root = self.settings.landing_root
        return self.attempt("looking into the landing folder", lambda: arrivals.look(root, Clock().now()), Arrivals())

    def fail(self, what: str, why: str) -> None:
        self.failed.append(what)
        self.console.print(f"[red]{escape(what)} failed[/red]: {escape(why)}", highlight=False)

    def do(self, step: Step) -> None:
        why = self.attempt(step.title, lambda: _execute(self.console, self.instance, self.defs, step), None)
        if why:
            self.fail(step.title, why)


def run(settings: Settings, console: Console) -> bool:
    """Sweeps, runs what is waiting or was left undone, and prints the summary. Whatever fails is named, and stops
    nothing else. Returns whether everything, with every blocking check, passed."""
    # The definitions are imported here: the other commands of this module do without them.
    from orchestration.build import build_defs
    from resources.workplace import Workplace

    started = time.monotonic()
    instance = open_instance(settings)
    workplace = Workplace(home=str(settings.home))
    defs = build_defs({"workplace": workplace}, environment=settings.file.environment)
    session = _Session(console, settings, instance, defs)
    if not end_cut_off_runs(settings, instance, console):
        session.failed.append("ending what was cut off")
    # Said first, for whoever waits: without it the sweep reaches only what lies on this machine.
    has_lake = session.holds("the lake", check_lake)
    # Before anything looks at what has landed: deletion depends on nothing that a store delivers.
    session.do(_SWEEP)
    if has_lake:
        session.attempt("the run", lambda: _run_alone(session, started), None)
    if session.failed:
        console.print(f"[red]failed[/red]: {escape('; '.join(dict.fromkeys(session.failed)))}", highlight=False)
        console.print("Every run with all its checks is in the UI (make ui).")
    return not session.failed


def _run_alone(session: _Session, started: float) -> None:
    """Everything but the sweep, which waits for nobody. Raises NotReady if another process does the same already: each
    would count what the other has not finished."""
    try:
        with alone(session.settings.dagster_home / "orchestration_run.lock"):
            _work_off(session, started)
    except Taken as taken:
        raise NotReady(f"{taken} is running on this home, too: wait until it has ended, then run again") from None


def _work_off(session: _Session, started: float) -> None:
    settings, console = session.settings, session.console
    # A disk without room, or a folder that cannot be written, would fail step after step.
    is_ready = session.holds("the home", check_home) & session.holds("the detector's network", _check_network)
    waiting = session.look() if is_ready else Arrivals()
    done = 0
    for title, decide in _decisions(session, waiting) if is_ready else ():
        if step := session.attempt(title, decide, None):
            done += 1
            session.do(step)
    # After everything that reads the landing folder: what is left in it was refused, or is stuck.
    session.do(_DELIVERIES)
    if not done and not session.failed:
        console.print("nothing new has landed: nothing changed but what had reached the end of its life")
    # A table that no step has read is looked at, too.
    for table, why in unusable(settings.lake(), CONTRACTS.values()).items():
        session.fail(table, why)
    session.attempt("the summary", lambda: _summarize(session, waiting, started), None)


def _check_network(settings: Settings) -> None:
    from assets.vision.detection.networks import check_shipped

    check_model(settings)
    if not settings.file.detector.model_path:
        check_shipped()


def _decisions(session: _Session, waiting: Arrivals) -> Iterator[tuple[str, Callable[[], Step | None]]]:
    """The runs that may be to do, one after the other, each by its title; whether it is to do is found out when its
    turn comes, for what is stale depends on those before."""
    settings, instance, graph = session.settings, session.instance, session.defs.resolve_asset_graph()

    def is_stale(job: str) -> bool:
        return bool(stale(instance, graph, _keys_of(session.defs, job), None))

    def unfinished_day(key: str) -> Step | None:
        if is_sealed(settings.lake(), store_day_of_key(key)):
            return None
        undone = stale(instance, graph, _keys_of(session.defs, "store_day"), key)
        return Step("store_day", f"store-day {key}", key, tuple(undone)) if undone else None

    def landed_day(store_day: StoreDay) -> Step:
        register_store(instance, store_day.store_id)
        key = partition_key(store_day)
        return Step("store_day", f"store-day {key}", key)

    def whole(job: str, title: str, is_due: Callable[[], bool]) -> tuple[str, Callable[[], Step | None]]:
        return title, lambda: Step(job, title) if is_due() else None

    yield whole("reference", "reference data and history", lambda: waiting.has_store_wide or is_stale("reference"))
    yield whole("review", "reviewers' decisions", lambda: waiting.has_reviews or is_stale("review"))
    # Anew: what belongs to no store with reference data has been refused by now.
    days = session.look().store_days
    landed = [partition_key(day) for day in days]
    for store_day, key in zip(days, landed, strict=True):
        yield f"store-day {key}", partial(landed_day, store_day)
    nothing: list[str] = []
    for key in session.attempt("the store-days begun earlier", lambda: begun_days(instance), nothing):
        if key not in landed:
            yield f"store-day {key}", partial(unfinished_day, key)
    yield whole("warehouse", "marts", lambda: is_stale("warehouse") or bool(_wrong_with_marts(session)))
    # What was made above may have sealed a day, or be due already: late footage is.
    yield _SWEEP.title, lambda: _SWEEP if waiting.store_days or is_stale(_SWEEP.job) else None


def _summarize(session: _Session, waiting: Arrivals, started: float) -> None:
    lake, nothing = session.settings.lake(), list[StoreDay]()
    days = session.attempt("the list of store-days", lambda: known_days(lake), nothing)
    latest = [day for day in days if day in waiting.store_days] or days[-1:]
    graph = session.defs.resolve_asset_graph()
    checks = [key for asset in graph.asset_nodes for key in asset.check_keys]

    no_keys: list[str] = []
    still_open = session.attempt("the list of open store-days", lambda: open_days(session.instance, lake), no_keys)

    def summarize(days: Sequence[StoreDay]) -> summary.RunSummary:
        return summary.summarize(session.settings, session.instance, checks, days, still_open)

    # Of a day with a damaged table there are no numbers; what came of the checks is said all the same.
    found = session.attempt("the numbers of the store-days", lambda: summarize(latest), None) or summarize(())
    meanings = {node.key: node.description or "" for node in graph.asset_check_nodes}
    summary.show(session.console, found, time.monotonic() - started, meanings)
    session.attempt("the list of stores", lambda: freshness.show(session.console, lake), None)
    session.attempt("the list of deliveries", lambda: deliveries.show(session.console, lake), None)
    if broken := in_state(found.checks, State.FAILED):
        session.fail("checks", ", ".join(outcome.name for outcome in broken))
    if unknown := in_state(found.checks, State.WITHOUT_RESULT):
        session.fail("checks", f"{len(unknown)} have no result")
    if wrong := _wrong_with_marts(session):
        session.fail("the analysts' file", f"{wrong}; see docs/runbooks/failed-mart-build.md")
    _where_to_look(session.console, session.settings, has_marts=not wrong)


def _wrong_with_marts(session: _Session) -> str:
    from assets.analytics.marts.warehouse import what_is_wrong  # loads DuckDB

    return what_is_wrong(session.settings.warehouse, [key.path[-1] for key in _keys_of(session.defs, "warehouse")])


def _keys_of(defs: dg.Definitions, job: str) -> list[dg.AssetKey]:
    return sorted(defs.resolve_job_def(job).asset_layer.executable_asset_keys)


def known_days(lake: Lake) -> list[StoreDay]:
    """Store-days that have visits, oldest first."""
    pairs = scan(lake, contract("orders", "visits")).select("store_id", "business_date").unique().collect()
    days = [StoreDay(store_id, day) for store_id, day in pairs.with_columns(_as_date()).iter_rows()]
    return sorted(days, key=lambda day: (day.business_date, day.store_id))


def _as_date() -> pl.Expr:
    return pl.col("business_date").str.to_date()


def _execute(console: Console, instance: dg.DagsterInstance, defs: dg.Definitions, step: Step) -> str | None:
    """Executes one run in this process. Returns why it failed, or None."""
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
            tags={LANE_TAG: lane_of(step.job, chosen).value, **_NOT_BY_THE_DAEMON},
            # Named one by one, so that the automation conditions know that this run makes what follows, too.
            asset_selection=sorted(chosen),
        )
        succeeded.append(result.success)

    def waits(is_working: bool) -> str | None:
        if not is_working:
            # Whoever holds the place may have died since this run began.
            end_dead_runs(instance, Clock().now())
        return waits_for(instance, run_id)

    graph = defs.resolve_asset_graph()
    count = len({frozenset(graph.get(key).execution_set_asset_keys) for key in chosen})
    THIS_PROCESS.run_id = run_id
    with hold(locks_of(instance), run_id):
        try:
            progress.follow(console, instance, run_id, step.title, count, work, waits)
        except Stopped:
            in_order(lambda: _cancel(instance, run_id))
            raise
    return None if all(succeeded) else _reason(instance, run_id)


def _cancel(instance: dg.DagsterInstance, run_id: str) -> None:
    run = instance.get_run_by_id(run_id)
    if run is not None and not run.is_finished:
        instance.report_run_canceled(run, "Stopped by a signal; the next run goes on from here.")
    instance.event_log_storage.free_concurrency_slots_for_run(run_id)


def _reason(instance: dg.DagsterInstance, run_id: str) -> str:
    """Which steps of a run failed, and what they said of it: counts and places only, as everywhere."""
    found = []
    for record in instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records:
        event = record.event_log_entry.dagster_event
        failure = event.step_failure_data if event else None
        said = failure.user_failure_data.description if failure and failure.user_failure_data else "failed"
        found.append(f"{event.step_key if event else ''}: {said}")
    return "; ".join(found) or "no step failed by itself"


def _where_to_look(console: Console, settings: Settings, *, has_marts: bool) -> None:
    console.print()
    console.print("[bold]Where to look next[/bold]")
    console.print("  make ui       every asset, check and picture of the day, at http://localhost:3000")
    console.print("  make review   what waits for a person's judgement")
    if has_marts:
        console.print(f"  {settings.warehouse}   the analysts' file: select * from marts.store_days")
    console.print("  docs/         data dictionary, runbooks, decisions")
