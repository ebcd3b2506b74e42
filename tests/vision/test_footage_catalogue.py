"""Clips that cannot be used are counted with a reason, and the rest goes on."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest

from assets.vision.footage_catalogue import Probe, Sidecar, catalogue, counts_by_status, probe
from lakehouse.contracts.vision import FOOTAGE_SEGMENTS

START = datetime(2026, 11, 21, 16, tzinfo=UTC)
END = START + timedelta(days=1)
EDGE_CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "edge_cases"
real_footage = pytest.mark.skipif(not EDGE_CASES.is_dir(), reason="real footage is not beside the repository")


def sidecar(at: datetime = START, camera: str = "c1", count: int = 100, sha: str = "", skew_ms: int = 0) -> Sidecar:
    return Sidecar("s001", camera, at, 10.0, count, 64, 48, sha, skew_ms)


def found(side: Sidecar, path: str = "a.mp4", frames: int = 100, sha: str = "aa", can_open: bool = True) -> Probe:
    return Probe(side, path, 1000, sha, frames, side.frame_count, 64, 48, can_open)


def statuses(*probes: Probe) -> list[str]:
    return catalogue(probes, START, END)["status"].to_list()


def test_every_way_to_fail_has_its_name() -> None:
    assert statuses(found(sidecar())) == ["ok"]
    assert statuses(found(sidecar(), can_open=False)) == ["unreadable"]
    assert statuses(found(sidecar(sha="bb"))) == ["unreadable"]
    assert statuses(found(sidecar(), frames=0)) == ["empty"]
    assert statuses(found(sidecar(), frames=46)) == ["truncated"]
    assert statuses(found(sidecar(), frames=99)) == ["ok"]
    assert statuses(found(sidecar(END))) == ["misdated"]
    assert statuses(found(sidecar()), found(sidecar(), "b.mp4")) == ["ok", "duplicate"]
    assert statuses(found(sidecar()), found(sidecar(), "b.mp4", sha="cc")) == ["ok", "ok"]


def test_the_frame_keeps_its_contract_and_every_clip_its_own_id() -> None:
    table = catalogue([found(sidecar()), found(sidecar(), "b.mp4"), found(sidecar(camera="c2"), "c.mp4")], START, END)
    assert table.schema == FOOTAGE_SEGMENTS.schema
    assert table["clip_id"].n_unique() == 3
    assert counts_by_status(table) == {"duplicate": 1, "ok": 2}
    assert catalogue([], START, END).schema == FOOTAGE_SEGMENTS.schema


def test_gaps_are_counted_per_camera_in_store_time() -> None:
    table = catalogue(
        [
            found(sidecar()),
            found(sidecar(START + timedelta(seconds=12)), "b.mp4"),
            found(sidecar(START + timedelta(seconds=22, milliseconds=80), skew_ms=80), "c.mp4"),
            found(sidecar(START + timedelta(seconds=60), camera="c2"), "d.mp4"),
        ],
        START,
        END,
    )
    assert table["gap_before_ms"].to_list() == [0, 2000, 0, 0]
    assert table["captured_at"][2] == START + timedelta(seconds=22)
    assert table["duration_ms"].to_list() == [10_000] * 4


def test_true_frame_times_give_the_true_duration() -> None:
    side = Sidecar("s001", "c1", START, 10.0, 3, 64, 48, "", 0, (0.0, 100.0, 900.0))
    table = catalogue([found(side, frames=3)], START, END)
    assert table["duration_ms"].to_list() == [1000]
    assert table["ended_at"][0] == START + timedelta(milliseconds=900)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fps": None}, "type"),
        ({"fps": 0}, "fps"),
        ({"captured_at": "2026-11-22T00:00:00"}, "time zone"),
        ({"frame_times_ms": [0, 50, 20]}, "frame_times_ms"),
    ],
)
def test_a_wrong_sidecar_is_refused_without_its_values(change: dict[str, object], message: str) -> None:
    fields: dict[str, object] = {
        "store_id": "s001", "camera_id": "c1", "captured_at": "2026-11-22T00:00:00Z", "fps": 10, "frame_count": 3,
        "width_px": 64, "height_px": 48, "sha256": "aa",
    }  # fmt: skip
    assert Sidecar.from_json(fields).fps == 10.0
    with pytest.raises(ValueError, match=message):
        Sidecar.from_json({**fields, **change})
    with pytest.raises(ValueError, match="sha256 is absent"):
        Sidecar.from_json({k: v for k, v in fields.items() if k != "sha256"})


def test_probe_counts_the_frames_that_decode(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for level in range(7):
        writer.write(np.full((48, 64, 3), level * 30, dtype=np.uint8))
    writer.release()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    result = probe(path, sidecar(count=7, sha=digest), "clip.avi")
    assert (result.frame_count, result.width_px, result.height_px, result.sha256) == (7, 64, 48, digest)
    assert catalogue([result], START, END)["status"].to_list() == ["ok"]


@real_footage
def test_a_camera_that_recorded_nothing_and_one_cut_short() -> None:
    nothing = probe(EDGE_CASES / "zero_frames_cam0.mp4", sidecar(count=0), "zero.mp4")
    short = probe(EDGE_CASES / "truncated_6p-c0.avi", sidecar(count=2955, camera="c2"), "short.avi")
    table = catalogue([nothing, short], START, END)
    assert table["status"].to_list() == ["unreadable", "truncated"]
    assert table["frame_count"].to_list() == [0, 46]
    assert table["declared_frame_count"][1] == 2955
    assert "46 of 2955" in table["reason"][1]
