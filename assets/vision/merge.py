"""From the detections of all cameras to one trajectory a person, in floor metres and store time.

camera tracks (tracking.py, pixels) -> floor positions (floor_position.py) -> people (trajectory_fusion.py) ->
tables.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import polars as pl

from assets.vision.arrays import Array
from assets.vision.association import AssociationSettings
from assets.vision.clothing import dominant_colour
from assets.vision.clothing_change import ChangeSettings, change_moments
from assets.vision.floor_position import BodySettings, FloorPositions, locate
from assets.vision.geometry import Camera
from assets.vision.smoothing import filled_moments, local_linear
from assets.vision.tracking import CameraTracks, TrackingSettings, link
from assets.vision.tracklets import Detections
from assets.vision.trajectory_fusion import FloorTrack, FusionSettings, Person, fuse, people
from lakehouse.contracts.vision import CLOTHING, SIGHTINGS, TRACK_POINTS, TRACKS
from lakehouse.store_day import capture_hour_of

STEP_S = 0.1
"""Seconds between the points of a trajectory: what the contract of vision/track_points promises."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class StorePlan:
    """What of a store's floor plan the trajectories need; polygons (n, 2) in metres."""

    store_id: str
    entrance_zone_m: Array
    exit_zone_m: Array


STORE_TRACKING = TrackingSettings(short_s=1.0, association=AssociationSettings(base_gain=1.0))
"""For cameras that are brought together on the floor: they join less and keep more than a camera alone, because the
floor and the other cameras know better. Floor IDF1 of the simulator's first tuning day, mean of five draws: 96.1 with
these two, 91.7 if tracks below 2.5 s are dropped as for a single camera, 87.4 if nothing is joined before the floor.
"""


@dataclass(frozen=True)
class MergeSettings:
    """From detections to trajectories. Decided on the simulated tuning days (docs/benchmarks.md), where no field says
    otherwise."""

    tracking: TrackingSettings = field(default_factory=lambda: STORE_TRACKING)
    """Tracks of each camera."""
    body: BodySettings = field(default_factory=BodySettings)
    """The body that is stood on the floor."""
    fusion: FusionSettings = field(default_factory=FusionSettings)
    """Which camera tracks are one person."""
    clothing_change: ChangeSettings = field(default_factory=ChangeSettings)
    """Where a camera's track is cut."""
    floor_smoothing_s: float = 0.4
    """Seconds (sigma) over which a camera track's floor positions and boxes are smoothed."""
    point_smoothing_s: float = 0.3
    """Seconds (sigma) over which the trajectory of all cameras together is smoothed."""
    least_variance_m2: float = 0.02
    """Added to a position's variance, in square metres, before it becomes a weight: no single sighting decides alone.
    Chosen by hand."""
    least_point_variance_m2: float = 0.01
    """The same for the positions of all cameras together. Chosen by hand."""
    drift_m_s: float = 0.3
    """Metres by which a position grows unsure with each second to the nearest sighting. Chosen by hand."""
    least_box_px: float = 2.0
    """Least width and height, in pixels, of a smoothed box. Chosen by hand."""
    least_clear_looks: int = 3
    """A track's clothing is taken from the clearer half of its sightings, and from at least so many. Chosen by hand."""
    zone_margin_m: float = 0.5
    """Metres by which entrance and exit are widened: tracks begin a step inside."""
    zone_reach_m: float = 2.5
    """Metres beyond that margin over which a track that begins or ends counts less and less as being at the gate."""
    gate_m: float = 0.3
    """Metres from a gate's zone within which a track begins or ends at the gate."""
    passage_m: float = 1.0
    """Metres by which a track must get farther from the gate than that end, to have come in or gone out."""
    min_person_s: float = 2.0
    """Shortest trajectory, in seconds, that counts as a person."""
    convincing_prob: float = 0.5
    """A camera track whose mean score is below this counts only if it walks `walking_m`: goods on a shelf look a
    little like people, and stay where they are."""
    walking_m: float = 1.2
    """Metres between the 10th and 90th percentile of a track's positions from which it walks."""
    min_way_m: float = 0.4
    """Least extent, in metres, of a trajectory."""


class Trajectories(NamedTuple):
    """Tables as their contracts say."""

    sightings: pl.DataFrame
    track_points: pl.DataFrame
    tracks: pl.DataFrame
    clothing: pl.DataFrame


@dataclass(frozen=True)
class _CameraTrack:
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


def trajectories(
    detections: pl.DataFrame,
    cameras: Mapping[str, Camera],
    store: StorePlan,
    settings: MergeSettings | None = None,
) -> Trajectories:
    """One trajectory per person from a store-day's detections (contract vision/detections, any order).

    Deterministic: the same detections give the same track ids. Detections of cameras without calibration are
    passed over; the caller counts them.
    """
    settings = settings or MergeSettings()
    known = detections.filter(pl.col("camera_id").is_in(list(cameras))).sort(
        "camera_id", "captured_at", "clip_id", "detection_index"
    )
    if known.is_empty():
        return _empty()
    seconds = known["captured_at"].dt.epoch("us").to_numpy().astype(np.float64) / 1e6
    origin = int(np.floor(seconds.min() / STEP_S)) - 10  # the first detection lies at step 10
    parts: list[_CameraTrack] = []
    gates = (store.entrance_zone_m, store.exit_zone_m)
    for number, camera_id in enumerate(sorted(known["camera_id"].unique().to_list())):
        table = known.filter(pl.col("camera_id") == camera_id)
        parts += camera_tracks(table, number, cameras[camera_id], origin, gates, settings)
    if not parts:
        return _empty()
    last = int(np.ceil(seconds.max() / STEP_S)) - origin
    floors = [part.floor for part in parts]
    entrance = _zone_shares(floors, store.entrance_zone_m, settings)
    way_out = _zone_shares(floors, store.exit_zone_m, settings)
    found = people(floors, STEP_S, entrance, way_out, (10, last), settings.fusion)
    tables = [
        _tables(person, parts, store, origin, settings)
        for person in sorted(found, key=lambda p: min(int(floors[n].step[0]) for n in p.tracks))
    ]
    kept = [table for table in tables if table is not None]
    if not kept:
        return _empty()
    return Trajectories(*(pl.concat(group) for group in zip(*kept, strict=True)))


def camera_tracks(
    table: pl.DataFrame,
    number: int,
    camera: Camera,
    origin: int,
    gates_m: Sequence[Array],
    settings: MergeSettings,
) -> list[_CameraTrack]:
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
) -> _CameraTrack | None:
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
    return _CameraTrack(
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


def _zone_shares(floors: Sequence[FloorTrack], polygon_m: Array, settings: MergeSettings) -> Array:
    """(k, 2) for every track's first and last point: 1 in the zone (grown by its margin), falling to 0 at
    `zone_reach_m` beyond it. Near the gate people hide each other, and tracks begin late or end early."""
    ends = np.concatenate([item.xy_m[[0, -1]] for item in floors])
    shares = 1.0 - np.maximum(outside_m(ends, polygon_m) - settings.zone_margin_m, 0.0) / settings.zone_reach_m
    return np.clip(shares, 0.0, 1.0).reshape(-1, 2)


def _tables(
    person: Person, parts: Sequence[_CameraTrack], store: StorePlan, origin: int, settings: MergeSettings
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame] | None:
    mine = [parts[n] for n in person.tracks]
    path = fuse([part.floor for part in mine], range(len(mine)), settings.fusion)
    step = np.arange(path.step[0], path.step[-1] + 1)
    xy = local_linear(
        np.asarray(path.step * STEP_S, dtype=np.float64),
        path.xy_m,
        np.asarray(step * STEP_S, dtype=np.float64),
        settings.point_smoothing_s,
        1.0 / (path.variance_m2 + settings.least_point_variance_m2),
    )
    duration_s = (len(step) - 1) * STEP_S
    spread = float(np.hypot(*(xy.max(axis=0) - xy.min(axis=0))))
    if duration_s < settings.min_person_s or spread < settings.min_way_m:
        return None
    velocity = np.gradient(xy, STEP_S, axis=0)
    camera_count = np.zeros(len(step), dtype=np.int8)
    camera_count[path.step - path.step[0]] = path.camera_count
    starts, ends = _instant(origin + int(step[0])), _instant(origin + int(step[-1]))
    track_id = hashlib.sha256(
        f"{store.store_id}|{starts.isoformat()}|{xy[0, 0]:.2f}|{xy[0, 1]:.2f}".encode()
    ).hexdigest()[:16]
    points = pl.DataFrame(
        {
            "captured_at": [_instant(origin + int(s)) for s in step],
            "x_m": xy[:, 0],
            "y_m": xy[:, 1],
            "speed_m_s": np.hypot(velocity[:, 0], velocity[:, 1]),
            "camera_count": camera_count,
        }
    )
    sightings = pl.concat([_sighting_rows(part, origin) for part in mine])
    sightings = sightings.sort("camera_id", "captured_at", "rank", descending=[False, False, True]).unique(
        ("camera_id", "captured_at"), keep="first", maintain_order=True
    )
    upper = dominant_colour(np.concatenate([p.upper for p in mine]), np.concatenate([p.score for p in mine]))
    lower = dominant_colour(np.concatenate([p.lower for p in mine]), np.concatenate([p.score for p in mine]))
    track = pl.DataFrame(
        {
            "started_at": [starts],
            "ended_at": [ends],
            "length_m": [float(np.hypot(*np.diff(xy, axis=0).T).sum())],
            "point_count": [len(step)],
            "started_in_entrance": [bool(outside_m(xy[:1], store.entrance_zone_m)[0] <= settings.zone_margin_m)],
            "ended_in_exit": [bool(outside_m(xy[-1:], store.exit_zone_m)[0] <= settings.zone_margin_m)],
            "continuity_prob": [person.continuity_prob],
        }
    )
    wearing = pl.DataFrame(
        {
            "started_at": [starts],
            "upper_colour": [upper.colour],
            "upper_prob": [upper.prob],
            "lower_colour": [lower.colour],
            "lower_prob": [lower.prob],
        }
    )
    place = {"store_id": store.store_id, "track_id": track_id}
    return (
        _finished(sightings, SIGHTINGS.schema, place, "captured_at"),
        _finished(points, TRACK_POINTS.schema, place, "captured_at"),
        _finished(track, TRACKS.schema, place, "started_at"),
        _finished(wearing, CLOTHING.schema, place, "started_at"),
    )


def _sighting_rows(part: _CameraTrack, origin: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "camera_id": [part.camera_id] * len(part.step),
            "captured_at": [_instant(origin + int(s)) for s in part.step],
            "left_px": part.ltwh_px[:, 0],
            "top_px": part.ltwh_px[:, 1],
            "width_px": part.ltwh_px[:, 2],
            "height_px": part.ltwh_px[:, 3],
            "x_m": part.own_xy_m[:, 0],
            "y_m": part.own_xy_m[:, 1],
            "is_filled": part.is_filled,
            "rank": [part.floor.support] * len(part.step),
        }
    )


def _instant(step: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=100 * step)


def _finished(table: pl.DataFrame, schema: pl.Schema, place: Mapping[str, str], instant: str) -> pl.DataFrame:
    utc = pl.col(instant).dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    return (
        table.with_columns(utc, *(pl.lit(value).alias(name) for name, value in place.items()))
        .with_columns(capture_hour=capture_hour_of(instant))
        .select(pl.col(name).cast(kind) for name, kind in schema.items())
    )


def _empty() -> Trajectories:
    return Trajectories(*(pl.DataFrame(schema=c.schema) for c in (SIGHTINGS, TRACK_POINTS, TRACKS, CLOTHING)))
