"""Tracks of all cameras on the floor: one camera's way of one person, in metres."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import polars as pl

from assets.vision.arrays import Array
from assets.vision.camera import Camera
from assets.vision.tracking.camera_tracks import CameraTracks, link
from assets.vision.tracking.smoothing import filled_moments, local_linear
from assets.vision.tracking.tracklets import Detections
from assets.vision.trajectories.clothing_change import change_moments
from assets.vision.trajectories.floor_position import FloorPositions, locate
from assets.vision.trajectories.people import FloorTrack
from assets.vision.trajectories.settings import STEP_S, MergeSettings


@dataclass(frozen=True)
class CameraTrack:
    """One camera's track of one person: boxes in pixels, places in metres, clothing and score on one grid of steps."""

    camera_id: str
    step: npt.NDArray[np.int64]
    ltwh_px: Array
    is_filled: npt.NDArray[np.bool_]
    floor: FloorTrack
    own_xy_m: Array
    upper: Array
    lower: Array
    score: Array


@dataclass(frozen=True)
class _Piece:
    """Detections (by row) of one camera's track of one person, and the time (s) that it covers."""

    rows: npt.NDArray[np.int64]
    first_s: float
    last_s: float


def camera_tracks(
    table: pl.DataFrame,
    number: int,
    camera: Camera,
    origin: int,
    gates_m: Sequence[Array],
    settings: MergeSettings,
) -> list[CameraTrack]:
    """Tracks of one camera with their floor positions, on the grid of tenths of a second from `origin`; `gates_m` are
    the polygons (n, 2) in which people come and go.
    """
    time_s = np.asarray(table["captured_at"].dt.epoch("us").to_numpy(), dtype=np.float64) / 1e6 - origin * STEP_S
    found = Detections(
        time_s=time_s,
        look=np.unique(time_s, return_inverse=True)[1].astype(np.int64),
        ltwh_px=table.select("left_px", "top_px", "width_px", "height_px").to_numpy().astype(np.float64),
        score=table["score_prob"].to_numpy().astype(np.float64),
        appearance=_matrix(table["appearance"]),
        frame_size_px=(camera.width_px, camera.height_px),
    )
    upper, lower = _matrix(table["clothing_upper"]), _matrix(table["clothing_lower"])
    linked = link(found, np.unique(time_s), settings.tracking)
    pieces = [
        piece for index in range(len(linked.rows)) for piece in _pieces(found, linked, index, upper, lower, settings)
    ]
    if not pieces:
        return []
    used = np.unique(np.concatenate([piece.rows for piece in pieces]))
    located = locate(camera, found.ltwh_px[used], settings.body)
    tracks = []
    for piece in pieces:
        mine = located.at(np.searchsorted(used, piece.rows))
        part = _on_floor(found, piece, mine, number, camera, gates_m, upper, lower, settings)
        if part is not None:
            tracks.append(part)
    return tracks


def _pieces(
    found: Detections, linked: CameraTracks, index: int, upper: Array, lower: Array, settings: MergeSettings
) -> list[_Piece]:
    """A camera's track, cut where its clothes change."""
    rows, seen = linked.rows[index], linked.time_s[linked.track == index]
    times = found.time_s[rows]
    cuts = change_moments(times, upper[rows], lower[rows], found.score[rows], settings.clothing_change)
    edges = [-np.inf, *cuts, np.inf]
    pieces = []
    for low, high in itertools.pairwise(edges):
        mine = rows[(times >= low) & (times < high)]
        first = seen[0] if low == -np.inf else found.time_s[mine][0]
        last = seen[-1] if high == np.inf else found.time_s[mine][-1]
        pieces.append(_Piece(mine, float(first), float(last)))
    return pieces


def _on_floor(
    found: Detections,
    piece: _Piece,
    located: FloorPositions,
    number: int,
    camera: Camera,
    gates_m: Sequence[Array],
    upper: Array,
    lower: Array,
    settings: MergeSettings,
) -> CameraTrack | None:
    rows, first, last = piece.rows, piece.first_s, piece.last_s
    # the grid starts and ends inside the track, and fills no longer gap than the camera's tracks do
    grid = np.arange(int(np.ceil(first / STEP_S - 1e-6)), int(np.floor(last / STEP_S + 1e-6)) + 1)
    at_s, _ = filled_moments(
        found.time_s[rows], np.asarray(grid * STEP_S, dtype=np.float64), settings.tracking.fill_gap_s
    )
    if len(at_s) < 2:
        return None
    good = np.isfinite(located.variance_m2)
    if good.sum() < 2:
        return None
    reach = np.percentile(located.xy_m[good], [10, 90], axis=0)
    is_walking = float(np.hypot(*(reach[1] - reach[0]))) >= settings.walking_m
    if float(found.score[rows].mean()) < settings.convincing_prob and not is_walking:
        return None
    weights = 1.0 / (located.variance_m2[good] + settings.least_variance_m2)
    xy = local_linear(found.time_s[rows][good], located.xy_m[good], at_s, settings.floor_smoothing_s, weights)
    nearest = np.abs(found.time_s[rows][good][None] - at_s[:, None])
    variance = located.variance_m2[good][nearest.argmin(axis=1)] + (settings.drift_m_s * nearest.min(axis=1)) ** 2
    boxes = local_linear(found.time_s[rows], found.ltwh_px[rows], at_s, settings.floor_smoothing_s)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], settings.least_box_px)
    clearest = np.argsort(-found.score[rows] * found.ltwh_px[rows, 3], kind="stable")
    clear = clearest[: max(settings.least_clear_looks, len(rows) // 2)]
    clothing = np.sqrt(np.concatenate([upper[rows][clear].mean(axis=0), lower[rows][clear].mean(axis=0)]))
    step = np.round(at_s / STEP_S).astype(np.int64)
    support = float(found.score[rows].sum())
    beyond_m = np.min([outside_m(xy, gate) for gate in gates_m], axis=0)
    comes_in, goes_out = (
        bool(end <= settings.gate_m and beyond_m.max() - end >= settings.passage_m) for end in beyond_m[[0, -1]]
    )
    return CameraTrack(
        camera_id=camera.camera_id,
        step=step,
        ltwh_px=boxes,
        is_filled=nearest.min(axis=1) > STEP_S / 2,
        floor=FloorTrack(number, step, xy, variance, clothing, support, comes_in, goes_out),
        own_xy_m=xy,
        upper=upper[rows],
        lower=lower[rows],
        score=found.score[rows] * found.ltwh_px[rows, 3],
    )


def _matrix(column: pl.Series) -> Array:
    return np.asarray(column.list.to_array(len(column[0])).to_numpy(), dtype=np.float64)


def outside_m(xy_m: Array, polygon_m: Array) -> Array:
    """(n,) metres from points (n, 2) to the border of a polygon; negative inside of it."""
    outline = np.asarray(polygon_m, dtype=np.float32).reshape(-1, 1, 2)
    return np.array([-cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in xy_m])
