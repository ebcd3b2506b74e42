"""The daemon runs a store's open days again when something has changed for this store in a table of all stores, and not
before: asked of Dagster's own record after real runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from lakehouse.lake import Lake
from lakehouse.life.seals import seal
from orchestration.build import build_defs
from orchestration.reruns import look, rerun_sensor
from resources.steps.partitions import store_day_of_key
from resources.workplace import Workplace
from tests.orchestration.two_stores import BASKETS, DAYS, FIRST, OF_A_DAY, SECOND, TRACKS, TwoStores

MADE_FROM_IT = sorted([TRACKS, BASKETS])
LATER = datetime(2026, 12, 1, tzinfo=UTC)


@dataclass
class Daemon:
    """What the sensor asks for over a platform, and what it keeps from look to look."""

    platform: TwoStores
    lake: Lake
    seen: Mapping[str, str] = field(default_factory=dict)
    run_keys: set[str] = field(default_factory=set)

    def look(self) -> dict[str, list[dg.AssetKey]]:
        """By store-day the assets that the next look asks for. Dagster starts no run key twice."""
        found = look(self.platform.instance, self.platform.graph, OF_A_DAY, self.lake, self.seen)
        self.seen = json.loads(json.dumps(found.seen))
        keys = {str(request.run_key) for request in found.requests}
        assert len(keys) == len(found.requests)
        assert keys.isdisjoint(self.run_keys)
        self.run_keys |= keys
        return {str(request.partition_key): list(request.asset_selection or ()) for request in found.requests}

    def follow(self) -> dict[str, list[dg.AssetKey]]:
        """Does what the next look asks for, and returns it."""
        asked = self.look()
        for day, assets in asked.items():
            self.platform.make(day, assets=assets)
        return asked


@pytest.fixture
def platform() -> Iterator[TwoStores]:
    with dg.DagsterInstance.ephemeral() as instance:
        found = TwoStores(instance)
        found.deliver()
        yield found


@pytest.fixture
def daemon(platform: TwoStores, tmp_path: Path) -> Daemon:
    """Over days that are made."""
    platform.make(*DAYS)
    return Daemon(platform, Lake(str(tmp_path / "lake")))


def test_only_the_days_of_the_store_whose_rows_changed_run_again(daemon: Daemon) -> None:
    assert daemon.follow() == {}
    daemon.platform.deliver()
    assert daemon.follow() == {}, "no row changed"
    daemon.platform.deliver(s2=5.0)
    assert daemon.follow() == {SECOND: MADE_FROM_IT}
    assert daemon.follow() == {}
    daemon.look()
    before = daemon.seen
    daemon.platform.deliver(s3=1.0)
    assert (daemon.follow(), daemon.seen) == ({}, before), "not even asked about"
    for width in (4.0, 5.0):
        daemon.platform.deliver(s2=width)
        assert daemon.follow() == {SECOND: MADE_FROM_IT}, "a change back is a change"


def test_what_says_not_whose_rows_changed_is_of_every_store(daemon: Daemon) -> None:
    daemon.platform.tells = False
    daemon.platform.deliver()
    assert daemon.follow().keys() == set(DAYS)
    assert daemon.follow() == {}


def test_a_sealed_day_stays_as_it_is(daemon: Daemon) -> None:
    assert seal(daemon.lake, store_day_of_key(SECOND), [], run_id="run", now=LATER)
    daemon.platform.deliver(s1=3.0, s2=3.0)
    assert daemon.follow().keys() == {FIRST}
    assert daemon.seen.keys() == {FIRST}


def test_a_day_that_fails_runs_again_when_something_changes_for_it_and_not_before(daemon: Daemon) -> None:
    daemon.platform.failing = {SECOND}
    daemon.platform.deliver(s2=5.0)
    for change, asked in (({}, [SECOND]), ({}, []), ({"s1": 3.0}, [FIRST]), ({}, []), ({"s2": 6.0}, [SECOND])):
        if change:
            daemon.platform.deliver(**change)
        assert list(daemon.follow()) == asked
    # Whoever forgets what was seen, as a person can in the UI, asks for nothing that was tried.
    daemon.seen = {}
    assert daemon.follow() == {}
    daemon.platform.failing = set()
    daemon.platform.deliver(s2=7.0)
    assert daemon.follow() == {SECOND: MADE_FROM_IT}
    assert daemon.platform.stale() == {}


def test_a_first_run_that_failed_for_its_reference_data_is_tried_with_the_next(
    platform: TwoStores, tmp_path: Path
) -> None:
    platform.failing = {SECOND}
    assert platform.make(*DAYS) == [True, False]
    daemon = Daemon(platform, Lake(str(tmp_path)))
    assert daemon.follow() == {}, "nothing has changed since it failed"
    platform.failing = set()
    platform.deliver(s2=5.0)
    assert daemon.follow() == {SECOND: MADE_FROM_IT}


def test_a_busy_day_is_looked_at_again_when_it_is_over(daemon: Daemon) -> None:
    asked: list[dict[str, list[dg.AssetKey]]] = []

    def change() -> None:
        daemon.platform.land(s2=5.0)
        asked.append(daemon.look())

    daemon.follow()
    daemon.platform.meanwhile = change
    daemon.platform.make(SECOND)
    assert asked == [{}]
    daemon.platform.meanwhile = lambda: None
    assert daemon.follow() == {SECOND: MADE_FROM_IT}
    assert daemon.follow() == {}


def test_what_is_too_much_for_one_look_comes_with_the_next(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.reruns.MOST_DAYS", 1)
    daemon.platform.deliver(s1=5.0, s2=5.0)
    assert [list(daemon.follow()) for _ in range(3)] == [[FIRST], [SECOND], []]


def test_days_wait_until_what_all_stores_share_is_written(daemon: Daemon) -> None:
    @dg.job(name="reference")
    def writing() -> None: ...

    daemon.platform.deliver(s2=5.0)
    before = dict(daemon.seen)
    run = daemon.platform.instance.create_run_for_job(writing, status=dg.DagsterRunStatus.STARTED)
    assert (daemon.follow(), daemon.seen) == ({}, before)
    daemon.platform.instance.report_run_failed(run)
    assert daemon.follow().keys() == {SECOND}


def test_the_sensor_runs_by_itself_over_the_shipped_definitions(tmp_path: Path) -> None:
    defs = build_defs({"workplace": Workplace(home=str(tmp_path))})
    assert rerun_sensor.default_status is dg.DefaultSensorStatus.RUNNING
    with (
        dg.DagsterInstance.ephemeral() as instance,
        dg.build_sensor_context(
            instance=instance,
            repository_def=defs.get_repository_def(),
            resources={"workplace": Workplace(home=str(tmp_path))},
        ) as context,
    ):
        found = rerun_sensor.evaluate_tick(context)
    assert found.run_requests == []
    assert found.skip_message == "nothing has changed for a store that has open store-days"
