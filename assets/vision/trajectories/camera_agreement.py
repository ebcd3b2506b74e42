"""Does a camera still look where it was calibrated to look? Told by where its people stand.

A camera that was knocked or moved goes on recording sharp pictures, and every person in them is put on the wrong spot.
Two things give it away: its people stand off the store's floor, or another camera that should see them sees somebody
elsewhere. Judged per camera and capture hour, so that a camera that was put right counts again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.vision.camera import Camera
from assets.vision.trajectories.floor_position import locate
from assets.vision.trajectories.settings import AgreementSettings

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Seen:
    """People of one camera in one hour: time (n,) rising, floor position (n, 2)."""

    time_s: Array
    xy_m: Array


def misplaced_cameras(
    detections: pl.DataFrame,
    cameras: Mapping[str, Camera],
    floor_m: tuple[float, float],
    settings: AgreementSettings | None = None,
) -> pl.DataFrame:
    """Cameras that do not look where their calibration says: camera_id, capture_hour, reason (off_floor, alone).

    `detections` as their contract says; `floor_m`: width and depth. Where all cameras contradict each other nobody can
    say which is right: then none is left out for it, and `reason` is `undecided`.
    """
    settings = settings or AgreementSettings()
    found: list[tuple[str, str, str]] = []
    sure = detections.filter(
        pl.col("camera_id").is_in(list(cameras)) & (pl.col("score_prob") >= settings.person_prob)
    ).sort("captured_at", "detection_index")
    for (hour,), rows in sorted(sure.partition_by("capture_hour", as_dict=True).items()):
        seen = {
            str(camera_id): _seen(part, cameras[str(camera_id)])
            for (camera_id,), part in sorted(rows.partition_by("camera_id", as_dict=True).items())
        }
        off = {name for name, people in seen.items() if _is_off_floor(people, floor_m, settings)}
        best = _best_agreement({n: p for n, p in seen.items() if n not in off}, cameras, settings)
        alone = {name for name, share in best.items() if share < settings.agreeing_share}
        reason = "undecided" if alone == set(best) else "alone"
        found += [(name, str(hour), "off_floor") for name in sorted(off)]
        found += [(name, str(hour), reason) for name in sorted(alone)]
    return pl.DataFrame(
        found, schema={"camera_id": pl.String, "capture_hour": pl.String, "reason": pl.String}, orient="row"
    )


def without(rows: pl.DataFrame, misplaced: pl.DataFrame) -> pl.DataFrame:
    """Rows (with camera_id and capture_hour) but for those of cameras that are left out."""
    out = misplaced.filter(pl.col("reason") != "undecided")
    return rows.join(out, on=["camera_id", "capture_hour"], how="anti", maintain_order="left")


def _seen(rows: pl.DataFrame, camera: Camera) -> _Seen:
    boxes = rows.select("left_px", "top_px", "width_px", "height_px").to_numpy().astype(np.float64)
    time_s = rows["captured_at"].dt.epoch("us").to_numpy().astype(np.float64) / 1e6
    xy_m = locate(camera, boxes).xy_m
    is_placed = np.isfinite(xy_m).all(axis=1)
    return _Seen(time_s[is_placed], xy_m[is_placed])


def _is_off_floor(people: _Seen, floor_m: tuple[float, float], settings: AgreementSettings) -> bool:
    if len(people.time_s) < settings.least_seen:
        return False
    margin = settings.off_floor_m
    is_off = ((people.xy_m < -margin) | (people.xy_m > np.asarray(floor_m) + margin)).any(axis=1)
    return bool(is_off.mean() > settings.off_floor_share)


def _best_agreement(
    seen: Mapping[str, _Seen], cameras: Mapping[str, Camera], settings: AgreementSettings
) -> dict[str, float]:
    """Per camera that others should agree with, the highest share of its people whom one other camera saw there."""
    best: dict[str, float] = {}
    for name, mine in seen.items():
        shares = [
            share
            for other, theirs in seen.items()
            if other != name and (share := _agreement(mine, theirs, cameras[other], settings)) is not None
        ]
        if shares:
            best[name] = max(shares)
    return best


def _agreement(mine: _Seen, theirs: _Seen, their_camera: Camera, settings: AgreementSettings) -> float | None:
    """Share of `mine` that the other camera saw at the same place, of those that stand in its picture while it saw
    anybody; None if these are too few to tell."""
    inside = np.flatnonzero(_in_picture(mine.xy_m, their_camera))
    low = np.searchsorted(theirs.time_s, mine.time_s[inside] - settings.together_s)
    high = np.searchsorted(theirs.time_s, mine.time_s[inside] + settings.together_s, side="right")
    asked = high > low
    if asked.sum() < settings.least_seen:
        return None
    met = [
        np.linalg.norm(theirs.xy_m[first:last] - mine.xy_m[index], axis=1).min() <= settings.together_m
        for index, first, last in zip(inside[asked], low[asked], high[asked], strict=True)
    ]
    return float(np.mean(met))


def _in_picture(xy_m: Array, camera: Camera) -> npt.NDArray[np.bool_]:
    """Whether a body's middle at these floor positions (n, 2) lies in the camera's picture."""
    if not len(xy_m):
        return np.zeros(0, dtype=bool)
    px = camera.project(np.column_stack([xy_m, np.full(len(xy_m), 1.0)]))
    return np.asarray(
        np.isfinite(px).all(axis=1) & (px >= 0).all(axis=1) & (px < (camera.width_px, camera.height_px)).all(axis=1)
    )
