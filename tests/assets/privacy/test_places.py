"""Nothing lies where nobody empties."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from assets.analytics.marts.warehouse import BUILDING_FOLDER, LOCK_FILE
from assets.privacy.places import PLACES, SWEEP, HomePlace, file_places, unclaimed
from assets.privacy.retention.checks import every_file_is_claimed
from assets.privacy.retention.due import SWEPT_TABLES
from lakehouse.contract import RetentionClass
from lakehouse.contracts import CONTRACTS
from resources.landing.deliveries import DELIVERIES
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


@pytest.mark.parametrize("path", CLAIMED)
def test_known_places_are_claimed_by_one_entry(path: str) -> None:
    assert [place.name for place in PLACES if place.claims(path)] != []
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


def test_every_delivery_has_a_place_where_it_lands_and_one_where_it_is_kept_if_refused() -> None:
    names = {place.name for place in PLACES}
    assert {
        name for category in DELIVERIES for name in (f"landing/{category}", f"landing/rejected/{category}")
    } <= names


@pytest.mark.parametrize("place", [place for place in PLACES if place.emptied_by], ids=lambda place: place.name)
def test_whoever_empties_a_place_exists(place: HomePlace) -> None:
    module, _, function = place.emptied_by.partition(":")
    found: object = import_module(module)
    for part in function.split("."):
        found = getattr(found, part)
    assert callable(found)


def test_what_nobody_empties_yet_is_known_and_said() -> None:
    """The accounts' clock is to come: until then this is the list of what it has to end."""
    open_places = {place.name for place in PLACES if not place.emptied_by and place.retention is RetentionClass.ACCOUNT}
    tables = {f"lake/{table.path}" for table in CONTRACTS.values() if table.retention is RetentionClass.ACCOUNT}
    kept = {"gate_events", "accounts", "orders_history", "reviews"}
    assert open_places == tables | {f"landing/rejected/{category}" for category in kept}
    assert all(place.why.startswith("nobody yet") for place in PLACES if place.name in open_places)
    assert all(place.why for place in PLACES)


def test_every_place_that_the_sweep_is_to_empty_it_looks_at(tmp_path: Path) -> None:
    swept = {place.name: place.retention for place in file_places(load_settings({}, home=tmp_path))}
    tables = {f"lake/{table.path}" for table in CONTRACTS.values()}
    folders = [place for place in PLACES if place.name not in tables]
    assert swept == {place.name: place.retention for place in folders if place.emptied_by == SWEEP}
    short_lived = (RetentionClass.FOOTAGE, RetentionClass.MOVEMENT)
    assert {place.name for place in folders if place.retention in short_lived} <= set(swept)
