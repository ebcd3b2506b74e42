"""Checks of vision/detections and vision/slot_episodes. Counts only, never a value."""

from __future__ import annotations

import polars as pl

from lakehouse.audit import ExpectationResult, identity_check, no_strangers
from lakehouse.contract import Severity
from lakehouse.contracts.vision import USABLE_STATUSES
from resources.steps.specs import DomainCheck

DECLARED: dict[str, tuple[DomainCheck, ...]] = {
    "vision/detections": (
        DomainCheck("box_inside_frame", "Boxes lie inside their camera's frame."),
        DomainCheck("clips_known", "Every row's clip is in the catalogue."),
        DomainCheck(
            "clips_looked_through",
            "Every usable clip was looked through: its camera is known and calibrated for it, and it decoded.",
            Severity.WARNING,
        ),
    ),
    "vision/slot_episodes": (
        DomainCheck("slots_known", "Every slot or zone is one that the camera sees."),
        DomainCheck("ends_after_it_began", "An episode ends after it began."),
    ),
}


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
        identity_check("clips_looked_through", not_looked_through, usable, column="clip_id", severity=Severity.WARNING),
    ]


def check_slot_episodes(episodes: pl.DataFrame, slot_views: pl.DataFrame) -> list[ExpectationResult]:
    """Results for vision/slot_episodes."""
    unknown = episodes.join(slot_views, on=["camera_id", "slot_id"], how="anti").height
    backwards = episodes.filter(pl.col("ended_at") < pl.col("started_at")).height
    return [
        identity_check("slots_known", unknown, episodes.height, column="slot_id"),
        identity_check("ends_after_it_began", backwards, episodes.height, column="ended_at"),
    ]
