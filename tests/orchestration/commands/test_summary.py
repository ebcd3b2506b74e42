"""The summary counts every declared check: what is not known is not passed."""

# No postponed annotations here: Dagster reads those of `context` when the decorator runs.

import io

import dagster as dg
import pytest
from rich.console import Console

from orchestration.commands.summary import RunSummary, check_state, counts_of, show


@dg.asset(
    check_specs=[
        dg.AssetCheckSpec("good", asset="table"),
        dg.AssetCheckSpec("doubtful", asset="table"),
        dg.AssetCheckSpec("bad", asset="table"),
    ]
)
def table(context: dg.AssetExecutionContext):  # type: ignore[no-untyped-def]
    if context.run.tags.get("cut_off"):
        raise RuntimeError("before any check")
    yield dg.MaterializeResult()
    yield dg.AssetCheckResult(check_name="good", passed=True)
    yield dg.AssetCheckResult(check_name="doubtful", passed=False, severity=dg.AssetCheckSeverity.WARN)
    yield dg.AssetCheckResult(check_name="bad", passed=False)


def states(instance: dg.DagsterInstance) -> list[str]:
    keys = [dg.AssetCheckKey(dg.AssetKey("table"), name) for name in ("good", "doubtful", "bad")]
    return [check_state(instance, key) for key in keys]


def test_each_check_is_in_one_state() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert states(instance) == ["never asked"] * 3
        dg.materialize([table], instance=instance)
        assert states(instance) == ["passed", "warned", "failed"]


def test_a_run_that_asked_and_did_not_say_leaves_no_old_result_standing() -> None:
    """As after two runs at once, or one that was killed: '12 passed, 0 failed' was said of 185."""
    with dg.DagsterInstance.ephemeral() as instance:
        dg.materialize([table], instance=instance)
        dg.materialize([table], instance=instance, raise_on_error=False, tags={"cut_off": "1"})
        assert states(instance) == ["without a result"] * 3


def test_a_table_that_was_written_without_its_checks_is_not_taken_for_an_empty_one() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization("table"))
        assert states(instance) == ["without a result"] * 3


def shown(found: RunSummary) -> str:
    console = Console(file=io.StringIO(), width=200)
    show(console, found, 1.0)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("unknown", "never", "said"),
    [
        (0, 0, "12 passed, 1 warn, 0 failed, of 13"),
        (172, 0, "12 passed, 1 warn, 0 failed, 172 without a result, of 185"),
        (0, 172, "12 passed, 1 warn, 0 failed, 172 never asked (their tables are empty), of 185"),
    ],
)
def test_all_declared_checks_are_counted(unknown: int, never: int, said: str) -> None:
    keys = tuple(dg.AssetCheckKey(dg.AssetKey(["orders", "visits"]), f"c{n}") for n in range(unknown))
    found = RunSummary((), 12, 0, 1, keys, never, None, {})
    assert counts_of(found) == said
    text = shown(found)
    assert f"checks: {said}" in text
    assert ("checks without a result: orders/visits 172" in text) == bool(unknown)
