"""What came of every declared check, as Dagster's record knows it. What is not known is not passed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import dagster as dg
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
    """One check by its latest evaluation. `count`: what broke it, None where the check did not say; `limits`: what is
    allowed, or what to do."""

    key: dg.AssetCheckKey
    state: State
    partition: str = ""
    count: int | None = None
    limits: str = ""

    @property
    def name(self) -> str:
        """Asset and check."""
        return f"{'/'.join(self.key.asset_key.path)}: {self.key.name}"


def outcome_of(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> CheckOutcome:
    """What came of a check."""
    record = instance.get_latest_asset_check_evaluation_record(key)
    event = record.event.dagster_event if record and record.event else None
    if event is None or event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        was_written = record is not None or instance.get_latest_materialization_event(key.asset_key) is not None
        return CheckOutcome(key, State.WITHOUT_RESULT if was_written else State.NEVER_ASKED)
    evaluation = event.asset_check_evaluation_data
    soft = State.WARNED if evaluation.severity is dg.AssetCheckSeverity.WARN else State.FAILED
    count = evaluation.metadata.get("count")
    return CheckOutcome(
        key,
        State.PASSED if evaluation.passed else soft,
        evaluation.partition or "",
        count.value if count is not None and isinstance(count.value, int) else None,
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


def show(console: Console, outcomes: Sequence[CheckOutcome], meanings: Mapping[dg.AssetCheckKey, str]) -> None:
    """Prints the counts; then each check that did not pass by its name, what broke it, what it means and what is
    allowed. `meanings`: the checks' own descriptions."""
    console.print(f"checks: {counts_of(outcomes)}")
    if broken := in_state(outcomes, State.FAILED, State.WARNED):
        table = Table(title="Checks that did not pass", title_justify="left", header_style="bold")
        for heading in ("check", "", "store-day", "count", "what it means"):
            table.add_column(heading, justify="right" if heading == "count" else "left", overflow="fold")
        for outcome in broken:
            meaning = meanings.get(outcome.key, "")
            words = f"{meaning} {outcome.limits}".strip() if outcome.limits not in meaning else meaning
            count = "" if outcome.count is None else str(outcome.count)
            table.add_row(outcome.name, outcome.state, outcome.partition, count, words)
        console.print(table)
        console.print("A warning stops nothing; what failed was not written. Each has its history in the UI (make ui).")
    if unknown := in_state(outcomes, State.WITHOUT_RESULT):
        tables = Counter("/".join(outcome.key.asset_key.path) for outcome in unknown)
        places = ", ".join(f"{table} {count}" for table, count in sorted(tables.items()))
        console.print(f"[red]checks without a result[/red]: {places}", highlight=False)
        console.print("A run was cut off or is still under way. Wait for it, or see it in the UI; then run again.")
