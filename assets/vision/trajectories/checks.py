"""Checks of sightings, track points, tracks and clothing. Counts only, never a value."""

from __future__ import annotations

import polars as pl

from lakehouse.audit import ExpectationResult, identity_check, no_strangers
from lakehouse.contract import Severity
from resources.steps.specs import DomainCheck

DECLARED: dict[str, tuple[DomainCheck, ...]] = {
    "vision/sightings": (
        DomainCheck("tracks_known", "Every row's track is in vision/tracks."),
        DomainCheck(
            "cameras_agree",
            "Cameras look where they were calibrated to look; one whose people stand off the floor, or where no other "
            "camera sees them, is left out for the hour.",
            Severity.WARNING,
        ),
    ),
    "vision/track_points": (
        DomainCheck("tracks_known", "Every row's track is in vision/tracks."),
        DomainCheck("points_on_floor", "Points lie on the store's floor, give or take a metre.", Severity.WARNING),
    ),
    "vision/tracks": (
        DomainCheck("ends_after_it_began", "A track ends after it began."),
        DomainCheck("points_counted", "point_count is the number of rows in vision/track_points."),
    ),
    "vision/clothing": (DomainCheck("tracks_known", "Every row's track is in vision/tracks."),),
}


def check_tracks_known(rows: pl.DataFrame, tracks: pl.DataFrame) -> list[ExpectationResult]:
    """Result for vision/sightings and vision/clothing."""
    return [no_strangers("tracks_known", rows, tracks, "track_id")]


def check_cameras_agree(misplaced: pl.DataFrame, detections: pl.DataFrame) -> ExpectationResult:
    """Result for vision/sightings: `misplaced` has a row per camera and hour that is out of place."""
    total = detections.select("camera_id", "capture_hour").n_unique() if detections.height else 0
    return identity_check("cameras_agree", misplaced.height, total, column="camera_id", severity=Severity.WARNING)


def check_track_points(points: pl.DataFrame, tracks: pl.DataFrame, stores: pl.DataFrame) -> list[ExpectationResult]:
    """Results for vision/track_points; `stores` holds the store's row."""
    off_floor = (
        points.join(stores.select("store_id", "floor_width_m", "floor_depth_m"), on="store_id")
        .filter(
            ~pl.col("x_m").is_between(-1.0, pl.col("floor_width_m") + 1.0)
            | ~pl.col("y_m").is_between(-1.0, pl.col("floor_depth_m") + 1.0)
        )
        .height
    )
    return [
        *check_tracks_known(points, tracks),
        identity_check("points_on_floor", off_floor, points.height, column="x_m", severity=Severity.WARNING),
    ]


def check_tracks(tracks: pl.DataFrame, points: pl.DataFrame) -> list[ExpectationResult]:
    """Results for vision/tracks."""
    backwards = tracks.filter(pl.col("ended_at") < pl.col("started_at")).height
    counted = points.group_by("track_id").agg(pl.len().cast(pl.Int64).alias("counted"))
    miscounted = (
        tracks.join(counted, on="track_id", how="left")
        .filter(pl.col("point_count").cast(pl.Int64).ne_missing(pl.col("counted")))
        .height
    )
    return [
        identity_check("ends_after_it_began", backwards, tracks.height, column="ended_at"),
        identity_check("points_counted", miscounted, tracks.height, column="point_count"),
    ]
