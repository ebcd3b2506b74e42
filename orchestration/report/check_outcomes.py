"""What came of every declared check, as Dagster's record knows it. What is not known is not passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import dagster as dg
from dagster._core.event_api import PartitionKeyFilter
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord
from rich.console import Console
from rich.table import Table


class State(StrEnum):
    """What is known of a check."""

    PASSED = "passed"
    WARNED = "warn"
    FAILED = "failed"
    WITHOUT_RESULT = "without a result"
    """Asked for by a run that has not said what came of it, or of a table that was written without it."""
    NEVER_ASKED = "never asked (their tables are empty)"


@dataclass(frozen=True)
class CheckOutcome:
    """One check by its latest evaluation. `partition`: the store-day of it, and how many others came to the same;
    `count`: what broke it, None where the check did not say; `value`, `threshold`: what was measured and what is
    asked, likewise; `limits`: what is allowed, or what to do."""

    key: dg.AssetCheckKey
    state: State
    partition: str = ""
    count: int | None = None
    value: float | None = None
    threshold: float | None = None
    limits: str = ""
    also: tuple[CheckOutcome, ...] = ()
    """What other store-days came to, where that is a failure or a warning: one outcome for each."""

    @property
    def name(self) -> str:
        """Asset and check."""
        return f"{'/'.join(self.key.asset_key.path)}: {self.key.name}"


_WORST_FIRST = (State.FAILED, State.WITHOUT_RESULT, State.WARNED, State.PASSED, State.NEVER_ASKED)


def outcomes_of(
    instance: dg.DagsterInstance, keys: Sequence[dg.AssetCheckKey], store_days: Iterable[str]
) -> list[CheckOutcome]:
    """What came of each check. Of one that is asked for each store-day, the worst of the latest results of
    `store_days` (partition keys): that one store passed says nothing of another."""
    latest_of = instance.event_log_storage.get_latest_asset_check_execution_by_key
    by_day = [latest_of(keys, partition_filter=PartitionKeyFilter(key=day)) for day in store_days]
    latest = latest_of(keys)
    return [_worst(instance, key, [day[key] for day in by_day if key in day] or [latest.get(key)]) for key in keys]


def _worst(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, records: Iterable[AssetCheckExecutionRecord | None]
) -> CheckOutcome:
    by_state: dict[State, list[CheckOutcome]] = {}
    for outcome in (_outcome(instance, key, record) for record in records):
        by_state.setdefault(outcome.state, []).append(outcome)
    worst, *others = (_as_one(by_state[state]) for state in _WORST_FIRST if state in by_state)
    return replace(worst, also=tuple(in_state(others, State.FAILED, State.WARNED)))


def _as_one(same: Sequence[CheckOutcome]) -> CheckOutcome:
    first = same[0]
    return replace(first, partition=f"{first.partition} and {len(same) - 1} more") if len(same) > 1 else first


def _outcome(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey, record: AssetCheckExecutionRecord | None
) -> CheckOutcome:
    event = record.event.dagster_event if record and record.event else None
    if record is None or event is None or event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        was_written = record is not None or instance.get_latest_materialization_event(key.asset_key) is not None
        partition = record.partition if record else None
        return CheckOutcome(key, State.WITHOUT_RESULT if was_written else State.NEVER_ASKED, partition or "")
    evaluation = event.asset_check_evaluation_data
    soft = State.WARNED if evaluation.severity is dg.AssetCheckSeverity.WARN else State.FAILED
    numbers = {name: entry.value for name, entry in evaluation.metadata.items() if isinstance(entry.value, int | float)}
    count = numbers.get("count")
    return CheckOutcome(
        key,
        State.PASSED if evaluation.passed else soft,
        evaluation.partition or "",
        None if count is None else int(count),
        numbers.get("value"),
        numbers.get("threshold"),
        evaluation.description or "",
    )


def counts_of(outcomes: Iterable[CheckOutcome]) -> str:
    """All of them by what is known."""
    counts = Counter(outcome.state for outcome in outcomes)
    always = (State.PASSED, State.WARNED, State.FAILED)
    known = [f"{counts[state]} {state}" for state in State if counts[state] or state in always]
    return f"{', '.join(known)}, of {counts.total()}"


def in_state(outcomes: Iterable[CheckOutcome], *states: State) -> list[CheckOutcome]:
    """Those in one of the states, by name."""
    return sorted((outcome for outcome in outcomes if outcome.state in states), key=lambda outcome: outcome.name)


_NUMBERS = ("count", "value", "threshold")


def show(console: Console, outcomes: Sequence[CheckOutcome], meanings: Mapping[dg.AssetCheckKey, str]) -> None:
    """Prints the counts; then each check that did not pass by its name, with what broke it, what was measured and
    asked, and what it means. `meanings`: the checks' own descriptions."""
    console.print(f"checks: {counts_of(outcomes)}")
    each = [one for outcome in outcomes for one in (outcome, *outcome.also)]
    if broken := in_state(each, State.FAILED, State.WARNED):
        table = Table(title="Checks that did not pass", title_justify="left", header_style="bold")
        for heading in ("check", "", "store-day", *_NUMBERS, "what it means"):
            table.add_column(heading, justify="right" if heading in _NUMBERS else "left", overflow="fold")
        for outcome in broken:
            meaning = meanings.get(outcome.key, "")
            words = f"{meaning} {outcome.limits}".strip() if outcome.limits not in meaning else meaning
            numbers = (outcome.count, outcome.value, outcome.threshold)
            told = ("" if number is None else f"{number:.4g}" for number in numbers)
            table.add_row(outcome.name, outcome.state, outcome.partition, *told, words)
        console.print(table)
        console.print("A warning stops nothing; what failed was not written. Each has its history in the UI (make ui).")
    if unknown := in_state(outcomes, State.WITHOUT_RESULT):
        tables = Counter("/".join(outcome.key.asset_key.path) for outcome in unknown)
        places = ", ".join(f"{table} {count}" for table, count in sorted(tables.items()))
        console.print(f"[red]checks without a result[/red]: {places}", highlight=False)
        if days := sorted({outcome.partition for outcome in unknown} - {""}):
            console.print(f"They are of {', '.join(days)}.", highlight=False)
        console.print("A run failed, was cut off or is under way. See it in the UI, or wait for it; then run again.")
