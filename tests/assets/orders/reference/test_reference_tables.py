"""The step as Dagster runs it, on real tables: one row that names nobody holds nobody up, and is never lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml

from assets.orders.reference.assets import reference_tables
from assets.orders.reference.settings import ReferenceSettings
from assets.privacy.retention.assets import sweeps
from lakehouse.contracts import store_reference
from lakehouse.lake import Lake
from lakehouse.tables.reader import scan
from resources.clock import Clock
from resources.landing.file_access import landed_at
from resources.steps.write_path import Tables
from resources.workplace import Workplace
from tests.e2e.tiny_store import STORE_ID, land_reference

NOBODY = "13812345678"
PLAN = f"reference/stores/{STORE_ID}/planogram.csv"
CAMERAS = f"reference/stores/{STORE_ID}/cameras.yaml"
PRICES = "reference/prices.csv"
Change = Callable[[Path], object]


def run(home: Path, at: datetime | None = None) -> dg.ExecuteInProcessResult:
    workplace = Workplace(home=str(home))
    clock = Clock(fixed_at=at.isoformat()) if at else Clock()
    resources = {"tables": Tables(workplace=workplace, clock=clock)}
    return dg.materialize([reference_tables], resources=resources, raise_on_error=False)


def rows(home: Path) -> dict[str, list[tuple[object, ...]]]:
    lake = Lake(str(home / "lake"))
    return {t.name: scan(lake, t).collect().sort(t.key).rows() for t in store_reference.TABLES}


def ids(home: Path, name: str, column: str) -> set[str]:
    table = {table.name: table for table in store_reference.TABLES}[name]
    return set(scan(Lake(str(home / "lake")), table).collect()[column])


def lying(home: Path) -> set[str]:
    landing = home / "landing"
    return {path.relative_to(landing).as_posix() for path in (landing / "reference").rglob("*") if path.is_file()}


def refusals(home: Path) -> list[tuple[str, int, str, str]]:
    notes = [json.loads(path.read_bytes()) for path in (home / "landing" / "rejected").rglob("*.reason.json")]
    return [(note["source"], line["line"], line["field"], line["reason"]) for note in notes for line in note["lines"]]


def not_passed(result: dg.ExecuteInProcessResult) -> set[str]:
    return {check.check_name for check in result.get_asset_check_evaluations() if not check.passed}


def added(row: str) -> Change:
    return lambda path: path.write_text(path.read_text() + row + "\n")


def sees_nobodys_slot(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    content["cameras"][1]["slots"].append({"slot_id": NOBODY, "polygon_px": [[0, 0], [1, 0], [1, 1]]})
    path.write_text(yaml.safe_dump(content))


KINDS: list[tuple[str, Change, int, str, str]] = [
    (PRICES, added(f"{NOBODY},{STORE_ID},5,2026-01-01"), 4, "product_id", "no_price_waits"),
    (PLAN, added(f"{NOBODY},p0,5,2026-01-01"), 4, "slot_id", "no_planogram_row_waits"),
    (PLAN, added(f"g1-0-00,{NOBODY},5,2026-02-01"), 4, "product_id", "no_planogram_row_waits"),
    (CAMERAS, sees_nobodys_slot, 0, "cameras[1].slots[2].slot_id", "no_view_waits"),
]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home in which nothing has been taken yet; the delivery of a whole store lies there."""
    land_reference(tmp_path / "landing")
    return tmp_path


@pytest.mark.parametrize(("file", "change", "line", "field", "check"), KINDS)
def test_what_names_nobody_waits_by_itself_and_is_refused_in_the_end(
    home: Path, tmp_path_factory: pytest.TempPathFactory, file: str, change: Change, line: int, field: str, check: str
) -> None:
    sound = tmp_path_factory.mktemp("sound")
    land_reference(sound / "landing")
    assert run(sound).success
    expected = rows(sound)
    if file == CAMERAS:
        expected |= {"cameras": [], "slot_views": []}
    change(home / "landing" / file)

    first = run(home)
    assert first.success
    assert rows(home) == expected
    assert lying(home) == {file}
    assert refusals(home) == []
    assert check in not_passed(first)
    assert NOBODY not in str(first.all_events)

    put_there = landed_at(home / "landing" / file)
    patience = ReferenceSettings().patience
    assert run(home, put_there + patience - timedelta(seconds=1)).success
    assert lying(home) == {file}, "it may wait"

    last = run(home, put_there + patience)
    assert last.success
    assert rows(home) == expected
    assert lying(home) == set()
    assert refusals(home) == [(file, line, field, "unknown_reference")]
    (kept,) = [p for p in (home / "landing" / "rejected").rglob("*") if p.suffix in (".csv", ".yaml")]
    assert NOBODY in kept.read_text(), "whole, so that it can be delivered again"
    assert check not in not_passed(last)


def test_files_that_come_one_by_one_in_the_wrong_order_come_in_all_the_same(
    home: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = tmp_path_factory.mktemp("whole")
    (home / "landing").rename(whole / "landing")
    for name in (CAMERAS, PLAN, PRICES, f"reference/stores/{STORE_ID}/store.yaml", "reference/products.csv"):
        place = home / "landing" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((whole / "landing" / name).read_bytes())
        assert run(home).success
    assert run(whole).success
    assert rows(home) == rows(whole)
    assert lying(home) == set()
    assert refusals(home) == []


def test_a_file_with_another_fault_is_refused_at_once(home: Path) -> None:
    added(f"{NOBODY},{STORE_ID},5,2026-01-01\np0,{STORE_ID},cheap,2026-02-01")(home / "landing" / PRICES)
    assert run(home).success
    assert lying(home) == set()
    assert sorted(refusals(home)) == [
        (PRICES, 4, "product_id", "unknown_reference"),
        (PRICES, 5, "price_fen", "wrong_type"),
    ]
    assert ids(home, "prices", "product_id") == {"p0", "p1"}


def test_a_time_that_is_not_believed_refuses_nothing_that_waits(home: Path) -> None:
    added(f"{NOBODY},{STORE_ID},5,2026-01-01")(home / "landing" / PRICES)
    workplace, clock = Workplace(home=str(home)), Clock()
    resources = {"workplace": workplace, "clock": clock, "tables": Tables(workplace=workplace, clock=clock)}
    assert dg.materialize([sweeps], resources=resources).success
    # The sweep left a heartbeat of the machine's clock; three days in no time are doubted.
    assert run(home, clock.now() + timedelta(days=3)).success
    assert lying(home) == {PRICES}


def test_a_slot_a_camera_and_a_gate_that_a_new_delivery_leaves_out_stay(home: Path) -> None:
    assert run(home).success
    before = rows(home)
    land_reference(home / "landing")
    plan = home / "landing" / "reference" / "stores" / STORE_ID / "store.yaml"
    content = yaml.safe_load(plan.read_text())
    content["slots"].pop()
    content["gates"] = [{"gate_id": "gate-2", "x_m": 3.0, "y_m": 0.5}]
    plan.write_text(yaml.safe_dump(content))
    cameras = home / "landing" / CAMERAS
    content = yaml.safe_load(cameras.read_text())
    content["cameras"].pop()
    cameras.write_text(yaml.safe_dump(content))
    assert run(home).success
    after = rows(home)
    assert {name for name in after if after[name] != before[name]} == {"stores"}
    stores = scan(Lake(str(home / "lake")), store_reference.STORES).select("gate_ids", "gate_positions_m").collect()
    assert stores.rows() == [(["gate-2", "gate-1"], [[3.0, 0.5], [0.5, 0.5]])]


def test_one_stores_odd_file_holds_up_no_other_store(home: Path) -> None:
    """A zone called like a slot of the same camera, a planogram without a store, beside a sound store."""
    for store_id in ("t002", "t003"):
        folder = home / "landing" / "reference" / "stores" / store_id
        folder.mkdir()
        (folder / "planogram.csv").write_text((home / "landing" / PLAN).read_text())
    content = yaml.safe_load((home / "landing" / CAMERAS).read_text())
    content["cameras"][0]["zones"] = [{"zone_id": "g1-0-00", "polygon_px": [[0, 0], [1, 0], [1, 1]]}]
    (home / "landing" / "reference" / "stores" / "t002" / "cameras.yaml").write_text(yaml.safe_dump(content))
    assert run(home).success
    assert ids(home, "cameras", "store_id") == ids(home, "planograms", "store_id") == {STORE_ID}
    assert refusals(home) == [("reference/stores/t002/cameras.yaml", 0, "cameras[0].zones[0].zone_id", "duplicate_key")]
    assert lying(home) == {f"reference/stores/{store_id}/planogram.csv" for store_id in ("t002", "t003")}
