"""What is to be made again: a store's own reference data make its days again, another store's do not; nor does a table
count as made whose checks nobody answered."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from lakehouse.contracts.orders import GATE_EVENTS
from lakehouse.lake import Lake
from lakehouse.life.seals import seal
from orchestration.report.check_outcomes import State, outcomes_of
from orchestration.runs.dead_runs import UNSEEN_LIMIT, end_dead_runs
from orchestration.unfinished import open_days, stale
from resources.steps.partitions import partition_key, store_day_of_key
from resources.steps.specs import asset_key
from tests.orchestration.two_stores import BASKETS, DAYS, FIRST, OF_A_DAY, SECOND, TRACKS, TwoStores
from tests.resources.steps import scans_step

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def platform() -> Iterator[TwoStores]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield TwoStores(instance)


def test_only_the_store_whose_reference_data_changed_is_stale(platform: TwoStores) -> None:
    platform.deliver()
    assert platform.stale() == {day: sorted(OF_A_DAY) for day in DAYS}, "never made"
    platform.make(*DAYS)
    platform.deliver()
    assert platform.stale() == {}, "delivered again as it was"
    platform.deliver(s2=5.0)
    changed = {SECOND: sorted([TRACKS, BASKETS])}
    assert platform.stale() == changed
    platform.deliver()
    assert platform.stale() == changed, "still, until it is made"
    platform.make(SECOND)
    platform.deliver(s3=1.0)
    assert platform.stale() == {}
    platform.tells = False
    platform.deliver()
    assert platform.stale().keys() == set(DAYS), "nothing tells"


def test_what_landed_while_a_step_worked_is_not_taken_for_read(platform: TwoStores) -> None:
    platform.deliver()
    platform.make(SECOND)
    platform.meanwhile = lambda: platform.land(s1=6.0)
    platform.make(FIRST)
    assert platform.stale() == {FIRST: sorted([TRACKS, BASKETS])}
    platform.meanwhile = lambda: None
    platform.make(FIRST, assets=[TRACKS, BASKETS])
    assert platform.stale() == {}


def test_a_table_whose_checks_nobody_answered_is_made_again_with_what_follows(platform: TwoStores) -> None:
    platform.deliver()
    platform.make(*DAYS)
    platform.cut = True
    assert platform.make(FIRST) == [False]
    assert platform.instance.get_latest_planned_materialization_info(TRACKS, FIRST) is not None
    platform.make(FIRST, assets=[BASKETS])
    assert platform.stale() == {FIRST: sorted([TRACKS, BASKETS])}
    platform.cut = False
    platform.make(FIRST, assets=[TRACKS, BASKETS])
    assert platform.stale() == {}


def test_checks_that_a_run_under_way_will_answer_are_waited_for(platform: TwoStores) -> None:
    platform.deliver()
    platform.make(FIRST)
    asked: list[dict[str, list[dg.AssetKey]]] = []
    platform.meanwhile = lambda: asked.append(platform.stale())
    platform.make(FIRST, assets=[TRACKS])
    assert [FIRST in found for found in asked] == [False]


def test_a_sealed_day_is_not_open(platform: TwoStores, tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    platform.deliver()
    platform.make(*DAYS)
    assert open_days(platform.instance, lake) == list(DAYS)
    assert seal(lake, store_day_of_key(FIRST), [], run_id="run", now=datetime(2026, 12, 1, tzinfo=UTC))
    assert open_days(platform.instance, lake) == [SECOND]


KILLED = """
import os, signal, sys
from pathlib import Path
import dagster as dg
from resources.steps.write_path import Tables
from tests.resources.steps.scans_step import run

whole = Tables.write
def write(self, *args, **kwargs):
    for report in whole(self, *args, **kwargs):
        yield report
        if isinstance(report, dg.MaterializeResult):
            os.kill(os.getpid(), signal.SIGKILL)
Tables.write = write
with dg.DagsterInstance.local_temp(sys.argv[1]) as instance:
    run(instance, Path(sys.argv[2]), "good")
"""


def test_a_kill_between_a_table_and_its_checks_is_made_good_by_the_next_run(tmp_path: Path) -> None:
    """With a real signal, and the record that it leaves."""
    record, home = tmp_path / "dagster", tmp_path / "home"
    record.mkdir()
    key, day = asset_key(GATE_EVENTS), partition_key(scans_step.DAYS["good"])
    graph = dg.Definitions([scans_step.written], resources=scans_step.tables(home, "good")).resolve_asset_graph()
    checks = sorted(graph.get(key).check_keys)
    command = [sys.executable, "-c", KILLED, str(record), str(home)]
    killed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    with dg.DagsterInstance.local_temp(str(record)) as instance:
        assert instance.get_materialized_partitions(key) == {day}
        assert {outcome.state for outcome in outcomes_of(instance, checks, [day])} == {State.WITHOUT_RESULT}
        assert stale(instance, graph, [key], day) == [], "as far as anybody knows, it still runs"
        assert len(end_dead_runs(instance, datetime.now(UTC) + 2 * UNSEEN_LIMIT)) == 1
        assert stale(instance, graph, [key], day) == [key]
        assert scans_step.run(instance, home, "good").success
        assert stale(instance, graph, [key], day) == []
        assert {outcome.state for outcome in outcomes_of(instance, checks, [day])} == {State.PASSED}
