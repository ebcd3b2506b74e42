"""Checks of vision/footage_segments. Counts only, never a value."""

from __future__ import annotations

import polars as pl

from lakehouse.audit import ExpectationResult, identity_check, no_strangers
from lakehouse.contract import Severity
from lakehouse.contracts.vision import USABLE_STATUSES
from resources.steps.specs import DomainCheck

DECLARED: dict[str, tuple[DomainCheck, ...]] = {
    "vision/footage_segments": (
        DomainCheck(
            "clips_usable", "Clips whole and as their sidecar says; the others carry a reason.", Severity.WARNING
        ),
        DomainCheck("hash_is_promised", "The file is the one that its sidecar describes.", Severity.WARNING),
        DomainCheck("cameras_known", "Footage comes from cameras with reference data.", Severity.WARNING),
        DomainCheck(
            "pictures_fit_cameras", "Pictures have the size that their camera was calibrated for.", Severity.WARNING
        ),
        DomainCheck(
            "cameras_cover_hours", "Every known camera has footage in every hour in which one has.", Severity.WARNING
        ),
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
        identity_check("clips_usable", unusable, total, column="status", severity=Severity.WARNING),
        identity_check("hash_is_promised", other_file, total, column="sha256", severity=Severity.WARNING),
        no_strangers("cameras_known", segments, cameras, "camera_id", Severity.WARNING),
        identity_check("pictures_fit_cameras", other_size, usable.height, column="width_px", severity=Severity.WARNING),
        identity_check("cameras_cover_hours", uncovered, wanted.height, column="camera_id", severity=Severity.WARNING),
    ]
