"""One pass over a clip: which frames are looked at, what comes out, what happens to clips that fail."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from assets.vision.camera import Camera
from assets.vision.clip_analysis import decode_pass
from assets.vision.clip_analysis.decode_pass import analyse_clip
from assets.vision.clip_analysis.settings import AnalysisSettings
from assets.vision.detection.appearance import COLOURS, describe, likeness
from assets.vision.detection.detector import Boxes, Frame, Region
from assets.vision.detection.motion_gate import MotionGate
from assets.vision.footage.clip import Clip, frames
from assets.vision.store_view import SlotView
from assets.vision.trajectories.clothing import dominant_colour
from lakehouse.contracts.vision import DETECTIONS, SLOT_EPISODES

SHARED = Path(__file__).resolve().parents[5] / "shared" / "data"
START = datetime(2026, 11, 22, 2, 59, 58, tzinfo=UTC)


class BrightBlob:
    """Takes whatever is bright for a person, so that a test needs no network."""

    version = "bright-blob"

    def __init__(self) -> None:
        self.regions: list[Region | None] = []

    def detect(self, frame_bgr: Frame, region: Region | None = None, zoom: float = 1.0) -> Boxes:
        self.regions.append(region)
        mask = (frame_bgr.max(axis=2) > 150).astype(np.uint8)
        if not mask.any():
            return np.empty((0, 5), dtype=np.float32)
        return np.array([[*cv2.boundingRect(mask), 0.8]], dtype=np.float32)


def video(path: Path, lefts: list[int | None]) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (160, 120))
    for left in lefts:
        frame = np.full((120, 160, 3), 60, dtype=np.uint8)
        if left is not None:
            frame[30:60, left : left + 24] = (40, 40, 220)
            frame[60:100, left : left + 24] = (220, 60, 40)
        writer.write(frame)
    writer.release()
    return path


def clip(path: Path, times_ms: tuple[float, ...] = ()) -> Clip:
    return Clip("s001", "c1", "clip-1", path, START, 10.0, times_ms)


def test_detector_sees_every_third_frame_of_movement_and_a_heartbeat_of_stillness(tmp_path: Path) -> None:
    moving, still = BrightBlob(), BrightBlob()
    path = video(tmp_path / "moving.avi", [2 * i for i in range(60)])
    result = analyse_clip(clip(path), None, [], [], moving)
    assert result.stats.looked_at_count == 20
    assert result.detections.schema == DETECTIONS.schema
    assert result.slot_episodes.schema == SLOT_EPISODES.schema
    assert result.detections["frame_index"].to_list() == list(range(0, 60, 3))
    assert moving.regions[0] is None
    assert sum(region is not None for region in moving.regions) > 10
    assert result.detections["capture_hour"].unique().sort().to_list() == ["2026-11-22T02Z", "2026-11-22T03Z"]
    empty = analyse_clip(clip(video(tmp_path / "still.avi", [None] * 60)), None, [], [], still)
    assert empty.stats.looked_at_count <= 7
    assert empty.detections.height == 0


def test_true_times_are_those_of_the_sidecar(tmp_path: Path) -> None:
    path = video(tmp_path / "a.avi", [10, 20, 30])
    times = (0.0, 400.0, 1000.0)
    result = analyse_clip(clip(path, times), None, [], [], BrightBlob())
    seconds = [(at - START).total_seconds() for at in result.detections["captured_at"]]
    assert seconds == pytest.approx([0.0, 0.4, 1.0])


def test_a_clip_that_fails_gives_a_reason_and_empty_tables(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    result = analyse_clip(clip(broken), None, [], [], BrightBlob())
    assert (result.stats.reason, result.detections.height) == ("unreadable", 0)
    camera = Camera("c1", 640, 480, np.eye(3), np.zeros(5), np.eye(3), np.zeros(3))
    wrong = analyse_clip(clip(video(tmp_path / "a.avi", [10] * 5)), camera, [], [], BrightBlob())
    assert "frame size" in wrong.stats.reason


def test_a_clip_that_changes_its_size_ends_there_and_keeps_what_came_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = video(tmp_path / "a.avi", [2 * i for i in range(30)])
    whole = list(frames(path))
    mixed = [*whole[:10], *(np.ascontiguousarray(frame[:90]) for frame in whole[10:])]
    monkeypatch.setattr(decode_pass, "frames", lambda _: iter(mixed))
    square = [[10, 10], [50, 10], [50, 50], [10, 50]]
    view = SlotView("s1", np.array(square, dtype=float), 1)
    result = analyse_clip(clip(path), None, [view], [], BrightBlob())
    assert (result.stats.reason, result.stats.frame_count) == ("the frames' size changes", 10)
    assert result.detections["frame_index"].to_list() == [0, 3, 6, 9]


def test_settings_change_the_stride(tmp_path: Path) -> None:
    path = video(tmp_path / "a.avi", [2 * i for i in range(30)])
    every = analyse_clip(clip(path), None, [], [], BrightBlob(), AnalysisSettings(detect_every_s=0.1))
    assert every.stats.looked_at_count == 30


def test_gate_sees_a_person_and_not_noise() -> None:
    rng = np.random.default_rng(1)
    calm = np.full((240, 320, 3), 100, dtype=np.uint8)
    gate = MotionGate()
    assert gate.compare(calm).is_moving
    gate.accept()
    noisy = np.clip(calm.astype(int) + rng.normal(0, 4, calm.shape), 0, 255).astype(np.uint8)
    assert not gate.compare(noisy).is_moving
    someone = noisy.copy()
    someone[60:200, 100:150] = 20
    movement = gate.compare(someone)
    assert movement.is_moving
    assert movement.region == pytest.approx((100 / 320, 60 / 240, 150 / 320, 200 / 240), abs=0.02)


def test_looks_and_clothes_are_told_apart() -> None:
    frame = np.full((200, 300, 3), 128, dtype=np.uint8)
    frame[20:100, 20:60], frame[100:180, 20:60] = (30, 30, 200), (200, 40, 30)
    frame[20:100, 120:160], frame[100:180, 120:160] = (40, 160, 40), (20, 20, 20)
    frame[20:100, 220:260], frame[100:180, 220:260] = (30, 30, 190), (190, 40, 30)
    boxes = np.array([[20, 10, 40, 180], [120, 10, 40, 180], [220, 10, 40, 180], [400, 10, 40, 180]], dtype=float)
    appearance, upper, lower = describe(frame, boxes)
    alike = likeness(appearance, appearance)
    assert alike[0, 2] > 0.6
    assert alike[0, 1] < 0.3
    assert [dominant_colour(upper[i : i + 1]).colour for i in range(4)] == ["red", "green", "red", "unknown"]
    assert [dominant_colour(lower[i : i + 1]).colour for i in range(3)] == ["blue", "black", "blue"]
    assert dominant_colour(np.empty((0, len(COLOURS)))).prob == 0.0


@pytest.mark.skipif(not (SHARED / "edge_cases").is_dir(), reason="real footage is not beside the repository")
def test_real_broken_footage() -> None:
    short = analyse_clip(clip(SHARED / "edge_cases" / "truncated_6p-c0.avi"), None, [], [], BrightBlob())
    assert short.stats.frame_count == 46
    nothing = analyse_clip(clip(SHARED / "edge_cases" / "zero_frames_cam0.mp4"), None, [], [], BrightBlob())
    assert nothing.stats.reason == "unreadable"
