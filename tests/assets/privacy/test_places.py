"""Nothing lies where nobody empties."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.analytics.marts.warehouse import BUILDING_FOLDER, LOCK_FILE
from assets.privacy.places import LANDING_CATEGORIES, SINKS, file_places, unclaimed
from assets.privacy.retention.checks import every_file_is_claimed
from assets.privacy.retention.due import SWEPT_TABLES
from lakehouse.contract import RetentionClass
from lakehouse.contracts import CONTRACTS
from resources.landing import deliveries
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
def test_known_places_are_claimed_by_one_sink(path: str) -> None:
    assert [sink.name for sink in SINKS if sink.claims(path)] != []
    assert len([sink for sink in SINKS if sink.claims(path)]) == 1


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


def test_every_table_has_a_sink_and_every_short_lived_one_is_swept() -> None:
    for table in CONTRACTS.values():
        (sink,) = [sink for sink in SINKS if sink.claims(f"lake/{table.path}/part-0.parquet")]
        assert sink.retention is table.retention
        assert (sink.emptied_by == "sweep") == (table in SWEPT_TABLES)
        if table in SWEPT_TABLES:
            assert table.partition_by == ("store_id", "capture_hour"), "dropped by the hour, or not in time"
            assert table.clock_column is not None


def test_every_landing_category_has_a_sink() -> None:
    values = vars(deliveries).values()
    formats = {value.category for value in values if isinstance(value, LineFormat)}
    assert formats | {"reference", "footage"} == set(LANDING_CATEGORIES)


def test_every_place_that_the_sweep_is_to_empty_it_looks_at(tmp_path: Path) -> None:
    swept = {place.name: place.retention for place in file_places(load_settings({}, home=tmp_path))}
    tables = {f"lake/{table.path}" for table in CONTRACTS.values()}
    folders = [sink for sink in SINKS if sink.name not in tables]
    assert swept == {sink.name: sink.retention for sink in folders if sink.emptied_by == "sweep"}
    short_lived = (RetentionClass.FOOTAGE, RetentionClass.MOVEMENT)
    assert {sink.name for sink in folders if sink.retention in short_lived} <= set(swept)
