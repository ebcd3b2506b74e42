"""Trajectories as rows of their tables."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import polars as pl

from assets.vision.store_view import StorePlan
from assets.vision.tracking.smoothing import local_linear
from assets.vision.trajectories.clothing import dominant_colour
from assets.vision.trajectories.floor_tracks import CameraTrack, outside_m
from assets.vision.trajectories.people import Person, fuse
from assets.vision.trajectories.settings import STEP_S, MergeSettings
from lakehouse.contracts.vision import CLOTHING, SIGHTINGS, TRACK_POINTS, TRACKS
from lakehouse.store_day import capture_hour_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Trajectories(NamedTuple):
    """Tables as their contracts say."""

    sightings: pl.DataFrame
    track_points: pl.DataFrame
    tracks: pl.DataFrame
    clothing: pl.DataFrame


def tables_of(
    person: Person, parts: Sequence[CameraTrack], store: StorePlan, origin: int, settings: MergeSettings
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.DataFrame] | None:
    """A person's sightings, track points, track and clothing; None for a way too short in time or space."""
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


def _sighting_rows(part: CameraTrack, origin: int) -> pl.DataFrame:
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


def no_trajectories() -> Trajectories:
    """Tables without a row."""
    return Trajectories(*(pl.DataFrame(schema=c.schema) for c in (SIGHTINGS, TRACK_POINTS, TRACKS, CLOTHING)))
