"""Every declared check is counted, and each that did not pass is named: what is not known is not passed."""

# No postponed annotations here: Dagster reads those of `context` when the decorator runs.

import io

import dagster as dg
import pytest
from rich.console import Console

from orchestration.report.check_outcomes import CheckOutcome, State, counts_of, outcomes_of, show


@dg.asset(
    check_specs=[
        dg.AssetCheckSpec("good", asset="table"),
        dg.AssetCheckSpec("doubtful", asset="table"),
        dg.AssetCheckSpec("bad", asset="table", description="Nothing is bad."),
    ]
)
def table(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
    if context.run.tags.get("cut_off"):
        raise RuntimeError("before any check")
    yield dg.MaterializeResult()
    yield dg.AssetCheckResult(check_name="good", passed=True)
    yield dg.AssetCheckResult(check_name="doubtful", passed=False, severity=dg.AssetCheckSeverity.WARN)
    yield dg.AssetCheckResult(check_name="bad", passed=False, description="at most 0", metadata={"count": 7})


def outcomes(instance: dg.DagsterInstance) -> list[CheckOutcome]:
    keys = [dg.AssetCheckKey(dg.AssetKey("table"), name) for name in ("good", "doubtful", "bad")]
    return outcomes_of(instance, keys, ())


def states(instance: dg.DagsterInstance) -> list[State]:
    return [outcome.state for outcome in outcomes(instance)]


def test_each_check_is_in_one_state() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert states(instance) == [State.NEVER_ASKED] * 3
        dg.materialize([table], instance=instance)
        assert states(instance) == [State.PASSED, State.WARNED, State.FAILED]


def test_a_run_that_asked_and_did_not_say_leaves_no_old_result_standing() -> None:
    """As after two runs at once, or one that was killed: '12 passed, 0 failed' was said of 185."""
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([table], instance=instance)
        dg.materialize([table], instance=instance, raise_on_error=False, tags={"cut_off": "1"})
        assert states(instance) == [State.WITHOUT_RESULT] * 3


def test_a_table_that_was_written_without_its_checks_is_not_taken_for_an_empty_one() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("table"))
        assert states(instance) == [State.WITHOUT_RESULT] * 3


STORES = dg.StaticPartitionsDefinition(["one", "two", "three"])


@dg.asset(
    partitions_def=STORES,
    check_specs=[dg.AssetCheckSpec("sound", asset="by_store", partitions_def=STORES)],
)
def by_store(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
    if context.run.tags.get("cut_off"):
        raise RuntimeError("before any check")
    bad = int(context.run.tags.get("bad", "0"))
    yield dg.MaterializeResult()
    facts = {"count": bad, "value": 1 - bad / 10, "threshold": 0.9}
    severity = dg.AssetCheckSeverity.WARN if context.run.tags.get("soft") else dg.AssetCheckSeverity.ERROR
    yield dg.AssetCheckResult(check_name="sound", passed=bad == 0, severity=severity, metadata=facts)


def test_that_one_store_passed_hides_no_other_that_failed() -> None:
    key = dg.AssetCheckKey(dg.AssetKey("by_store"), "sound")

    def run(store: str, **tags: str) -> None:
        dg.materialize([by_store], instance=instance, partition_key=store, raise_on_error=False, tags=tags)

    def outcome(*stores: str) -> CheckOutcome:
        return outcomes_of(instance, [key], stores)[0]

    with dg.DagsterInstance.ephemeral() as instance:
        assert outcome("one", "two").state is State.NEVER_ASKED
        run("one", bad="3")
        run("two")
        failed = outcome("one", "two", "three")
        assert (failed.state, failed.partition, failed.count) == (State.FAILED, "one", 3)
        assert (failed.value, failed.threshold) == (0.7, 0.9)
        assert all(f" {number} " in shown([failed]) for number in ("3", "0.7", "0.9"))
        # What is sealed is not asked for any more.
        assert outcome("two").state is State.PASSED
        assert outcome().state is State.PASSED
        run("one")
        assert outcome("one", "two").state is State.PASSED
        run("two", cut_off="1")
        run("three", cut_off="1")
        unknown = outcome("one", "two", "three")
        assert (unknown.state, unknown.partition) == (State.WITHOUT_RESULT, "two and 1 more")
        assert "They are of two and 1 more." in shown([unknown])
        # What is known of another store-day is told all the same.
        run("one", bad="4")
        run("two")
        mixed = outcome("two", "one", "three")
        assert (mixed.state, mixed.partition, mixed.also) == (State.FAILED, "one", ())
        run("one", bad="5", soft="1")
        mixed = outcome("two", "one", "three")
        assert (mixed.state, mixed.partition) == (State.WITHOUT_RESULT, "three")
        assert [(other.state, other.partition, other.count) for other in mixed.also] == [(State.WARNED, "one", 5)]
        assert " 5 " in shown([mixed])
        assert "checks: 0 passed, 0 warn, 0 failed, 1 without a result, of 1" in shown([mixed])


def shown(found: list[CheckOutcome]) -> str:
    console = Console(file=io.StringIO(), width=200)
    show(console, found, {outcome.key: "Nothing is bad." for outcome in found})
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_what_did_not_pass_is_named_with_its_count_and_its_meaning() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([table], instance=instance)
        found = outcomes(instance)
    assert (found[2].count, found[2].limits) == (7, "at most 0")
    lines = shown(found).splitlines()
    (bad,) = [line for line in lines if "table: bad" in line]
    assert all(word in bad for word in ("failed", "7", "Nothing is bad. at most 0"))
    assert any("table: doubtful" in line and "warn" in line for line in lines)
    assert not any("table: good" in line for line in lines)


@pytest.mark.parametrize(
    ("unknown", "never", "said"),
    [
        (0, 0, "12 passed, 1 warn, 0 failed, of 13"),
        (172, 0, "12 passed, 1 warn, 0 failed, 172 without a result, of 185"),
        (0, 172, "12 passed, 1 warn, 0 failed, 172 never asked (their tables are empty), of 185"),
    ],
)
def test_all_declared_checks_are_counted(unknown: int, never: int, said: str) -> None:
    def some(state: State, count: int) -> list[CheckOutcome]:
        key = dg.AssetKey(["orders", "visits"])
        return [CheckOutcome(dg.AssetCheckKey(key, f"{state}{n}"), state) for n in range(count)]

    counts = {State.PASSED: 12, State.WARNED: 1, State.WITHOUT_RESULT: unknown, State.NEVER_ASKED: never}
    found = [outcome for state, count in counts.items() for outcome in some(state, count)]
    assert counts_of(found) == said
    text = shown(found)
    assert f"checks: {said}" in text
    assert ("checks without a result: orders/visits 172" in text) == bool(unknown)
