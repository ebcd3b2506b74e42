"""Three cameras, several people walking and standing: one trajectory each, in metres."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from assets.vision.camera import Camera
from assets.vision.detection.appearance import APPEARANCE_SIZE, COLOURS
from assets.vision.store_view import StorePlan
from assets.vision.trajectories.floor_tracks import outside_m
from assets.vision.trajectories.merge import trajectories
from assets.vision.trajectories.people import FloorTrack, people
from assets.vision.trajectories.rows import Trajectories
from assets.vision.trajectories.settings import STEP_S, FusionSettings
from lakehouse.contracts.vision import CLOTHING, DETECTIONS, SIGHTINGS, TRACK_POINTS, TRACKS
from lakehouse.store_day import capture_hour_of

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
PLAN = StorePlan(
    "s001",
    np.array([[0.0, 2.5], [1.3, 2.5], [1.3, 3.4], [0.0, 3.4]]),
    np.array([[0.0, 3.4], [1.3, 3.4], [1.3, 4.4], [0.0, 4.4]]),
)
WAY = [(0.0, 0.6, 3.0), (5.0, 4.0, 3.2), (12.0, 4.1, 3.3), (18.0, 5.5, 2.2), (24.0, 5.5, 2.2), (31.0, 0.6, 3.9)]
"""(second, x, y) corners of a shopper's walk: in, two stops, out."""


def looking_at(name: str, position: tuple[float, float, float], target: tuple[float, float, float]) -> Camera:
    forward = np.subtract(target, position)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    matrix = np.array([[400.0, 0, 320.0], [0, 400.0, 240.0], [0, 0, 1.0]])
    return Camera(name, 640, 480, matrix, np.zeros(5), rotation, -rotation @ np.array(position))


CAMERAS = {
    "c1": looking_at("c1", (7.7, 0.3, 2.9), (2.5, 3.4, 0.8)),
    "c2": looking_at("c2", (0.3, 0.3, 2.9), (4.5, 3.4, 0.8)),
    "c3": looking_at("c3", (7.7, 5.7, 2.9), (2.5, 2.8, 0.8)),
}


def place(time_s: float, delay_s: float, shift: tuple[float, float]) -> tuple[float, float] | None:
    times, xs, ys = (np.array(axis) for axis in zip(*WAY, strict=True))
    if not times[0] <= time_s - delay_s <= times[-1]:
        return None
    inside = np.clip(min(time_s - delay_s, times[-1] - time_s + delay_s) / 4, 0, 1)
    return (
        float(np.interp(time_s - delay_s, times, xs)) + shift[0] * inside,
        float(np.interp(time_s - delay_s, times, ys)) + shift[1] * inside,
    )


def box(camera: Camera, x: float, y: float) -> np.ndarray | None:
    ring = [(0.2 * np.cos(a), 0.2 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 8, endpoint=False)]
    px = camera.project([(x + dx, y + dy, z) for dx, dy in ring for z in (0.0, 0.9)] + [(x, y, 1.7)])
    near, far = np.clip(px.min(axis=0), 0, [640, 480]), np.clip(px.max(axis=0), 0, [640, 480])
    size = far - near
    full = px.max(axis=0) - px.min(axis=0)
    if np.isnan(px).any() or size[0] < 0.6 * full[0] or size[1] < 0.6 * full[1]:
        return None
    return np.concatenate([near, size])


def detections(people: list[tuple[float, tuple[float, float]]], hidden: tuple[float, float] = (0, 0)) -> pl.DataFrame:
    """Everybody's boxes in all cameras every 0.3 s, a tenth missing; from `hidden[0]` to `hidden[1]` nothing at all."""
    rng = np.random.default_rng(7)
    rows = []
    for number, (camera_id, camera) in enumerate(CAMERAS.items()):
        for look in range(170):
            time_s = 0.3 * look + 0.07 * number
            if hidden[0] < time_s < hidden[1]:
                continue
            for person, (delay_s, shift) in enumerate(people):
                at = place(time_s, delay_s, shift)
                found = None if at is None else box(camera, *at)
                if found is None or rng.random() < 0.1:
                    continue
                left, top, width, height = found + rng.normal(0, 2.0, 4)
                appearance = np.full(APPEARANCE_SIZE, 0.01)
                appearance[person * 5 :: 72] = 1.0
                wears = np.zeros(len(COLOURS))
                wears[3 + person] = 1.0
                rows.append(
                    {
                        "store_id": "s001", "camera_id": camera_id, "clip_id": f"{camera_id}-a",
                        "frame_index": look * 3, "detection_index": person,
                        "captured_at": START + timedelta(seconds=time_s),
                        "left_px": left, "top_px": top, "width_px": width, "height_px": height, "score_prob": 0.7,
                        "appearance": (appearance / np.linalg.norm(appearance) * np.sqrt(3)).tolist(),
                        "clothing_upper": wears.tolist(), "clothing_lower": wears[::-1].tolist(),
                    }
                )  # fmt: skip
    names = [name for name in DETECTIONS.schema if name != "capture_hour"]
    frame = pl.DataFrame(rows, schema={name: DETECTIONS.schema[name] for name in names})
    return frame.with_columns(capture_hour=capture_hour_of("captured_at")).select(DETECTIONS.schema.names())


def errors_m(found: Trajectories, people: list[tuple[float, tuple[float, float]]]) -> list[float]:
    """Median distance of every person's true way to the best fitting track."""
    result = []
    for person in people:
        best = np.inf
        for _, points in found.track_points.group_by("track_id"):
            apart = [
                np.hypot(x - at[0], y - at[1])
                for moment, x, y in points.select("captured_at", "x_m", "y_m").iter_rows()
                if (at := place((moment - START).total_seconds(), *person)) is not None
            ]
            if len(apart) > 200:
                best = min(best, float(np.median(apart)))
        result.append(best)
    return result


TWO = [(0.0, (0.0, 0.0)), (6.0, (0.3, -0.7))]


def test_one_track_per_person_where_they_walk() -> None:
    found = trajectories(detections(TWO), CAMERAS, PLAN)
    assert found.tracks.height == 2
    assert max(errors_m(found, TWO)) < 0.25
    assert found.tracks["started_in_entrance"].all()
    assert found.tracks["ended_in_exit"].all()
    assert (found.track_points["speed_m_s"] < 3.0).all()
    assert set(found.clothing["upper_colour"]) == {COLOURS[3], COLOURS[4]}


def test_a_gap_in_all_cameras_does_not_make_two_people_of_one() -> None:
    found = trajectories(detections(TWO, hidden=(14.0, 20.0)), CAMERAS, PLAN)
    assert found.tracks.height == 2
    filled = found.track_points.filter(pl.col("camera_count") == 0)
    assert filled.height > 60


def test_tables_keep_their_contracts_and_a_rerun_is_identical() -> None:
    table = detections(TWO)
    found, again = trajectories(table, CAMERAS, PLAN), trajectories(table.reverse(), CAMERAS, PLAN)
    for one, other, contract in zip(found, again, (SIGHTINGS, TRACK_POINTS, TRACKS, CLOTHING), strict=True):
        assert one.schema == contract.schema
        assert one.equals(other)
        assert not one.select(contract.key).is_duplicated().any()
    assert found.sightings["camera_id"].n_unique() == 3


@pytest.mark.parametrize("table", [detections([]), detections(TWO).with_columns(camera_id=pl.lit("unknown"))])
def test_nothing_seen_gives_empty_tables(table: pl.DataFrame) -> None:
    found = trajectories(table, CAMERAS, PLAN)
    assert [part.height for part in found] == [0, 0, 0, 0]
    assert found.tracks.schema == TRACKS.schema


def test_metres_outside_of_a_zone() -> None:
    points = np.array([[0.5, 2.9], [1.5, 3.0], [3.0, 3.0]])
    assert outside_m(points, PLAN.entrance_zone_m) == pytest.approx([-0.4, 0.2, 1.7], abs=1e-5)


@pytest.mark.parametrize("is_passage", [True, False])
def test_who_comes_in_is_not_who_has_just_gone_out_however_near(is_passage: bool) -> None:
    out = np.column_stack([np.linspace(4.0, 0.8, 60), np.full(60, 3.5)])
    come = np.column_stack([np.concatenate([np.full(10, 0.8), np.linspace(0.8, 4.0, 50)]), np.full(60, 3.4)])
    clothing = np.full(24, np.sqrt(1 / 12))
    leaver, comer = (
        FloorTrack(0, np.arange(60) + first, way, np.full(60, 0.02), clothing, 20.0, comes_in=is_in, goes_out=is_out)
        for first, way, is_in, is_out in ((0, out, False, is_passage), (51, come, is_passage, False))
    )
    found = people([leaver, comer], STEP_S, np.zeros((2, 2)), np.zeros((2, 2)), (0, 200), FusionSettings())
    assert len(found) == (2 if is_passage else 1)
