"""A delivery that is tried: the reasons are those of the steps, nothing is moved, and nothing of it is repeated."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from assets.orders.reference.documents import read_documents
from assets.orders.reference.intake import take
from orchestration.__main__ import main
from orchestration.commands.landing_check import Fault, try_delivery
from resources.landing.folder import Document, Landing
from tests.e2e.bad_deliveries import land_every_kind

SHIPPED = Path(__file__).resolve().parents[3] / "simulation" / "store_day" / "landing"
DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "13812345678"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped delivery without its footage, which takes seconds to decode."""
    place = tmp_path / "delivery"
    shutil.copytree(SHIPPED, place, ignore=shutil.ignore_patterns("footage"))
    return place


def products(*ids: str) -> bytes:
    return "\n".join(["product_id,name,category,weight_g", *(f"{name},a,b,1" for name in ids)]).encode()


def tree(folder: Path) -> dict[str, int]:
    return {str(path): path.lstat().st_mtime_ns for path in folder.rglob("*")}


def test_a_sound_delivery_is_sound_and_stays(folder: Path) -> None:
    before = tree(folder)
    trial = try_delivery(folder, {}, NOW)
    assert trial.is_sound
    assert set(trial.files.values()) == {"ok"}
    assert "gate_events/s001/2026-11-20.jsonl" in trial.files
    assert tree(folder) == before


def test_one_delivery_of_every_bad_kind_is_named_with_its_reason(folder: Path) -> None:
    deliveries = land_every_kind(folder, "s001", DAY)
    (folder / "elsewhere.mp4").unlink()
    before = tree(folder)
    trial = try_delivery(folder, {}, NOW)
    told = {(fault.file, fault.reason) for fault in trial.faults}
    for delivery in deliveries:
        if delivery.reason is None:
            assert trial.files[delivery.path] == "waiting"
        elif delivery.path.endswith(".mp4") and (folder / delivery.path).with_suffix(".json").exists():
            assert (delivery.path.removesuffix(".mp4") + ".json", delivery.reason) in told
        else:
            assert (delivery.path, delivery.reason) in told
    assert tree(folder) == before


def test_a_line_at_an_unknown_gate_and_a_folder_that_is_no_delivery_are_named(folder: Path) -> None:
    scans = folder / "gate_events" / "s001" / "2026-11-20.jsonl"
    first = json.loads(scans.read_text().splitlines()[0])
    scans.write_text("\n".join(json.dumps(row) for row in (first, first | {"gate_id": "nowhere"})) + "\n")
    other = folder / "surveys" / "2026-11-20.jsonl"
    other.parent.mkdir()
    other.write_text(SECRET)
    assert try_delivery(folder, {}, NOW).faults == (
        Fault("gate_events/s001/2026-11-20.jsonl", 2, "gate_id", "unknown_reference"),
        Fault("surveys/2026-11-20.jsonl", 0, "", "file_name"),
    )


def test_a_store_that_landed_before_is_known(folder: Path) -> None:
    documents = read_documents(Landing(folder).read_reference().documents)
    shutil.rmtree(folder / "reference")
    assert {fault.reason for fault in try_delivery(folder, {}, NOW).faults} == {"unknown_reference"}
    assert try_delivery(folder, take(documents, {}, ()).tables, NOW).is_sound


def test_what_names_nobody_would_wait_and_is_named_all_the_same(folder: Path) -> None:
    prices = folder / "reference" / "prices.csv"
    prices.write_text(prices.read_text() + f"{SECRET},s001,5,2026-01-01\n")
    trial = try_delivery(folder, {}, NOW)
    (fault,) = trial.faults
    assert (fault.file, fault.field, fault.reason) == ("reference/prices.csv", "product_id", "unknown_reference")
    assert trial.counts == {"ok": len(trial.files) - 1, "waiting": 1}
    landed = take(read_documents([Document("products.csv", None, "", products(SECRET))]), {}, ()).tables
    assert try_delivery(folder, landed, NOW).is_sound


def test_a_clip_that_nothing_opens_is_named(folder: Path) -> None:
    stem = "20261120T020000.000Z"
    clips = folder / "footage" / "s001" / "c1"
    clips.mkdir(parents=True)
    (clips / f"{stem}.mp4").write_bytes(b"no video")
    sidecar = {
        "camera_id": "c1",
        "store_id": "s001",
        "captured_at": "2026-11-20T02:00:00Z",
        "fps": 10,
        "frame_count": 1,
        "width_px": 1,
        "height_px": 1,
        "sha256": hashlib.sha256(b"no video").hexdigest(),
        "clock_skew_ms": 0,
    }
    (clips / f"{stem}.json").write_text(json.dumps(sidecar))
    (fault,) = try_delivery(folder, {}, NOW).faults
    assert fault.file == f"footage/s001/c1/{stem}.mp4"
    assert fault.reason.startswith("unreadable")


def test_the_command_says_what_would_be_refused_and_repeats_no_content(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = ["--home", str(tmp_path / "home"), "land", "--check", str(folder)]
    (folder / "accounts" / "2026-11-21.jsonl").write_text(json.dumps({SECRET: SECRET}))
    (folder / "accounts" / os.fsdecode(b"\xff[red].jsonl")).write_text(SECRET)
    assert main(home) == 1
    said = capsys.readouterr().out
    assert "line 1: (unnamed): unknown_field" in said
    assert SECRET not in said
    assert main([*home, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["counts"]["refused"] == 2
    assert {"file": "accounts/2026-11-21.jsonl", "line": 1, "field": "(unnamed)", "reason": "unknown_field"} in found[
        "refused"
    ]
    assert not (tmp_path / "home").exists()
    assert main(["land", "--check", str(tmp_path / "nowhere")]) == 2
