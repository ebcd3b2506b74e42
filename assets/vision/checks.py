"""The vision domain's own checks: what they are called, and how they are counted. Counts only, never a value."""

from __future__ import annotations

import polars as pl

from lakehouse.audit import ExpectationResult, identity_check, no_strangers
from lakehouse.contract import Severity
from lakehouse.contracts.vision import USABLE_STATUSES
from resources.table_specs import DomainCheck

WARNING = Severity.WARNING

DECLARED: dict[str, tuple[DomainCheck, ...]] = {
    "vision/footage_segments": (
        DomainCheck("clips_usable", "Clips whole and as their sidecar says; the others carry a reason.", WARNING),
        DomainCheck("hash_is_promised", "The file is the one that its sidecar describes.", WARNING),
        DomainCheck("cameras_known", "Footage comes from cameras with reference data.", WARNING),
        DomainCheck("pictures_fit_cameras", "Pictures have the size that their camera was calibrated for.", WARNING),
        DomainCheck("cameras_cover_hours", "Every known camera has footage in every hour in which one has.", WARNING),
    ),
    "vision/detections": (
        DomainCheck("box_inside_frame", "Boxes lie inside their camera's frame."),
        DomainCheck("clips_known", "Every row's clip is in the catalogue."),
        DomainCheck(
            "clips_looked_through",
            "Every usable clip was looked through: its camera is known and calibrated for it, and it decoded.",
            WARNING,
        ),
    ),
    "vision/slot_episodes": (
        DomainCheck("slots_known", "Every slot or zone is one that the camera sees."),
        DomainCheck("ends_after_it_began", "An episode ends after it began."),
    ),
    "vision/sightings": (
        DomainCheck("tracks_known", "Every row's track is in vision/tracks."),
        DomainCheck(
            "cameras_agree",
            "Cameras look where they were calibrated to look; one whose people stand off the floor, or where no other "
            "camera sees them, is left out for the hour.",
            WARNING,
        ),
    ),
    "vision/track_points": (
        DomainCheck("tracks_known", "Every row's track is in vision/tracks."),
        DomainCheck("points_on_floor", "Points lie on the store's floor, give or take a metre.", WARNING),
    ),
    "vision/tracks": (
        DomainCheck("ends_after_it_began", "A track ends after it began."),
        DomainCheck("points_counted", "point_count is the number of rows in vision/track_points."),
    ),
    "vision/clothing": (DomainCheck("tracks_known", "Every row's track is in vision/tracks."),),
    "vision/shelf_events": (
        DomainCheck("slots_known", "Every event names a slot of the store."),
        DomainCheck("tracks_known", "Every event names a track that exists, or none."),
        DomainCheck("ends_after_it_began", "started_at, happened_at and ended_at follow one another."),
    ),
}


def check_footage_segments(segments: pl.DataFrame, cameras: pl.DataFrame) -> list[ExpectationResult]:
    """Results for vision/footage_segments, against the store's rows of orders/cameras."""
    total = segments.height
    unusable = segments.filter(pl.col("status") != "ok").height
    other_file = segments.filter(pl.col("reason").str.contains("(hash)", literal=True)).height
    hours = segments.select("capture_hour").unique()
    wanted = cameras.select("camera_id").unique().join(hours, how="cross")
    usable = segments.filter(pl.col("status").is_in(USABLE_STATUSES))
    covered = usable.select("camera_id", "capture_hour")
    uncovered = wanted.join(covered, on=["camera_id", "capture_hour"], how="anti").height
    other_size = (
        usable.join(cameras.select("camera_id", width="width_px", height="height_px"), on="camera_id")
        .filter((pl.col("width_px") != pl.col("width")) | (pl.col("height_px") != pl.col("height")))
        .height
    )
    return [
        identity_check("clips_usable", unusable, total, column="status", severity=WARNING),
        identity_check("hash_is_promised", other_file, total, column="sha256", severity=WARNING),
        no_strangers("cameras_known", segments, cameras, "camera_id", WARNING),
        identity_check("pictures_fit_cameras", other_size, usable.height, column="width_px", severity=WARNING),
        identity_check("cameras_cover_hours", uncovered, wanted.height, column="camera_id", severity=WARNING),
    ]


def check_detections(
    detections: pl.DataFrame, cameras: pl.DataFrame, segments: pl.DataFrame, not_looked_through: int
) -> list[ExpectationResult]:
    """Results for vision/detections. `not_looked_through`: usable clips that were left out, or failed on the way."""
    sizes = cameras.select(
        "camera_id", pl.col("width_px").alias("frame_width"), pl.col("height_px").alias("frame_height")
    )
    usable = segments.filter(pl.col("status").is_in(USABLE_STATUSES)).height
    slack = 1.0
    outside = (
        detections.join(sizes, on="camera_id", how="left")
        .filter(
            (pl.col("left_px") < -slack)
            | (pl.col("top_px") < -slack)
            | (pl.col("left_px") + pl.col("width_px") > pl.col("frame_width") + slack)
            | (pl.col("top_px") + pl.col("height_px") > pl.col("frame_height") + slack)
            | pl.col("frame_width").is_null()
        )
        .height
    )
    return [
        identity_check("box_inside_frame", outside, detections.height, column="left_px"),
        no_strangers("clips_known", detections, segments, "clip_id"),
        identity_check("clips_looked_through", not_looked_through, usable, column="clip_id", severity=WARNING),
    ]


def check_slot_episodes(episodes: pl.DataFrame, slot_views: pl.DataFrame) -> list[ExpectationResult]:
    """Results for vision/slot_episodes."""
    unknown = episodes.join(slot_views, on=["camera_id", "slot_id"], how="anti").height
    backwards = episodes.filter(pl.col("ended_at") < pl.col("started_at")).height
    return [
        identity_check("slots_known", unknown, episodes.height, column="slot_id"),
        identity_check("ends_after_it_began", backwards, episodes.height, column="ended_at"),
    ]


def check_tracks_known(rows: pl.DataFrame, tracks: pl.DataFrame) -> list[ExpectationResult]:
    """Result for vision/sightings and vision/clothing."""
    return [no_strangers("tracks_known", rows, tracks, "track_id")]


def check_cameras_agree(misplaced: pl.DataFrame, detections: pl.DataFrame) -> ExpectationResult:
    """Result for vision/sightings: `misplaced` has a row per camera and hour that is out of place."""
    total = detections.select("camera_id", "capture_hour").n_unique() if detections.height else 0
    return identity_check("cameras_agree", misplaced.height, total, column="camera_id", severity=WARNING)


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
        identity_check("points_on_floor", off_floor, points.height, column="x_m", severity=WARNING),
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


def check_shelf_events(events: pl.DataFrame, slots: pl.DataFrame, tracks: pl.DataFrame) -> list[ExpectationResult]:
    """Results for vision/shelf_events."""
    named = events.filter(pl.col("track_id").is_not_null())
    disordered = events.filter(
        (pl.col("happened_at") < pl.col("started_at")) | (pl.col("ended_at") < pl.col("happened_at"))
    ).height
    return [
        no_strangers("slots_known", events, slots, "slot_id"),
        no_strangers("tracks_known", named, tracks, "track_id"),
        identity_check("ends_after_it_began", disordered, events.height, column="ended_at"),
    ]
