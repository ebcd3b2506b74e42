"""Tracks in one video file, for anybody's footage: no calibration, no landing folder, no store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from assets.vision.arrays import Array
from assets.vision.detection.appearance import APPEARANCE_SIZE, describe
from assets.vision.detection.detector import Detector
from assets.vision.footage.clip import UnreadableClipError, frames
from assets.vision.tracking.box_fit import BoxFit
from assets.vision.tracking.camera_tracks import CameraTracks, corrected, link
from assets.vision.tracking.settings import TrackingSettings
from assets.vision.tracking.tracklets import Detections

Given = Callable[[int], Array]
"""Frame number -> boxes (n, 5) left, top, width, height, score."""
VIDEO_WIDTH_PX = 416
"""Width, in pixels, of the detector's picture for a single video, where time does not press: what the network was
trained at. On frames 1-400 of PETS09-S2L1 512 and 640 gave no more, 320 and 384 less.
"""
FIT_EVERY = 8
"""Every so many frames one serves to learn how the detector draws its boxes. Chosen by hand."""
DEFAULT_FPS = 10.0
"""Frames a second of a video whose header does not say, or cannot be right."""


@dataclass(frozen=True)
class VideoTracks:
    """Tracks at every frame; `frame` (m,) counts from 0 beside `tracks.time_s`."""

    tracks: CameraTracks
    frame: npt.NDArray[np.int64]
    frame_count: int


def frame_rate(path: Path) -> float:
    """The rate that the header declares, or 10 where it declares none that can be."""
    capture = cv2.VideoCapture(str(path))
    try:
        rate = float(capture.get(cv2.CAP_PROP_FPS)) if capture.isOpened() else 0.0
    finally:
        capture.release()
    # No camera is slower or faster than this; headers are.
    return rate if 0.5 <= rate <= 240.0 else DEFAULT_FPS


def observe_video(
    path: Path, detector: Detector | None, given: Given | None, fps: float
) -> tuple[Detections, BoxFit, int]:
    """Detections of every frame, by `detector` or as `given`, with their appearance. Raises
    UnreadableClipError.
    """
    numbers: list[npt.NDArray[np.int64]] = []
    boxes: list[Array] = []
    appearances: list[Array] = []
    fit = BoxFit()
    size = (0.0, 0.0)
    count = 0
    for number, frame in enumerate(frames(path)):
        count += 1
        size = (float(frame.shape[1]), float(frame.shape[0]))
        if given is not None:
            found = given(number)
        else:
            found = np.asarray(detector.detect(frame), dtype=np.float64) if detector is not None else np.empty((0, 5))
        if number % FIT_EVERY == 0:
            fit.add(frame, found[:, :4])
        if len(found):
            numbers.append(np.full(len(found), number, dtype=np.int64))
            boxes.append(found)
            appearances.append(np.asarray(describe(frame, found)[0], dtype=np.float64))
    if not count:
        raise UnreadableClipError("empty")
    if not boxes:
        nothing = Detections(
            np.empty(0),
            np.empty(0, np.int64),
            np.empty((0, 4)),
            np.empty(0),
            np.empty((0, APPEARANCE_SIZE)),
            size,
        )
        return nothing, fit, count
    look, table = np.concatenate(numbers), np.concatenate(boxes)
    return Detections(look / fps, look, table[:, :4], table[:, 4], np.concatenate(appearances), size), fit, count


def track_video(
    path: Path,
    detector: Detector | None = None,
    given: Given | None = None,
    settings: TrackingSettings | None = None,
) -> VideoTracks:
    """Tracks of a whole video. Raises UnreadableClipError if nothing decodes."""
    fps = frame_rate(path)
    found, fit, count = observe_video(path, detector, given, fps)
    tracks = link(corrected(found, fit.correction()), np.arange(count) / fps, settings)
    return VideoTracks(tracks, np.round(tracks.time_s * fps).astype(np.int64), count)
