"""From the landing folder to orders, through Dagster, on real tables in a folder of its own."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
import pytest

from assets.orders.reference.assets import reference_tables
from assets.orders.reference.settings import ReferenceSettings
from lakehouse.contracts import CONTRACTS, contract
from lakehouse.lake import Lake
from lakehouse.life import seals
from lakehouse.store_day import StoreDay
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.reader import scan, table_version
from lakehouse.tables.writer import upsert
from orchestration import arrivals
from orchestration.build import build_defs
from orchestration.reruns import rerun_sensor
from orchestration.sensors import LANDING_STATE, landing_sensor
from orchestration.unfinished import stale
from resources.clock import Clock
from resources.landing.file_access import landed_at
from resources.steps.partitions import partition_key, register_store
from resources.steps.write_path import Tables
from resources.workplace import Workplace
from tests.e2e.tiny_store import ACCOUNTS, STORE_ID, land_clip, land_reference, land_scans


@dataclass
class Platform:
    """A home with its Dagster instance, and the day that its footage is of."""

    home: Path
    instance: dg.DagsterInstance
    defs: dg.Definitions
    began: datetime

    @property
    def landing(self) -> Path:
        return self.home / "landing"

    @property
    def lake(self) -> Lake:
        return Lake(str(self.home / "lake"))

    @property
    def day(self) -> StoreDay:
        return StoreDay.of_instant(STORE_ID, self.began)

    @property
    def key(self) -> str:
        return partition_key(self.day)

    def run(self, job: str, assets: Collection[str] = ()) -> dg.ExecuteInProcessResult:
        partition = self.key if job == "store_day" else None
        return self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            partition_key=partition,
            asset_selection=[dg.AssetKey.from_user_string(name) for name in assets] or None,
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )

    def numbers(self, domain: str, name: str) -> dict[str, object]:
        records = self.instance.fetch_materializations(dg.AssetKey([domain, name]), limit=1).records
        found = records[0].asset_materialization
        assert found is not None
        return {label: value.value for label, value in found.metadata.items()}

    def count(self, table: str, check: str) -> object:
        """How many rows broke a check when it was last asked."""
        key = dg.AssetCheckKey(dg.AssetKey(table.split("/")), check)
        record = self.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)[0]
        return record.event.dagster_event.asset_check_evaluation_data.metadata["count"].value  # type: ignore[union-attr]

    def count_rows(self, name: str) -> int:
        """Rows of a table of orders."""
        return scan(self.lake, contract("orders", name)).collect().height

    def tick(self, clock: Clock | None = None) -> dg.SensorResult | dg.SkipReason:
        """What the landing sensor says, at that time."""
        resources = {"workplace": Workplace(home=str(self.home)), "clock": clock or Clock()}
        with dg.build_sensor_context(instance=self.instance, resources=resources) as context:
            return landing_sensor(context)  # type: ignore[return-value]

    def versions(self) -> dict[str, int | None]:
        names = [("vision", "detections"), ("vision", "slot_episodes"), ("vision", "shelf_events")]
        names += [("orders", name) for name in ("gate_events", "visits", "baskets", "orders", "review_items")]
        return {f"{domain}/{name}": table_version(self.lake, contract(domain, name)) for domain, name in names}


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    home = tmp_path_factory.mktemp("home")
    defs = build_defs({"workplace": Workplace(home=str(home))})
    began = (datetime.now(UTC) - timedelta(hours=3)).replace(minute=10, second=0, microsecond=0)
    with dg.DagsterInstance.local_temp(str(tmp_path_factory.mktemp("dagster"))) as instance:
        found = Platform(home, instance, defs, began)
        land_reference(found.landing)
        for camera_id in ("c1", "c2"):
            land_clip(found.landing, camera_id, began)
        land_scans(found.landing, found.day.business_date, began)
        register_store(instance, STORE_ID)
        assert found.run("reference").success
        assert found.run("review").success
        assert found.run("store_day").success
        yield found


def test_the_day_is_in_the_tables(platform: Platform) -> None:
    segments = scan(platform.lake, contract("vision", "footage_segments")).collect()
    assert sorted(segments["status"]) == ["ok", "ok"]
    visits = scan(platform.lake, contract("orders", "visits")).collect()
    assert set(visits["account_id"]) == set(ACCOUNTS)
    events = scan(platform.lake, contract("vision", "shelf_events")).collect()
    assert events.filter(type="pick")["slot_id"].to_list() == ["g1-0-00"]
    # Nobody was seen, so nobody pays: the pick and both visits without a trajectory wait for a person.
    assert scan(platform.lake, contract("orders", "orders")).collect().is_empty()
    items = scan(platform.lake, contract("orders", "review_items")).collect()
    assert sorted(items["reason"]) == ["no_track", "no_track", "unattributed_events"]


def test_landing_was_consumed_and_clips_lie_in_their_hours(platform: Platform) -> None:
    assert arrivals.look(platform.landing, datetime.now(UTC)).is_empty
    clips = sorted(
        p.relative_to(platform.home / "footage").parts[:3] for p in (platform.home / "footage").rglob("*.mp4")
    )
    hour = platform.began.strftime("%Y-%m-%dT%HZ")
    assert clips[:2] == [(STORE_ID, "c1", hour), (STORE_ID, "c2", hour)]


def test_checks_are_recorded_for_the_partition(platform: Platform) -> None:
    key = dg.AssetCheckKey(dg.AssetKey(["vision", "shelf_events"]), "slots_known")
    record = platform.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)[0]
    assert record.partition == platform.key
    evaluation = record.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
    assert evaluation.passed
    assert {"value", "threshold", "count"} <= set(evaluation.metadata)


def test_numbers_to_plot(platform: Platform) -> None:
    found = platform.numbers("vision", "detections")
    assert found["clips_analysed"] == 2
    assert {"core_seconds_per_camera_minute", "dagster/partition_row_count", "delta_version", "basis"} <= set(found)
    assert "data:image/png;base64" in str(platform.numbers("vision", "tracks")["floor_density"])


def test_nothing_personal_is_in_the_event_log(platform: Platform) -> None:
    for run in platform.instance.get_runs():
        for record in platform.instance.get_records_for_run(run.run_id).records:
            text = dg.serialize_value(record.event_log_entry)
            assert not any(account in text for account in ACCOUNTS)


def test_a_rerun_changes_no_table(platform: Platform) -> None:
    before = platform.versions()
    assert platform.run("store_day").success
    assert platform.versions() == before
    assert platform.numbers("vision", "detections")["has_changed"] is False
    assert platform.numbers("vision", "detections")["clips_analysed"] == 0


def test_a_late_clip_is_analysed_alone(platform: Platform) -> None:
    land_clip(platform.landing, "c1", platform.began + timedelta(seconds=30), picked=False)
    assert platform.run("store_day").success
    found = platform.numbers("vision", "detections")
    assert (found["clips_analysed"], found["clips_kept_from_before"]) == (1, 2)
    assert scan(platform.lake, contract("vision", "footage_segments")).collect().height == 3


def test_clips_that_no_calibration_fits_are_left_out_and_the_day_goes_on(platform: Platform) -> None:
    """A stranger's camera and a clip of twice the size: said by checks, and nobody's day is lost. A third clip claims
    thrice its rate: what is seen in it has the container's times."""
    events = scan(platform.lake, contract("vision", "shelf_events")).collect()
    land_clip(platform.landing, "c9", platform.began)
    land_clip(platform.landing, "c2", platform.began + timedelta(seconds=30), scale=2)
    hasty = platform.began + timedelta(seconds=45)
    land_clip(platform.landing, "c1", hasty, picked=False, claimed_fps=30.0)
    assert platform.run("store_day").success
    found = platform.numbers("vision", "detections")
    assert (found["clips_of_unknown_cameras"], found["clips_of_other_size"], found["clips_analysed"]) == (1, 1, 1)
    assert platform.count("vision/footage_segments", "cameras_known") == 1
    assert platform.count("vision/footage_segments", "pictures_fit_cameras") == 1
    assert platform.count("vision/detections", "clips_looked_through") == 2
    assert scan(platform.lake, contract("vision", "shelf_events")).collect().equals(events)
    clips = scan(platform.lake, contract("vision", "footage_segments")).filter(captured_at=hasty).collect()
    assert clips.select("status", "duration_ms").rows() == [("corrected", 4000)]
    states = scan(platform.lake, contract("vision", "slot_episodes")).filter(clip_id=clips["clip_id"][0]).collect()
    assert states["ended_at"].max() > hasty + timedelta(seconds=3)  # type: ignore[operator]


def test_a_scan_at_an_unknown_gate_is_refused_and_the_day_goes_on(platform: Platform) -> None:
    before = scan(platform.lake, contract("orders", "gate_events")).collect()
    path = land_scans(platform.landing, platform.day.business_date, platform.began + timedelta(minutes=5))
    good, *bad = path.read_text().splitlines()
    path.write_text("\n".join([good, *(line.replace("gate-1", "gate-nowhere") for line in bad)]) + "\n")
    assert platform.run("store_day").success
    after = scan(platform.lake, contract("orders", "gate_events")).collect()
    assert after.height == before.height + 1
    (note,) = (platform.landing / "rejected" / "gate_events" / STORE_ID).glob("*.reason.json")
    lines = json.loads(note.read_text())["lines"]
    assert lines == [{"line": n, "field": "gate_id", "reason": "unknown_reference"} for n in (2, 3, 4)]
    assert not path.exists()


def test_a_gate_that_is_taken_away_takes_no_day_with_it(platform: Platform) -> None:
    """The store's new plan has another gate instead of the one where people were scanned, and some scans come late."""
    before = platform.versions()
    land_reference(platform.landing)
    store = platform.landing / "reference" / "stores" / STORE_ID / "store.yaml"
    store.write_text(store.read_text().replace("gate-1", "gate-new").replace("x_m: 0.5", "x_m: 3.5"))
    assert platform.run("reference").success
    assert platform.run("store_day").success
    assert platform.versions() == before, "scans keep their gate's place, so every visit is as it was"
    path = land_scans(platform.landing, platform.day.business_date, platform.began + timedelta(minutes=6))
    old, new, *bad = path.read_text().splitlines()
    lines = [old, new.replace("gate-1", "gate-new"), *(line.replace("gate-1", "gate-9") for line in bad)]
    path.write_text("\n".join(lines) + "\n")
    scans = platform.count_rows("gate_events")
    assert platform.run("store_day").success
    assert platform.count_rows("gate_events") == scans + 2
    assert not path.exists()
    notes = [json.loads(p.read_text()) for p in (platform.landing / "rejected" / "gate_events").rglob("*.reason.json")]
    assert [3, 4] in [[line["line"] for line in note["lines"]] for note in notes]


def test_a_failed_blocking_check_leaves_the_table_as_it_was(platform: Platform) -> None:
    """The table of stores has lost a gate at which people were scanned."""
    before = platform.versions()
    stores = contract("orders", "stores")
    whole = scan(platform.lake, stores).collect()
    lost = whole.with_columns(gate_ids=pl.lit(["gate-2"]), gate_positions_m=pl.lit([[0.5, 0.5]]))
    upsert(platform.lake, stores, lost, commit=CommitInfo("test", "test"), now=datetime.now(UTC))
    path = land_scans(platform.landing, platform.day.business_date, platform.began + timedelta(minutes=6))
    path.write_text(path.read_text().replace("gate-1", "gate-2"))
    scans = platform.count_rows("gate_events")
    result = platform.run("store_day")
    assert not result.success
    assert platform.versions()["orders/gate_events"] == before["orders/gate_events"]
    assert dg.AssetKey(["orders", "gate_events"]) not in {
        e.asset_key for e in result.get_asset_materialization_events()
    }
    key = dg.AssetCheckKey(dg.AssetKey(["orders", "gate_events"]), "gates_known")
    record = platform.instance.event_log_storage.get_asset_check_execution_history(key, limit=1)[0]
    evaluation = record.event.dagster_event.asset_check_evaluation_data  # type: ignore[union-attr]
    assert (record.partition, evaluation.passed) == (platform.key, False)
    assert evaluation.metadata["count"].value == scans
    assert path.exists(), "what was not committed must not be consumed"
    failure = next(e for e in result.all_events if e.event_type_value == "STEP_FAILURE" and e.step_key == "gate_events")
    assert f"orders/gate_events: gates_known ({scans} break it)" in str(failure.step_failure_data)
    path.unlink()
    upsert(platform.lake, stores, whole, commit=CommitInfo("test", "test"), now=datetime.now(UTC))
    assert platform.run("store_day").success


def test_what_failed_or_was_cut_off_is_stale(platform: Platform) -> None:
    graph = platform.defs.resolve_asset_graph()
    keys = sorted(platform.defs.resolve_job_def("store_day").asset_layer.executable_asset_keys)
    assert stale(platform.instance, graph, keys, platform.key) == []
    other = partition_key(StoreDay(STORE_ID, platform.day.business_date - timedelta(days=1)))
    assert stale(platform.instance, graph, keys, other) == keys


def test_the_sensor_asks_once_per_state_of_the_folder(platform: Platform) -> None:
    assert isinstance(platform.tick(), dg.SkipReason)
    path = land_scans(platform.landing, platform.day.business_date, platform.began + timedelta(minutes=9))
    first, again = platform.tick(), platform.tick()
    assert isinstance(first, dg.SensorResult)
    assert isinstance(again, dg.SensorResult)
    request = first.run_requests[0]  # type: ignore[index]
    assert (request.job_name, str(request.partition_key)) == ("store_day", platform.key)
    assert request.run_key == again.run_requests[0].run_key  # type: ignore[index]
    assert not any(account in str(request) for account in ACCOUNTS)
    path.write_text(path.read_text() * 2)
    later = platform.tick()
    assert later.run_requests[0].run_key != request.run_key  # type: ignore[union-attr,index]
    path.unlink()


def test_the_daemon_runs_the_day_again_for_its_own_stores_reference_data_alone(platform: Platform) -> None:
    cursor: list[str | None] = [None]

    def tick() -> dict[str, set[str]]:
        with dg.build_sensor_context(
            instance=platform.instance,
            cursor=cursor[0],
            repository_def=platform.defs.get_repository_def(),
            resources={"workplace": Workplace(home=str(platform.home))},
        ) as context:
            found = rerun_sensor(context)
        assert isinstance(found, dg.SensorResult)
        cursor[0] = found.cursor
        return {
            str(request.partition_key): {key.to_user_string() for key in request.asset_selection or ()}
            for request in found.run_requests or ()
        }

    def deliver(**changes: Any) -> None:
        land_reference(platform.landing, **changes)
        assert platform.run("reference").success

    # As the store is to be: a test before this one may have left it otherwise.
    deliver()
    for assets in tick().values():
        assert platform.run("store_day", assets).success
    assert tick() == {}
    deliver(store_id="t002")
    assert tick() == {}
    deliver(price_fen=600)
    asked = tick()
    assert asked == {platform.key: {"orders/orders", "orders/order_lines", "orders/review_items"}}
    assert tick() == {}
    assert platform.run("store_day", asked[platform.key]).success
    assert tick() == {}


def test_a_file_that_waits_for_what_it_names_holds_nobody_up_and_does_not_wait_for_ever(platform: Platform) -> None:
    def asked(clock: Clock) -> dict[str, str]:
        """By job the key of the run that the sensor asks for."""
        result = platform.tick(clock)
        requests = result.run_requests if isinstance(result, dg.SensorResult) else None
        return {str(request.job_name): str(request.run_key) for request in requests or ()}

    def run(clock: Clock, state: str) -> None:
        tables = Tables(workplace=Workplace(home=str(platform.home)), clock=clock)
        done = dg.materialize(
            [reference_tables], instance=platform.instance, resources={"tables": tables}, tags={LANDING_STATE: state}
        )
        assert done.success

    now, prices = Clock(), platform.landing / "reference" / "prices.csv"
    prices.write_text(f"product_id,store_id,price_fen,valid_from\nnobodys,{STORE_ID},5,2026-01-01\n")
    path = land_scans(platform.landing, platform.day.business_date, platform.began + timedelta(minutes=9))
    first = asked(now)
    assert list(first) == ["reference"], "store-days wait for reference data"
    run(now, first["reference"])
    assert prices.exists()
    again = asked(now)
    assert again["reference"] == first["reference"], "asked for once: a sensor's key runs no second time"
    assert "store_day" in again
    later = Clock(fixed_at=(landed_at(prices) + ReferenceSettings().patience).isoformat())
    last = asked(later)
    assert list(last) == ["reference"]
    assert last["reference"] != first["reference"]
    run(later, last["reference"])
    assert not prices.exists()
    path.unlink()


def test_a_sealed_day_refuses_what_comes_late(platform: Platform) -> None:
    """Last, because nothing of the day can be written afterwards."""
    before = platform.versions()
    seals.seal(platform.lake, platform.day, list(CONTRACTS.values()), run_id="test", now=datetime.now(UTC))
    clip = land_clip(platform.landing, "c2", platform.began + timedelta(seconds=60))
    scans = land_scans(platform.landing, platform.day.business_date, platform.began + timedelta(minutes=20))
    assert not platform.run("store_day").success
    assert platform.versions() == before
    assert not clip.exists()
    assert not scans.exists()
    assert arrivals.look(platform.landing, datetime.now(UTC)).is_empty
    kept = {path.suffix for path in (platform.landing / "rejected").rglob("*") if path.is_file()}
    assert {".mp4", ".jsonl"} <= kept
