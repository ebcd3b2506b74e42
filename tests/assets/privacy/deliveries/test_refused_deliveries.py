"""What was refused and what is stuck is counted, by words that say nothing of what it holds or was called."""

from __future__ import annotations

import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from rich.console import Console

from assets.privacy.deliveries.assets import refused_deliveries
from assets.privacy.deliveries.checks import NONE_REFUSED, NONE_STUCK
from assets.privacy.deliveries.leftovers import find_leftovers
from assets.privacy.places import unclaimed
from lakehouse.contracts.privacy import REFUSED_DELIVERIES
from lakehouse.lake import Lake
from lakehouse.tables.reader import scan
from orchestration.report.deliveries import show
from resources.clock import Clock
from resources.landing.deliveries import DELIVERIES, ORDERS_HISTORY
from resources.landing.folder import Landing
from resources.name_key import name_key
from resources.settings import load_settings
from resources.steps.write_path import Tables
from resources.workplace import Workplace

NOW = datetime(2026, 11, 25, 6, tzinfo=UTC)
CANARY = "Li Wei 13800000000"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a history file of one good and two bad lines, a file called after a person, a broken note of reasons,
    half a clip of yesterday and one of a minute ago."""
    landing = tmp_path / "landing"
    history = landing / "orders_history" / "s001"
    history.mkdir(parents=True)
    (history / "2026-11-20.jsonl").write_text('{"phone": "1"}\nnot json\n')
    (history / f"{CANARY}.jsonl").write_text("{}\n")
    found = Landing(landing)
    found.consume(found.read(ORDERS_HISTORY), now=NOW)
    broken = landing / "rejected" / "gate_events" / "s001"
    broken.mkdir(parents=True)
    (broken / "2026-11-21-abc.jsonl").write_text("x")
    (broken / "2026-11-21-abc.jsonl.reason.json").write_text("{")
    (broken / "2026-11-22-abc.jsonl").write_text("a file without a note")
    for stamp, age in (("20261124T060000.000Z", timedelta(days=1)), ("20261125T055900.000Z", timedelta(minutes=1))):
        clip = landing / "footage" / "s001" / "c1" / f"{stamp}.mp4"
        clip.parent.mkdir(parents=True, exist_ok=True)
        clip.write_bytes(b"half")
        os.utime(clip, ((NOW - age).timestamp(),) * 2)
    return tmp_path


def run(home: Path) -> dg.ExecuteInProcessResult:
    workplace, clock = Workplace(home=str(home)), Clock(fixed_at=NOW.isoformat())
    resources = {"tables": Tables(workplace=workplace, clock=clock), "clock": clock}
    return dg.materialize([refused_deliveries], resources=resources)


def rows(home: Path) -> pl.DataFrame:
    return scan(Lake(str(home / "lake")), REFUSED_DELIVERIES).collect()


def test_each_is_counted_by_reason_and_only_harmless_names_are_shown(home: Path) -> None:
    result = run(home)
    found = rows(home).sort("delivery", "reason")
    assert found.select("delivery", "store_id", "file_name", "state", "field", "reason", "lines").rows() == [
        ("footage", "s001", "20261124T060000.000Z.mp4", "stuck", "", "", 1),
        ("gate_events", "s001", "", "refused", "", "unknown", 1),
        ("gate_events", "s001", "", "refused", "", "unknown", 1),
        ("orders_history", "s001", "", "refused", "", "file_name", 1),
        ("orders_history", "s001", "2026-11-20.jsonl", "refused", "", "not_json", 1),
        ("orders_history", "s001", "2026-11-20.jsonl", "refused", "phone", "unknown_field", 1),
    ]
    counts = {
        check.check_name: check.metadata["count"].value
        for check in result.get_asset_check_evaluations()
        if not check.passed
    }
    assert counts == {NONE_REFUSED: 4, NONE_STUCK: 1}
    for path in (*(home / "lake").rglob("*"), home / "keys"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes()
    names = [path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()]
    assert unclaimed(names) == []
    console = Console(file=io.StringIO(), width=160)
    show(console, Lake(str(home / "lake")))
    assert isinstance(console.file, io.StringIO)
    said = console.file.getvalue()
    assert "deliveries: 4 files refused, 1 stuck" in said
    assert "unknown_field" in said
    assert CANARY not in said


def test_what_was_mended_is_gone_from_the_table(home: Path) -> None:
    run(home)
    for path in [*(home / "landing").rglob("*")]:
        if path.is_file():
            path.unlink()
    result = run(home)
    assert rows(home).is_empty()
    assert all(check.passed for check in result.get_asset_check_evaluations())


def test_the_key_is_made_once_and_is_nobody_elses(home: Path) -> None:
    settings = load_settings(home=home)
    key = name_key(settings)
    assert name_key(settings) == key
    assert (home / "keys" / "file_names.key").stat().st_mode & 0o077 == 0
    assert [path.name for path in (home / "keys").iterdir()] == ["file_names.key"]
    (home / "keys" / "file_names.key").write_bytes(b"cut")
    assert name_key(settings) != key
    assert len(name_key(settings)) == 32


@pytest.mark.parametrize(
    "note", [b"", b"[]", b"{}", b"\xff", b"[" * 5000, json.dumps({"source": "../x", "lines": []}).encode()]
)
def test_a_note_that_cannot_be_read_is_unknown_and_not_silent(home: Path, note: bytes) -> None:
    path = home / "landing" / "rejected" / "accounts" / "2026-11-20-abc.jsonl.reason.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(note)
    (left,) = [found for found in find_leftovers(home / "landing", tuple(DELIVERIES)) if found.category == "accounts"]
    assert left.reasons is None
