"""The batch tracker: what it joins, what it refuses to join, what it smooths and fills."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.vision.tracking.box_fit import BoxFit, Correction
from assets.vision.tracking.camera_tracks import CameraTracks, corrected, link
from assets.vision.tracking.settings import TrackingSettings, TrackletSettings
from assets.vision.tracking.smoothing import filled_moments, local_linear
from assets.vision.tracking.tracklets import Detections, overlap_matrix, sure_tracklets

RED, BLUE = np.sqrt(np.eye(216)[[0, 72, 144]].sum(axis=0)), np.sqrt(np.eye(216)[[5, 77, 149]].sum(axis=0))


def walking(*paths: tuple[np.ndarray, np.ndarray, np.ndarray]) -> Detections:
    """(frames, x of the centres, appearance) of everybody, 10 frames a second, boxes of 40 x 100 at a height of 200."""
    frame = np.concatenate([p[0] for p in paths])
    boxes = np.concatenate([np.stack([p[1] - 20, np.full(len(p[1]), 200.0)], axis=1) for p in paths])
    boxes = np.concatenate([boxes, np.tile([40.0, 100.0], (len(boxes), 1))], axis=1)
    appearance = np.concatenate([np.tile(p[2], (len(p[0]), 1)) for p in paths])
    order = np.argsort(frame, kind="stable")
    score = np.full(len(frame), 0.9)
    return Detections(frame[order] / 10, frame[order], boxes[order], score, appearance[order], (640.0, 480.0))


def grid(count: int) -> np.ndarray:
    return np.arange(count) / 10


def ids_over(tracks: CameraTracks, x_of: np.ndarray) -> set[int]:
    """Tracks that ever lie within 15 px of the path `x_of` (per frame)."""
    frame = np.round(tracks.time_s * 10).astype(int)
    near = np.abs(tracks.ltwh_px[:, 0] + 20 - x_of[frame]) < 15
    return set(tracks.track[near].tolist())


def test_two_people_apart_are_two_tracks() -> None:
    frames = np.arange(100)
    tracks = link(walking((frames, 100 + 2.0 * frames, RED), (frames, 400 + 1.0 * frames, BLUE)), grid(100))
    assert len(tracks.rows) == 2
    assert len(tracks.track) == 200


def test_people_who_cross_keep_their_own_appearance() -> None:
    frames = np.arange(200)
    right, left = 60 + 2.6 * frames, 580 - 2.6 * frames
    tracks = link(walking((frames, right, RED), (frames, left, BLUE)), grid(200))
    assert len(tracks.rows) == 2
    starts, ends = tracks.ltwh_px[tracks.time_s == 0], tracks.ltwh_px[tracks.time_s == 19.9]
    by_id = dict(zip(tracks.track[tracks.time_s == 0], starts[:, 0], strict=True))
    for number, x in zip(tracks.track[tracks.time_s == 19.9], ends[:, 0], strict=True):
        assert (by_id[number] < 300) != (x < 300)  # who came from the left is on the right


def test_a_tracklet_breaks_where_two_candidates_are_close() -> None:
    frames = np.arange(40)
    found = walking((frames, 100 + 2.0 * frames, RED), (frames, 178 - 2.0 * frames, RED))
    pieces = sure_tracklets(found, TrackletSettings())
    assert len(pieces) > 2
    joined = np.sort(np.concatenate(pieces))
    assert len(joined) == len(set(joined.tolist()))


def test_a_hidden_stretch_is_bridged_but_not_filled_when_it_is_long() -> None:
    seen = np.concatenate([np.arange(60), np.arange(120, 200)])
    tracks = link(walking((seen, 250 + 0.5 * seen, RED)), grid(200))
    assert len(tracks.rows) == 1
    assert not ((tracks.time_s > 6.05) & (tracks.time_s < 11.95)).any()
    short = np.concatenate([np.arange(60), np.arange(72, 200)])
    filled = link(walking((short, 250 + 0.5 * short, RED)), grid(200))
    assert filled.is_filled.sum() == 12
    assert len(filled.track) == 200


def test_flicker_is_dropped() -> None:
    frames, blink = np.arange(200), np.arange(50, 60)
    tracks = link(walking((frames, 100 + 2.0 * frames, RED), (blink, np.full(10, 500.0), BLUE)), grid(200))
    assert len(tracks.rows) == 1


def test_a_thing_that_never_moves_and_never_convinces_is_dropped() -> None:
    frames = np.arange(200)
    found = walking((frames, 100 + 2.0 * frames, RED), (frames, np.full(200, 600.0), BLUE))
    found.score[found.ltwh_px[:, 0] == 580.0] = 0.35
    assert len(link(found, grid(200), TrackingSettings()).rows) == 1


def test_a_rerun_is_identical_and_nothing_gives_nothing() -> None:
    frames = np.arange(100)
    found = walking((frames, 100 + 2.0 * frames, RED), (frames, 400 - 1.0 * frames, BLUE))
    one, other = link(found, grid(100)), link(found, grid(100))
    assert np.array_equal(one.ltwh_px, other.ltwh_px)
    assert np.array_equal(one.track, other.track)
    nothing = walking((np.empty(0, int), np.empty(0), RED))
    assert len(link(nothing, grid(10)).track) == 0


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=30), st.floats(0.1, 3.0))
def test_smoothing_a_line_gives_the_line(values: list[float], slope: float) -> None:
    time_s = np.arange(len(values)) * 0.1
    line = (values[0] + slope * time_s)[:, None]
    assert local_linear(time_s, line, time_s, 0.5) == pytest.approx(line, abs=1e-6)


@given(st.lists(st.floats(-50, 50), min_size=3, max_size=30))
def test_smoothing_stays_near_what_was_seen(values: list[float]) -> None:
    time_s = np.arange(len(values)) * 0.1
    smooth = local_linear(time_s, np.array(values)[:, None], time_s, 0.5)[:, 0]
    spread = max(values) - min(values)
    assert (smooth >= min(values) - spread - 1e-6).all()
    assert (smooth <= max(values) + spread + 1e-6).all()


@given(st.lists(st.integers(0, 100), min_size=1, max_size=40, unique=True), st.floats(0.1, 4.0))
def test_filled_moments_cover_sightings_and_short_gaps_only(frames: list[int], gap_s: float) -> None:
    seen = np.array(sorted(frames)) / 10
    at_s, filled = filled_moments(seen, np.arange(101) / 10, gap_s)
    assert (np.diff(at_s) > 0).all()
    assert {round(t * 10) for t in at_s[~filled]} == set(frames)
    for moment in at_s[filled]:
        after = int(np.searchsorted(seen, moment))
        assert seen[after] - seen[after - 1] <= gap_s + 1e-6


@given(st.lists(st.tuples(*[st.floats(1, 100) for _ in range(4)]), min_size=1, max_size=6))
def test_overlap_is_symmetric_and_one_with_itself(boxes: list[tuple[float, ...]]) -> None:
    table = np.array(boxes)
    overlap = overlap_matrix(table, table)
    assert overlap == pytest.approx(overlap.T)
    assert np.diag(overlap) == pytest.approx(1.0)
    assert ((overlap >= 0) & (overlap <= 1 + 1e-9)).all()


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 500)), min_size=0, max_size=60))
def test_no_detection_is_in_two_tracklets(rows: list[tuple[int, float]]) -> None:
    rows = sorted(rows)
    found = walking((np.array([r[0] for r in rows], int), np.array([r[1] for r in rows], float), RED))
    pieces = sure_tracklets(found, TrackletSettings())
    members = [int(row) for piece in pieces for row in piece]
    assert len(members) == len(set(members))
    for piece in pieces:
        assert (np.diff(found.look[piece]) > 0).all()


def test_loose_boxes_are_learned_from_silhouettes() -> None:
    rng = np.random.default_rng(3)
    fit = BoxFit()
    for number in range(40):
        frame = np.full((300, 480, 3), 120, dtype=np.uint8) + rng.integers(0, 6, (300, 480, 3), dtype=np.uint8)
        left = 40 + 9 * number
        frame[100:200, left : left + 40] = 30
        fit.add(frame, np.array([[left - 10, 100, 60, 100]], dtype=float))  # a sixth too wide on each side
    correction = fit.correction()
    assert (correction.left, correction.right) == pytest.approx((1 / 6, -1 / 6), abs=0.03)
    assert (correction.top, correction.bottom) == pytest.approx((0, 0), abs=0.03)
    assert BoxFit().correction() == Correction()


def test_correction_moves_every_side() -> None:
    found = walking((np.array([0]), np.array([100.0]), RED))
    moved = corrected(found, Correction(0.1, 0.2, -0.1, 0.0))
    assert moved.ltwh_px[0] == pytest.approx([84, 220, 32, 80])
