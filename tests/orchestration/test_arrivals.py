"""What waits in landing, by the job that takes it: nothing that lies there stops the look."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from lakehouse.store_day import StoreDay
from orchestration import arrivals

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = StoreDay("s001", date(2026, 11, 22))


def put(root: Path, name: str) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"{}")
    return path


@pytest.mark.parametrize(
    "name",
    [
        "gate_events/s001/2026-13-45.jsonl",
        "gate_events/s001/2099-01-01.jsonl",
        "gate_events/s001/9999-12-31.jsonl",
        "gate_events/2026-11-22.jsonl",
        "footage/s001/c1/99991231T000000.000Z.mp4",
        "footage/s001/c1/00010101T000000.000Z.mp4",
        os.fsdecode(b"footage/s001/c1/\xff.mp4"),
    ],
)
def test_a_name_that_says_no_day_is_a_stray_and_the_day_is_seen(tmp_path: Path, name: str) -> None:
    good, bad = put(tmp_path, "gate_events/s001/2026-11-22.jsonl"), put(tmp_path, name)
    found = arrivals.look(tmp_path, NOW)
    assert found.files == {TODAY: (good,)}
    assert found.strays == (bad,)
    assert found.has_store_wide, "the step that refuses it is started"


def test_a_history_file_beside_its_stores_folder_starts_the_step_that_refuses_it(tmp_path: Path) -> None:
    put(tmp_path, "gate_events/s001/2026-11-22.jsonl")
    bad = put(tmp_path, "orders_history/2026-11-20.jsonl")
    found = arrivals.look(tmp_path, NOW)
    assert found.store_wide == (bad,)
    assert found.store_days == (TODAY,)


def test_a_sidecar_alone_starts_nothing(tmp_path: Path) -> None:
    put(tmp_path, "footage/s001/c1/20261122T020000.000Z.json")
    assert arrivals.look(tmp_path, NOW).is_empty
    put(tmp_path, "footage/s001/c1/20261122T020000.000Z.mp4")
    assert arrivals.look(tmp_path, NOW).store_days == (TODAY,)
