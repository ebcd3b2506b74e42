"""What a worker process does: one clip after the other with one detector. And which clips need it at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from assets.vision.clips import Clip
from assets.vision.geometry import Camera

if TYPE_CHECKING:
    from assets.vision.clip_analysis import ClipAnalysis
    from assets.vision.detector import DetectorSettings, NanoDetector
    from assets.vision.slots import SlotView


@dataclass(frozen=True)
class ClipTask:
    """One clip with all that is needed to look at it."""

    clip: Clip
    camera: Camera
    slots: tuple[SlotView, ...]
    zones: tuple[SlotView, ...]
    detector: DetectorSettings


def analyse(task: ClipTask) -> ClipAnalysis:
    """Runs in a worker."""
    import cv2

    from assets.vision.clip_analysis import analyse_clip
    from assets.vision.landed_clips import with_true_times

    cv2.setNumThreads(1)
    clip = with_true_times(task.clip) if task.clip.is_corrected else task.clip
    return analyse_clip(clip, task.camera, task.slots, task.zones, _detector(task.detector))


def detector_version(settings: DetectorSettings) -> str:
    """Network, hash, input size and arithmetic that this processor would use."""
    return _detector(settings).version


@cache
def _detector(settings: DetectorSettings) -> NanoDetector:
    from assets.vision.detector import NanoDetector

    return NanoDetector(settings)


def cameras_of(rows: pl.DataFrame) -> dict[str, Camera]:
    """Cameras by id, from rows of orders/cameras of one store."""
    return {
        str(row["camera_id"]): Camera(
            camera_id=str(row["camera_id"]),
            width_px=row["width_px"],
            height_px=row["height_px"],
            matrix=np.asarray(row["matrix"], dtype=np.float64).reshape(3, 3),
            distortion=np.asarray(row["distortion"], dtype=np.float64),
            rotation=np.asarray(row["rotation"], dtype=np.float64).reshape(3, 3),
            translation_m=np.asarray(row["translation_m"], dtype=np.float64),
            kind=str(row["kind"]),
        )
        for row in rows.sort("camera_id").iter_rows(named=True)
    }


def views_of(slot_views: pl.DataFrame, planogram: pl.DataFrame) -> dict[str, tuple[list[SlotView], list[SlotView]]]:
    """Per camera its slots and its zones, from rows of orders/slot_views of one store and the day's planogram."""
    from assets.vision.slots import SlotView

    facings: Mapping[str, int] = dict(planogram.select("slot_id", "facings").iter_rows())
    found: dict[str, tuple[list[SlotView], list[SlotView]]] = {}
    for row in slot_views.sort("camera_id", "slot_id").iter_rows(named=True):
        polygon = np.asarray(row["polygon_px"], dtype=np.float64)
        view = SlotView(row["slot_id"], polygon, max(1, facings.get(row["slot_id"], 1)))
        found.setdefault(row["camera_id"], ([], []))[int(row["is_zone"])].append(view)
    return found


def planogram_on(planograms: pl.DataFrame, day: date) -> pl.DataFrame:
    """Planogram rows of one store that hold on a store-local date: slot_id, product_id, facings; one row a slot."""
    return (
        planograms.filter(pl.col("valid_from") <= day)
        .sort("slot_id", "valid_from")
        .group_by("slot_id", maintain_order=True)
        .agg(pl.col("product_id").last(), pl.col("facings").last())
    )


def digest_of(parts: Iterable[object]) -> str:
    """16 hexadecimal digits of anything with a stable text: what a result depends on."""
    text = json.dumps([str(part) for part in parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def frame_digest(*frames: pl.DataFrame) -> str:
    """The same for the content of frames, whatever the order of their rows."""
    return digest_of(sorted(str(row) for row in frame.rows()) for frame in frames)


@dataclass(frozen=True)
class FittingClips:
    """`fitting`: clips of known cameras, with pictures of the size that the camera was calibrated for. The others are
    left out: pixels of an unknown or another picture mean nothing on the floor.
    """

    fitting: tuple[Clip, ...]
    of_unknown_cameras: int
    of_other_size: int


def fitting_clips(clips: Sequence[Clip], segments: pl.DataFrame, cameras: Mapping[str, Camera]) -> FittingClips:
    """Sorts usable clips by whether their camera's calibration holds for them; `segments` are their catalogue rows. A
    camera that becomes known, or is calibrated anew, brings its clips in by the next run."""
    sizes = {row[0]: row[1:] for row in segments.select("clip_id", "width_px", "height_px").iter_rows()}
    known = [clip for clip in clips if clip.camera_id in cameras]
    fitting = tuple(
        clip
        for clip in known
        if sizes[clip.clip_id] == (cameras[clip.camera_id].width_px, cameras[clip.camera_id].height_px)
    )
    return FittingClips(fitting, len(clips) - len(known), len(known) - len(fitting))


def clips_to_analyse(
    clips: Sequence[Clip],
    slot_episodes: pl.DataFrame,
    detections: pl.DataFrame,
    cameras_with_slots: Iterable[str],
) -> list[Clip]:
    """Clips without rows from an earlier run. Detections are committed before slot episodes, and every slot leaves at
    least its opening state, so a clip with episodes is complete."""
    watched = set(cameras_with_slots)
    seen = set(slot_episodes["clip_id"].unique())
    detected = set(detections["clip_id"].unique())
    return [clip for clip in clips if clip.clip_id not in (seen if clip.camera_id in watched else detected)]
