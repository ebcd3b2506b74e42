"""A store that fell silent, a camera that sent nothing, a day not computed: counted and named, by opening hours."""

# No postponed annotations here: Dagster reads those of `context` when the decorator runs.

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from rich.console import Console

from assets.privacy.store_freshness.assets import store_freshness
from assets.privacy.store_freshness.checks import check_freshness
from assets.privacy.store_freshness.rows import DayRecord, Heard
from assets.privacy.store_freshness.rows import store_freshness as rows_of
from lakehouse.contract import TableContract
from lakehouse.contracts.orders import GATE_EVENTS
from lakehouse.contracts.privacy import STORE_FRESHNESS
from lakehouse.contracts.store_reference import CAMERAS, STORES
from lakehouse.contracts.vision import FOOTAGE_SEGMENTS
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay, capture_hour
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import replace_partition, upsert
from orchestration.report.freshness import show
from resources.clock import Clock
from resources.steps.partitions import partition_key
from resources.steps.write_path import Tables
from resources.workplace import Workplace
from tests.contract.test_every_check_can_fail import rows_of as filled

TODAY = StoreDay("s001", date(2026, 11, 22))
NOON = TODAY.start_at + timedelta(hours=12)
YESTERDAY = StoreDay("s001", date(2026, 11, 21))


def ago(**parts: float) -> datetime:
    return NOON - timedelta(**parts)


def stores(*ids: str, opens: str = "08:00", closes: str = "22:00", is_simulated: bool = False) -> pl.DataFrame:
    hours = {"opens_at": opens, "closes_at": closes}
    return filled(STORES, *({"store_id": store, **hours, "is_simulated": is_simulated} for store in ids))


def cameras(*pairs: tuple[str, str]) -> pl.DataFrame:
    return filled(CAMERAS, *({"store_id": store, "camera_id": camera} for store, camera in pairs))


FINE = Heard(
    {("s001", "c1"): ago(minutes=5), ("s001", "c2"): ago(minutes=5)},
    {"s001": ago(minutes=30)},
    {YESTERDAY: DayRecord(YESTERDAY.end_at, YESTERDAY.end_at + timedelta(minutes=20))},
)


def judged(heard: Heard, now: datetime = NOON, known: pl.DataFrame | None = None) -> pl.DataFrame:
    known = stores("s001") if known is None else known
    return rows_of(known, cameras(("s001", "c1"), ("s001", "c2")), heard, now)


def late(heard: Heard, now: datetime = NOON, known: pl.DataFrame | None = None) -> dict[str, tuple[int | None, str]]:
    """By check what did not pass: its count and its words."""
    results = check_freshness(judged(heard, now, known))
    return {result.name: (result.unexpected_count, result.limits) for result in results if not result.success}


def test_who_was_heard_of_lately_is_fresh() -> None:
    assert late(FINE) == {}
    assert judged(FINE).select("delivery", "camera_id", "business_date", "state").rows() == [
        ("footage", "c1", "", "fresh"),
        ("footage", "c2", "", "fresh"),
        ("gate_events", "", "", "fresh"),
        ("orders", "", "2026-11-21", "fresh"),
    ]


def test_a_camera_that_sends_nothing_is_named() -> None:
    assert late(replace(FINE, footage={("s001", "c1"): ago(minutes=5), ("s001", "c2"): ago(minutes=61)})) == {
        "no_camera_silent": (1, "s001 c2 silent")
    }
    assert late(replace(FINE, footage={("s001", "c1"): ago(minutes=5)})) == {"no_camera_silent": (1, "s001 c2 never")}


def test_a_store_that_fell_silent_is_named() -> None:
    # It closed at 22:00 and opened four hours ago.
    assert late(replace(FINE, scans={"s001": ago(hours=14)})) == {}
    later = NOON + timedelta(minutes=1)
    fine = replace(FINE, footage=dict.fromkeys(FINE.footage or (), later), scans={"s001": ago(hours=14)})
    assert late(fine, later) == {"no_store_silent": (1, "s001 silent")}
    assert late(replace(FINE, scans={})) == {"no_store_silent": (1, "s001 never")}


def test_a_closed_store_is_no_fault() -> None:
    closed = TODAY.start_at + timedelta(hours=22)
    last = replace(FINE, footage=dict.fromkeys(FINE.footage or (), closed), scans={"s001": closed})
    known = stores("s001")
    assert late(last, closed + timedelta(hours=10, minutes=59), known).keys() <= {"every_day_computed"}
    assert "no_camera_silent" in late(last, closed + timedelta(hours=11, minutes=1), known)


def test_a_day_not_computed_is_named() -> None:
    fresh = {"s001": NOON}
    first = StoreDay("s001", date(2026, 11, 18))
    done = DayRecord(first.end_at, first.end_at)
    # Of the 19th and 20th nothing has landed; what landed of the 21st came to nothing.
    days = {first: done, YESTERDAY: DayRecord(ago(hours=3), None)}
    name, words = "every_day_computed", "s001 2026-11-19 not computed, s001 2026-11-20 not computed"
    assert late(replace(FINE, scans=fresh, days=days)) == {name: (3, f"{words}, s001 2026-11-21 not computed")}
    # One that began an hour ago may be under way; today is not over.
    under_way = days | {YESTERDAY: DayRecord(ago(hours=1), None)}
    assert late(replace(FINE, scans=fresh, days=under_way)) == {name: (2, words)}
    begun = {YESTERDAY: FINE.days[YESTERDAY], TODAY: DayRecord(ago(hours=2.1), None)} if FINE.days else {}
    assert late(replace(FINE, days=begun)) == {name: (1, "s001 2026-11-22 not computed")}
    assert late(replace(FINE, days={})) == {name: (1, "s001 never")}


def test_the_last_computed_day_stays_known_however_long_ago() -> None:
    old = StoreDay("s001", date(2026, 10, 1))
    found = judged(replace(FINE, days={old: DayRecord(old.end_at, old.end_at)})).filter(pl.col("delivery") == "orders")
    assert found["state"].value_counts().sort("state").rows() == [("fresh", 1), ("not_computed", 7)]
    assert found.filter(pl.col("state") == "fresh")["business_date"].to_list() == ["2026-10-01"]


def test_what_could_not_be_read_is_not_fine() -> None:
    found = late(Heard(None, None, None))
    assert found == {
        "no_camera_silent": (2, "s001 c1 unknown, s001 c2 unknown"),
        "no_store_silent": (1, "s001 unknown"),
        "every_day_computed": (1, "s001 unknown"),
    }


def test_one_stores_odd_row_stops_no_other() -> None:
    known = pl.concat([stores("s001"), stores("s002", opens="noon")])
    found = rows_of(known, cameras(("s001", "c1"), ("s002", "c1")), FINE, NOON)
    assert found.filter(pl.col("delivery") == "footage").select("store_id", "state").rows() == [
        ("s001", "fresh"),
        ("s002", "unknown"),
    ]


def states(found: pl.DataFrame) -> list[tuple[object, ...]]:
    return found.select("delivery", "camera_id", "business_date", "state").rows()


def test_a_simulated_store_falls_silent_without_fault() -> None:
    """It delivers a finished day; nobody films the next."""
    known, last = stores("s001", is_simulated=True), ago(hours=30)
    done = DayRecord(YESTERDAY.end_at, YESTERDAY.end_at)
    silent = Heard({("s001", "c1"): last}, {"s001": last}, {StoreDay("s001", date(2026, 11, 19)): done})
    found = judged(silent, known=known)
    assert states(found) == [
        ("footage", "c1", "", "simulated"),
        ("footage", "c2", "", "simulated"),
        ("gate_events", "", "", "simulated"),
        ("orders", "", "2026-11-19", "simulated"),
    ]
    assert found["last_at"].to_list() == [last, None, last, YESTERDAY.end_at]
    assert states(judged(Heard({}, {}, {}), known=known))[-1] == ("orders", "", "", "simulated")


def test_what_is_missing_of_a_simulated_store_is_said_all_the_same() -> None:
    known = stores("s001", is_simulated=True)
    landed = {YESTERDAY: DayRecord(ago(hours=3), None)}
    assert states(judged(replace(FINE, days=landed), known=known))[-1] == (
        "orders",
        "",
        "2026-11-21",
        "not_computed",
    )
    assert set(judged(Heard(None, None, None), known=known)["state"]) == {"unknown"}


def test_many_silent_cameras_are_counted_and_some_named() -> None:
    many = cameras(*((f"s{n:03}", "c1") for n in range(30)))
    found = rows_of(stores(*(f"s{n:03}" for n in range(30))), many, Heard({}, {}, {}), NOON)
    result = check_freshness(found)[0]
    assert result.unexpected_count == 30
    assert result.limits.endswith("s007 c1 never, and 22 more")


def put(lake: Lake, table: TableContract, frame: pl.DataFrame, day: StoreDay | None = None) -> None:
    info = CommitInfo("run", "code")
    if day is None:
        upsert(lake, table, frame, commit=info, now=NOON)
    else:
        replace_partition(lake, table, frame, day.partition(table), commit=info, now=NOON)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two stores; a camera of the second has sent nothing but a clip that does not open."""
    lake = Lake(str(tmp_path / "lake"))
    put(lake, STORES, stores("s001", "s002"))
    put(lake, CAMERAS, cameras(("s001", "c1"), ("s002", "c1"), ("s002", "c2")))
    for store in ("s001", "s002"):
        day, began = StoreDay(store, TODAY.business_date), ago(minutes=10)
        clips = [
            {
                "store_id": store,
                "camera_id": camera,
                "clip_id": f"{store}{camera}",
                "capture_hour": capture_hour(began),
                "captured_at": began,
                "ended_at": began,
                "status": status,
            }
            for camera, status in (("c1", "ok"), ("c2", "unreadable"))
        ]
        put(lake, FOOTAGE_SEGMENTS, filled(FOOTAGE_SEGMENTS, *clips), day)
    scanned = {"store_id": "s001", "business_date": "2026-11-22", "gate_event_id": "g", "scanned_at": ago(hours=1)}
    put(lake, GATE_EVENTS, filled(GATE_EVENTS, scanned), TODAY)
    return tmp_path


def test_checks_count_real_stores_only(home: Path, instance: dg.DagsterInstance) -> None:
    put(Lake(str(home / "lake")), STORES, stores("s002", is_simulated=True))
    found = run(home, instance)
    assert found.keys() == {"every_day_computed"}
    assert found["every_day_computed"][1] == "s001 2026-11-21 not computed"
    line = told(home)
    assert "2, simulated" in line
    assert not any(word in line for word in ("silent", "never", "not computed"))


def told(home: Path) -> str:
    """What the summary says of the second store."""
    console = Console(file=io.StringIO(), width=160)
    show(console, Lake(str(home / "lake")))
    assert isinstance(console.file, io.StringIO)
    (line,) = [line for line in console.file.getvalue().splitlines() if "s002" in line]
    return line


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        for store, tables in (("s001", ("footage_segments", "orders")), ("s002", ("footage_segments",))):
            day = StoreDay(store, date(2026, 11, 20))
            for table in tables:
                domain = "orders" if table == "orders" else "vision"
                found.report_runless_asset_event(dg.AssetMaterialization([domain, table], partition=partition_key(day)))
        yield found


def run(home: Path, instance: dg.DagsterInstance) -> dict[str, tuple[object, str | None]]:
    """By check what did not pass."""
    workplace, clock = Workplace(home=str(home)), Clock(fixed_at=NOON.isoformat())
    resources = {"tables": Tables(workplace=workplace, clock=clock), "clock": clock}
    result = dg.materialize([store_freshness], resources=resources, instance=instance)
    return {
        check.check_name: (check.metadata["count"].value, check.description)
        for check in result.get_asset_check_evaluations()
        if not check.passed
    }


def test_the_step_reads_the_tables_and_dagsters_record(home: Path, instance: dg.DagsterInstance) -> None:
    found = run(home, instance)
    assert found["no_camera_silent"] == (1, "s002 c2 never")
    assert found["no_store_silent"] == (1, "s002 never")
    # Begun on the 20th, and that day computed; of the day after nothing has landed.
    assert "s001 2026-11-21 not computed" in str(found["every_day_computed"][1])
    assert "s001 2026-11-20" not in str(found["every_day_computed"][1])
    assert "c2 never" in told(home)


def test_a_damaged_table_is_unknown_and_the_rest_goes_on(home: Path, instance: dg.DagsterInstance) -> None:
    for entry in (home / "lake" / "orders" / "gate_events" / "_delta_log").glob("*.json"):
        entry.write_text("{")
    found = run(home, instance)
    assert found["no_store_silent"] == (2, "s001 unknown, s002 unknown")
    assert found["no_camera_silent"] == (1, "s002 c2 never")


def test_without_stores_nothing_is_expected(tmp_path: Path, instance: dg.DagsterInstance) -> None:
    assert run(tmp_path, instance) == {}
    assert scan(Lake(str(tmp_path / "lake")), STORE_FRESHNESS).collect().is_empty()
