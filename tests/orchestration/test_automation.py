"""The automation conditions, asked by Dagster's own evaluator over small graphs of the same shape as ours."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import product
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from lakehouse.store_day import StoreDay
from orchestration.automation import evidence_changed, marts_behind
from orchestration.build import build_defs
from orchestration.jobs import ROOTS, STORE_DAY_ASSETS
from resources.steps.partitions import partition_key, register_store

DAYS = dg.DailyPartitionsDefinition(start_date="2026-11-01", timezone="Asia/Shanghai", end_offset=1)
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=SHANGHAI)


def day_graph(check_passes: bool = True) -> dg.Definitions:
    """clips -> tracks, partitioned by day; clips carry a blocking check."""

    @dg.asset(
        partitions_def=DAYS,
        check_specs=[dg.AssetCheckSpec("sound", asset="clips", blocking=True, partitions_def=DAYS)],
    )
    def clips():  # type: ignore[no-untyped-def]
        yield dg.AssetCheckResult(passed=check_passes, check_name="sound")
        if not check_passes:
            # As the write path does.
            raise dg.Failure("a blocking check failed")
        yield dg.MaterializeResult()

    @dg.asset(deps=[clips], partitions_def=DAYS, automation_condition=evidence_changed())
    def tracks() -> None: ...

    return dg.Definitions([clips, tracks])


def requested(
    defs: dg.Definitions, instance: dg.DagsterInstance, cursor: object, at: datetime
) -> tuple[set[str], object]:
    result = dg.evaluate_automation_conditions(defs, instance, evaluation_time=at, cursor=cursor)  # type: ignore[arg-type]
    return set(result.get_requested_partitions(dg.AssetKey("tracks"))), result.cursor


def materialize(defs: dg.Definitions, instance: dg.DagsterInstance, name: str, day: str) -> None:
    wanted = [asset for asset in defs.assets or () if isinstance(asset, dg.AssetsDefinition)]
    dg.materialize(wanted, instance=instance, partition_key=day, selection=[name], raise_on_error=False)


@pytest.mark.parametrize(("day", "follows"), [("2026-11-22", True), ("2026-11-21", True), ("2026-11-10", False)])
def test_late_days_follow_while_they_are_open(day: str, follows: bool) -> None:
    defs, instance = day_graph(), dg.DagsterInstance.ephemeral()
    _, cursor = requested(defs, instance, None, NOW)
    materialize(defs, instance, "clips", day)
    found, _ = requested(defs, instance, cursor, NOW)
    assert found == ({day} if follows else set())


def test_an_update_of_a_day_already_made_is_carried_on() -> None:
    defs, instance = day_graph(), dg.DagsterInstance.ephemeral()
    for name in ("clips", "tracks"):
        materialize(defs, instance, name, "2026-11-21")
    _, cursor = requested(defs, instance, None, NOW)
    materialize(defs, instance, "clips", "2026-11-21")
    found, _ = requested(defs, instance, cursor, NOW)
    assert found == {"2026-11-21"}


def test_nothing_is_made_from_what_failed_a_blocking_check() -> None:
    defs, instance = day_graph(check_passes=False), dg.DagsterInstance.ephemeral()
    _, cursor = requested(defs, instance, None, NOW)
    materialize(defs, instance, "clips", "2026-11-22")
    found, _ = requested(defs, instance, cursor, NOW)
    assert found == set()


def test_the_library_does_not_see_partitioned_checks_pass() -> None:
    """If this fails, Dagster has learnt it: then `all_deps_blocking_checks_passed()` can join the condition."""

    @dg.asset(
        partitions_def=DAYS,
        check_specs=[dg.AssetCheckSpec("sound", asset="clips", blocking=True, partitions_def=DAYS)],
    )
    def clips():  # type: ignore[no-untyped-def]
        yield dg.AssetCheckResult(passed=True, check_name="sound")
        yield dg.MaterializeResult()

    news = dg.AutomationCondition.any_deps_updated() & dg.AutomationCondition.all_deps_blocking_checks_passed()

    @dg.asset(deps=[clips], partitions_def=DAYS, automation_condition=news)
    def tracks() -> None: ...

    defs, instance = dg.Definitions([clips, tracks]), dg.DagsterInstance.ephemeral()
    _, cursor = requested(defs, instance, None, NOW)
    materialize(defs, instance, "clips", "2026-11-22")
    found, _ = requested(defs, instance, cursor, NOW)
    assert found == set()


def test_what_was_asked_for_is_not_asked_for_again() -> None:
    defs, instance = day_graph(), dg.DagsterInstance.ephemeral()
    _, cursor = requested(defs, instance, None, NOW)
    materialize(defs, instance, "clips", "2026-11-22")
    first, cursor = requested(defs, instance, cursor, NOW)
    second, _ = requested(defs, instance, cursor, NOW)
    assert (first, second) == ({"2026-11-22"}, set())


@pytest.fixture(scope="module")
def shipped() -> dg.Definitions:
    return build_defs()


def test_what_all_stores_share_starts_no_days_and_what_is_of_a_day_does(shipped: dg.Definitions) -> None:
    """Of the shipped graph. `orchestration/reruns.py` starts the days of the stores whose rows have changed."""
    graph = shipped.resolve_asset_graph()
    first, *others = (partition_key(StoreDay(store, NOW.date())) for store in ("s1", "s2"))
    shared = {parent for key in STORE_DAY_ASSETS for parent in graph.get(key).parent_keys} - {*STORE_DAY_ASSETS}
    assert {dg.AssetKey(["orders", "stores"]), dg.AssetKey(["orders", "review_decisions"])} < shared
    with dg.DagsterInstance.ephemeral() as instance:

        def tick(cursor: object) -> tuple[set[object], object]:
            result = dg.evaluate_automation_conditions(
                shipped,
                instance,
                dg.AssetSelection.assets(*STORE_DAY_ASSETS),
                evaluation_time=NOW,
                cursor=cursor,  # type: ignore[arg-type]
            )
            days = {key: result.get_requested_partitions(key) for key in STORE_DAY_ASSETS}
            return {(key, day) for key, found in days.items() for day in found}, result.cursor

        def make(keys: Iterable[dg.AssetKey], *days: str | None) -> None:
            for key, day in product(keys, days):
                instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=day))

        for store in ("s1", "s2"):
            register_store(instance, store)
        make(shared, None)
        make(STORE_DAY_ASSETS, first, *others)
        _, cursor = tick(None)
        make(shared, None)
        asked, cursor = tick(cursor)
        assert asked == set()
        make(ROOTS, first)
        asked, _ = tick(cursor)
        assert {day for _, day in asked} == {first}


def test_what_all_stores_share_is_waited_for() -> None:
    @dg.asset
    def stores() -> None: ...

    @dg.asset(partitions_def=DAYS)
    def clips() -> None: ...

    @dg.asset(deps=[stores, clips], partitions_def=DAYS, automation_condition=evidence_changed([stores.key]))
    def tracks() -> None: ...

    defs, instance = dg.Definitions([stores, clips, tracks]), dg.DagsterInstance.ephemeral()
    _, cursor = requested(defs, instance, None, NOW)
    materialize(defs, instance, "clips", "2026-11-22")
    early, cursor = requested(defs, instance, cursor, NOW)
    dg.materialize([stores], instance=instance)
    late, _ = requested(defs, instance, cursor, NOW)
    assert (early, late) == (set(), {"2026-11-22"})


def test_marts_wait_for_the_hour_and_for_news() -> None:
    @dg.asset
    def orders() -> None: ...

    @dg.asset(deps=[orders], automation_condition=marts_behind())
    def mart() -> None: ...

    defs, instance = dg.Definitions([orders, mart]), dg.DagsterInstance.ephemeral()

    def tick(at: datetime, cursor: object) -> tuple[int, object]:
        result = dg.evaluate_automation_conditions(defs, instance, evaluation_time=at, cursor=cursor)  # type: ignore[arg-type]
        return result.total_requested, result.cursor

    dg.materialize([orders, mart], instance=instance)
    _, cursor = tick(NOW, None)
    dg.materialize([orders], instance=instance)
    early, cursor = tick(NOW.replace(minute=2), cursor)
    due, cursor = tick(NOW.replace(minute=6), cursor)
    dg.materialize([mart, orders], instance=instance, selection=["mart"])
    quiet, _ = tick(NOW.replace(hour=13, minute=6), cursor)
    assert (early, due, quiet) == (0, 1, 0)
