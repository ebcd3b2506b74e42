"""What a worker process does: one clip after the other with one detector. And which clips need it at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from assets.vision.camera import Camera
from assets.vision.footage.clip import Clip

if TYPE_CHECKING:
    from assets.vision.clip_analysis.decode_pass import ClipAnalysis
    from assets.vision.detection.detector import NanoDetector
    from assets.vision.detection.settings import DetectorSettings
    from assets.vision.store_view import SlotView


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

    from assets.vision.clip_analysis.decode_pass import analyse_clip
    from assets.vision.footage.day_clips import with_true_times

    cv2.setNumThreads(1)
    clip = with_true_times(task.clip) if task.clip.is_corrected else task.clip
    return analyse_clip(clip, task.camera, task.slots, task.zones, _detector(task.detector))


def detector_version(settings: DetectorSettings) -> str:
    """Network, hash, input size and arithmetic that this processor would use."""
    return _detector(settings).version


@cache
def _detector(settings: DetectorSettings) -> NanoDetector:
    from assets.vision.detection.detector import NanoDetector

    return NanoDetector(settings)


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
