"""From the detections of all cameras to one trajectory a person, in floor metres and store time.

camera tracks (tracking/camera_tracks.py, pixels) -> floor positions (floor_position.py) -> people (people.py) ->
tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from assets.vision.arrays import Array
from assets.vision.camera import Camera
from assets.vision.store_view import StorePlan
from assets.vision.trajectories.floor_tracks import CameraTrack, camera_tracks, outside_m
from assets.vision.trajectories.people import FloorTrack, people
from assets.vision.trajectories.rows import Trajectories, no_trajectories, tables_of
from assets.vision.trajectories.settings import STEP_S, MergeSettings


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
        return no_trajectories()
    seconds = known["captured_at"].dt.epoch("us").to_numpy().astype(np.float64) / 1e6
    origin = int(np.floor(seconds.min() / STEP_S)) - 10  # the first detection lies at step 10
    parts: list[CameraTrack] = []
    gates = (store.entrance_zone_m, store.exit_zone_m)
    for number, camera_id in enumerate(sorted(known["camera_id"].unique().to_list())):
        table = known.filter(pl.col("camera_id") == camera_id)
        parts += camera_tracks(table, number, cameras[camera_id], origin, gates, settings)
    if not parts:
        return no_trajectories()
    last = int(np.ceil(seconds.max() / STEP_S)) - origin
    floors = [part.floor for part in parts]
    entrance = _zone_shares(floors, store.entrance_zone_m, settings)
    way_out = _zone_shares(floors, store.exit_zone_m, settings)
    found = people(floors, STEP_S, entrance, way_out, (10, last), settings.fusion)
    tables = [
        tables_of(person, parts, store, origin, settings)
        for person in sorted(found, key=lambda p: min(int(floors[n].step[0]) for n in p.tracks))
    ]
    kept = [table for table in tables if table is not None]
    if not kept:
        return no_trajectories()
    return Trajectories(*(pl.concat(group) for group in zip(*kept, strict=True)))


def _zone_shares(floors: Sequence[FloorTrack], polygon_m: Array, settings: MergeSettings) -> Array:
    """(k, 2) for every track's first and last point: 1 in the zone (grown by its margin), falling to 0 at
    `zone_reach_m` beyond it. Near the gate people hide each other, and tracks begin late or end early."""
    ends = np.concatenate([item.xy_m[[0, -1]] for item in floors])
    shares = 1.0 - np.maximum(outside_m(ends, polygon_m) - settings.zone_margin_m, 0.0) / settings.zone_reach_m
    return np.clip(shares, 0.0, 1.0).reshape(-1, 2)
