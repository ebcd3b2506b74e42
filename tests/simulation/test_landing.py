from __future__ import annotations

import hashlib
import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.landing.footage import parse_stamp
from simulation import landing
from simulation.landing import (
    OFFSET_FILE,
    REUSE_FOR,
    BrokenStoreDay,
    choose_start,
    is_usable,
    land,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 5, 33, 20, tzinfo=UTC)
instants = st.integers(0, 300_000_000).map(
    lambda seconds: datetime(2025, 8, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def clips(home: Path) -> list[Path]:
    return sorted((home / "landing" / "footage").rglob("*.mp4"))


@given(instants, st.integers(30, 600))
def test_a_redated_day_lies_in_one_business_date_and_the_recent_past(now: datetime, seconds: int) -> None:
    length = timedelta(seconds=seconds)
    start = choose_start(now, length)
    skew = timedelta(milliseconds=500)
    dates = {(moment.astimezone(SHANGHAI)).date() for moment in (start - skew, start + length + skew)}
    assert len(dates) == 1
    assert start + length < now
    assert now - start < timedelta(minutes=20) + length
    assert is_usable(start, now)


@pytest.mark.parametrize("minute", [0, 1, 2, 3, 4])
def test_just_after_midnight_in_shanghai_the_day_is_yesterday(minute: int) -> None:
    now = datetime(2026, 11, 22, 16, minute, 30, tzinfo=UTC)
    start = choose_start(now, timedelta(seconds=170))
    assert start.astimezone(SHANGHAI).date() == date(2026, 11, 22)


@given(instants, st.floats(0, 90))
def test_nothing_is_reused_that_could_expire_before_it_is_processed(t0: datetime, hours: float) -> None:
    now = t0 + timedelta(hours=hours)
    if is_usable(t0, now):
        assert now - t0.replace(minute=0, second=0, microsecond=0) < REUSE_FOR
    if hours < 70:
        assert is_usable(t0, now)


def test_landing_twice_lands_nothing_again(tmp_path: Path) -> None:
    first = land(tmp_path, NOW, days=3)
    before = content(tmp_path)
    assert first.files > 0
    assert first.history_days == 3
    assert land(tmp_path, NOW + timedelta(hours=60), days=3).files == 0
    assert content(tmp_path) == before
    for clip in clips(tmp_path):
        clip.unlink()  # consumed by the platform
    assert land(tmp_path, NOW + timedelta(hours=1), days=3).files == 0
    assert clips(tmp_path) == []


def test_after_its_life_a_new_day_lands_and_history_only_fills_up(tmp_path: Path) -> None:
    first = land(tmp_path, NOW, days=3)
    second = land(tmp_path, NOW + timedelta(days=4), days=5)
    assert second.t0 > first.t0
    assert second.files > 0
    days = sorted(path.stem for path in (tmp_path / "landing" / "orders_history" / "s001").iterdir())
    assert days == ["2026-11-19", "2026-11-20", "2026-11-21", "2026-11-23", "2026-11-24", "2026-11-25"]


def test_names_sidecars_and_scans_agree_after_redating(tmp_path: Path) -> None:
    landed = land(tmp_path, NOW, days=1)
    root = tmp_path / "landing"
    manifest = json.loads((landing.SHIPPED / "manifest.json").read_text())
    end = landed.t0 + timedelta(seconds=manifest["seconds"])
    assert clips(tmp_path)
    for clip in clips(tmp_path):
        sidecar = json.loads(clip.with_suffix(".json").read_text())
        captured_at = datetime.fromisoformat(sidecar["captured_at"])
        assert captured_at == parse_stamp(clip.stem)
        assert landed.t0 - timedelta(seconds=1) < captured_at < end
        assert hashlib.sha256(clip.read_bytes()).hexdigest() == sidecar["sha256"]
    scans = list((root / "gate_events" / "s001").iterdir())
    assert [path.name for path in scans] == [f"{landed.business_date}.jsonl"]
    for line in scans[0].read_text().splitlines():
        at = datetime.fromisoformat(json.loads(line)["scanned_at"])
        assert landed.t0 <= at < end
        assert at.astimezone(SHANGHAI).date() == landed.business_date
    accounts = {
        json.loads(line)["account_id"]
        for line in (root / "accounts" / f"{landed.business_date}.jsonl").read_text().splitlines()
    }
    assert {json.loads(line)["account_id"] for line in scans[0].read_text().splitlines()} <= accounts
    shipped = (landing.SHIPPED / "landing" / "reference" / "prices.csv").read_text()
    assert (root / "reference" / "prices.csv").read_text() == shipped


def test_a_landing_cut_off_at_any_file_is_finished_with_the_same_offset(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tmp_path / "whole"
    land(whole, NOW, days=2)
    put = os.replace
    total = len(content(whole)) + 2

    for cut in (1, 2, 4, 8, total // 2, total - 4):
        home, done = tmp_path / str(cut), 0

        def replace(source: Path, target: Path, cut: int = cut) -> None:
            nonlocal done
            done += 1
            if done > cut:
                raise KeyboardInterrupt
            put(source, target)

        monkeypatch.setattr(os, "replace", replace)
        with pytest.raises(KeyboardInterrupt):
            land(home, NOW, days=2)
        monkeypatch.setattr(os, "replace", put)
        for clip in clips(home):
            sidecar = json.loads(clip.with_suffix(".json").read_text())
            assert hashlib.sha256(clip.read_bytes()).hexdigest() == sidecar["sha256"]
        land(home, NOW + timedelta(minutes=7), days=2)
        left = {name: digest for name, digest in content(home).items() if not name.endswith(".partial")}
        assert left == content(whole)


def test_a_damaged_offset_is_named(tmp_path: Path) -> None:
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / OFFSET_FILE).write_text('{"t0": 3}')
    with pytest.raises(BrokenStoreDay, match="store_day_offset"):
        land(tmp_path, NOW)
