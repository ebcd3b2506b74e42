"""Nothing lies where nobody empties."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from assets.analytics.marts.warehouse import BUILDING_FOLDER, LOCK_FILE
from assets.privacy.places import PLACES, SWEEP, file_places, unclaimed
from assets.privacy.retention.checks import every_file_is_claimed
from assets.privacy.retention.due import SWEPT_TABLES
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.retention import SCHEDULE
from resources.landing import deliveries
from resources.landing.deliveries import DELIVERIES
from resources.landing.lines import LineFormat
from resources.settings import load_settings

CLAIMED = (
    "landing/reference/stores/s001/store.yaml",
    "landing/footage/s001/c1/20260302T040000.000Z.mp4",
    "landing/rejected/footage/s001/c1/20260302T040000.000Z.mp4.reason.json",
    "landing/gate_events/s001/2026-03-02.jsonl",
    "landing/store_day_offset.json",
    "landing/.store_day_offset.json.partial",
    "landing/footage/s001/c1/.20260302T040000.000Z.mp4.partial",
    "landing/rejected/footage/s001/c1/.20260302T040000.000Z.mp4.reason.json.71.tmp",
    "landing/gate_events/s001/.2026-03-02.jsonl.partial",
    "landing/accounts/.2026-03-02.jsonl.partial",
    "landing/rejected/accounts/.2026-03-02-0123456789ab.jsonl.71.tmp",
    "footage/s001/c1/2026-03-02T04Z/.20260302T040000.000Z-abc.mp4.arriving",
    "lake/vision/track_points/store_id=s001/capture_hour=2026-03-02T04Z/part-0.parquet",
    "lake/orders/stores/_delta_log/00000000000000000000.json",
    "lake/_engine/sweep_journal.json",
    "footage/s001/c1/2026-03-02T04Z/20260302T040000.000Z-abc.mp4",
    "warehouse/analytics.duckdb",
    f"warehouse/{LOCK_FILE}",
    f"warehouse/{BUILDING_FOLDER}/analytics.duckdb",
    "dagster/history/runs.db",
    "tmp/review-1234.png",
    "keys/file_names.key",
    "simulated/s001/timeline.json",
)
UNCLAIMED = (
    "notes.txt",
    "landing/holiday.mp4",
    "landing/diaries/2026-03-02.jsonl",
    "lake/vision/faces/part-0.parquet",
    "lake/stray.parquet",
    "warehouse/copy.duckdb",
    "exports/accounts.csv",
    "backups/lake.tar",
)

EMPTIED_BY_NOBODY = {
    "landing/rejected/reference",
    "landing/rejected/gate_events",
    "landing/rejected/accounts",
    "landing/rejected/orders_history",
    "landing/rejected/reviews",
    "lake/orders/stores",
    "lake/orders/cameras",
    "lake/orders/slots",
    "lake/orders/slot_views",
    "lake/orders/planograms",
    "lake/orders/products",
    "lake/orders/prices",
    "lake/orders/gate_events",
    "lake/orders/visits",
    "lake/orders/orders",
    "lake/orders/order_lines",
    "lake/orders/review_items",
    "lake/orders/review_decisions",
    "lake/orders/historical_orders",
    "lake/orders/historical_order_lines",
    "lake/privacy/accounts",
    "lake/privacy/sweeps",
    "lake/privacy/refused_deliveries",
    "lake/privacy/store_freshness",
    "engine",
    "keys",
    "rendered store-days",
}
SWEPT_FOLDERS = {"landing/footage", "landing/rejected/footage", "landing/unfinished", "footage", "tmp"}
TABLES = {f"lake/{table.path}" for table in CONTRACTS.values()}
NOT_WRITTEN_YET = {"exports", "backups"}


@pytest.mark.parametrize("path", CLAIMED)
def test_a_known_file_belongs_to_one_place(path: str) -> None:
    assert len([place for place in PLACES if place.claims(path)]) == 1


@pytest.mark.parametrize("path", UNCLAIMED)
def test_unknown_places_are_not(path: str) -> None:
    assert unclaimed([path]) == [path]


def test_the_check_counts_what_nobody_claims(tmp_path: Path) -> None:
    for path in CLAIMED:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    assert every_file_is_claimed(tmp_path).success
    for path in UNCLAIMED[:2]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"")
    found = every_file_is_claimed(tmp_path)
    assert not found.success
    assert found.unexpected_count == 2


def test_every_table_has_a_place_and_every_short_lived_one_is_swept() -> None:
    for table in CONTRACTS.values():
        (place,) = [place for place in PLACES if place.claims(f"lake/{table.path}/part-0.parquet")]
        assert place.retention is table.retention
        assert (place.emptied_by == SWEEP) == (table in SWEPT_TABLES)
        if table in SWEPT_TABLES:
            assert table.partition_by == ("store_id", "capture_hour"), "dropped by the hour, or not in time"
            assert table.clock_column is not None


def test_every_format_is_delivered_and_every_delivery_has_its_places() -> None:
    formats = {value.category for value in vars(deliveries).values() if isinstance(value, LineFormat)}
    assert formats == {name for name, delivery in DELIVERIES.items() if delivery.lines}
    for category, delivery in DELIVERIES.items():
        for folder in (f"landing/{category}", f"landing/rejected/{category}"):
            (place,) = [place for place in PLACES if place.claims(f"{folder}/x")]
            assert (place.name, place.retention) == (folder, delivery.retention)


def test_names_are_unique() -> None:
    names = [place.name for place in PLACES]
    assert len(names) == len(set(names)), "entries of the ledger go by name"


@pytest.mark.parametrize("function", sorted({place.emptied_by for place in PLACES if place.emptied_by}))
def test_who_empties_a_place_is_there(function: str) -> None:
    module, _, name = function.partition(":")
    found: object = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    assert callable(found)


def test_nobody_empties_only_what_is_known_to_be_emptied_by_nobody() -> None:
    assert {place.name for place in PLACES if place.emptied_by is None} == EMPTIED_BY_NOBODY
    assert all(place.why and place.holds for place in PLACES)


def test_what_has_a_limit_is_emptied_within_it_by_somebody() -> None:
    for place in PLACES:
        promised = SCHEDULE[place.retention].limit if place.retention else None
        assert not promised or (place.limit and place.limit <= promised), place.name
        assert not place.limit or place.emptied_by, place.name


def test_every_folder_of_the_home_has_a_place_or_is_not_written_yet(tmp_path: Path) -> None:
    claimed = {path.partition("/")[0] for path in CLAIMED}
    assert set(load_settings({}, home=tmp_path).folders) - claimed == NOT_WRITTEN_YET
    assert all(unclaimed([f"{folder}/x"]) for folder in NOT_WRITTEN_YET)


def test_the_sweep_looks_at_every_folder_that_it_is_to_empty(tmp_path: Path) -> None:
    swept = {place.name: (place.retention, place.limit) for place in file_places(load_settings({}, home=tmp_path))}
    assert swept == {place.name: (place.retention, place.limit) for place in PLACES if place.name in SWEPT_FOLDERS}
    assert {place.name for place in PLACES if place.emptied_by == SWEEP} - TABLES == SWEPT_FOLDERS == swept.keys()


@pytest.mark.parametrize("path", CLAIMED)
def test_the_sweep_finds_a_file_where_the_registry_says_that_it_lies(path: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(b"x")
    found = [place.name for place in file_places(load_settings({}, home=tmp_path)) if any(place.files())]
    assert found == [place.name for place in PLACES if place.claims(path) and place.name in SWEPT_FOLDERS]
