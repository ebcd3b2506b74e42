"""What is to be made again: a store's own reference data make its days again, another store's do not; nor does a table
count as made whose checks nobody answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from lakehouse.lake import Lake
from lakehouse.life.seals import seal
from orchestration.unfinished import open_days
from resources.steps.partitions import store_day_of_key
from tests.orchestration.two_stores import BASKETS, DAYS, FIRST, OF_A_DAY, SECOND, TRACKS, TwoStores


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
