"""The shipped store-day: files as the manifest says, truth that agrees with itself and with the footage."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
import yaml

from simulation.catalogue import BY_ID
from simulation.landing import SHIPPED

MANIFEST: dict[str, Any] = json.loads((SHIPPED / "manifest.json").read_text())
CLIPS = sorted((SHIPPED / "landing" / "footage").rglob("*.mp4"))


def truth(name: str) -> pl.DataFrame:
    return pl.read_parquet(SHIPPED / "truth" / f"{name}.parquet")


def test_manifest_names_every_file_with_its_hash() -> None:
    files = {
        str(path.relative_to(SHIPPED)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in SHIPPED.rglob("*")
        if path.is_file() and path.name not in ("manifest.json", "LICENSE")
    }
    assert files == MANIFEST["sha256"]
    assert MANIFEST["is_simulated"] is True


def test_it_is_as_large_as_promised_and_not_larger() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.rglob("*") if path.is_file()) <= 25_000_000
    assert 120 <= MANIFEST["seconds"] <= 180
    kinds = Counter(truth("persons")["kind"].to_list())
    assert kinds["shopper"] >= 8
    assert kinds["staff"] == kinds["browser"] == 1
    assert kinds["tailgater"] <= 1
    persons = truth("persons")
    busiest = max(
        persons.filter((pl.col("entry_s") <= at) & (pl.col("exit_s") >= at)).height
        for at in persons["entry_s"].to_list()
    )
    assert busiest >= 3
    scenarios = set(persons["scenario"].to_list())
    assert {
        "single",
        "several",
        "put_back",
        "wrong_slot",
        "same_product",
        "hand_over",
        "restocking",
    } <= scenarios


@pytest.mark.parametrize("clip", CLIPS, ids=lambda clip: f"{clip.parent.name}-{clip.stem[-8:-5]}")
def test_footage_opens_and_has_the_declared_frames(clip: Path) -> None:
    sidecar = json.loads(clip.with_suffix(".json").read_text())
    assert hashlib.sha256(clip.read_bytes()).hexdigest() == sidecar["sha256"]
    video, count = cv2.VideoCapture(str(clip)), 0
    assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (640, 480)
    while video.grab():
        count += 1
    assert count == sidecar["frame_count"]
    if "frame_times_ms" in sidecar:
        assert len(sidecar["frame_times_ms"]) == count
        assert sorted(set(sidecar["frame_times_ms"])) == sidecar["frame_times_ms"]
    boxes = truth("boxes").filter(pl.col("clip") == clip.stem)
    assert boxes["clip_frame_index"].max() < count  # type: ignore[operator]


def test_receipts_are_picks_less_put_backs_with_what_was_handed_over() -> None:
    balance: Counter[tuple[str, str]] = Counter()
    for event in truth("events").iter_rows(named=True):
        key = (event["person_id"], event["product_id"])
        sign = {"pick": 1, "put_back": -1, "hand_over": -1}.get(event["type"], 0)
        balance[key] += sign * event["quantity"]
        if event["type"] == "hand_over":
            balance[(event["to_person_id"], event["product_id"])] += event["quantity"]
    assert min(balance.values()) >= 0
    persons = {row["person_id"]: row for row in truth("persons").iter_rows(named=True)}
    receipts = truth("receipts")
    assert {key: n for key, n in balance.items() if n} == {
        (row["person_id"], row["product_id"]): row["quantity"] for row in receipts.iter_rows(named=True)
    }
    for row in receipts.iter_rows(named=True):
        assert row["account_id"] == persons[row["person_id"]]["account_id"]
        assert row["unit_price_fen"] == BY_ID[row["product_id"]].price_fen
        assert row["amount_fen"] == row["quantity"] * row["unit_price_fen"]
        assert persons[row["person_id"]]["kind"] not in ("staff", "browser")


def test_events_happen_at_known_slots_within_reach() -> None:
    folder = SHIPPED / "landing" / "reference" / "stores" / MANIFEST["store_id"]
    store = yaml.safe_load((folder / "store.yaml").read_text())
    slots = {slot["slot_id"]: slot for slot in store["slots"]}
    planogram = {row["slot_id"]: row["product_id"] for row in csv.DictReader((folder / "planogram.csv").open())}
    assert planogram.keys() == slots.keys()
    positions = {(row[0], row[1]): row[2:] for row in truth("positions").iter_rows()}
    events = truth("events")
    wrong = 0
    for event in events.iter_rows(named=True):
        if event["slot_id"] is None:
            assert event["type"] == "hand_over"
            continue
        slot = slots[event["slot_id"]]
        x, y = positions[(round(event["time_s"], 1), event["person_id"])]
        assert np.hypot(x - slot["x_m"], y - slot["y_m"]) < 0.85
        wrong += event["type"] == "put_back" and event["product_id"] != planogram[event["slot_id"]]
        if event["type"] == "pick":
            assert event["product_id"] == planogram[event["slot_id"]]
    assert wrong >= 1
    counts = Counter(events["type"].to_list())
    assert counts == MANIFEST["events"]
    assert 0.15 <= counts["put_back"] / counts["pick"] <= 0.33


def test_every_slot_is_watched_by_two_cameras() -> None:
    folder = SHIPPED / "landing" / "reference" / "stores" / MANIFEST["store_id"]
    cameras = yaml.safe_load((folder / "cameras.yaml").read_text())["cameras"]
    assert sum(camera["kind"] == "ceiling" for camera in cameras) >= 3
    assert any(camera["kind"] == "shelf" for camera in cameras)
    seen = Counter(slot["slot_id"] for camera in cameras for slot in camera["slots"])
    slots = [slot["slot_id"] for slot in yaml.safe_load((folder / "store.yaml").read_text())["slots"]]
    assert min(seen[slot] for slot in slots) >= 2


def test_people_walk_and_do_not_walk_through_each_other() -> None:
    positions = truth("positions")
    for _, one in positions.group_by("person_id"):
        step = one.sort("time_s").select(pl.col("x_m", "y_m").diff().drop_nulls())
        assert float(np.hypot(step["x_m"], step["y_m"]).max()) < 0.25
    for _, instant in positions.group_by("time_s"):
        xy = instant.select("x_m", "y_m").to_numpy()
        apart = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) + np.eye(len(xy)) * 9
        assert apart.min() > 0.35


def test_scans_are_at_the_gate_and_match_the_persons() -> None:
    path = next((SHIPPED / "landing" / "gate_events" / MANIFEST["store_id"]).iterdir())
    scans = Counter((row["account_id"], row["direction"]) for row in map(json.loads, path.read_text().splitlines()))
    known = truth("persons").filter(pl.col("account_id").is_not_null())["account_id"].to_list()
    assert scans == Counter((account, direction) for account in known for direction in ("entry", "exit"))
