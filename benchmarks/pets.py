"""PETS09-S2L1: our tracker, ByteTrack of `trackers` and norfair on the same eight draws of the same detections, those
of its det.txt and those of our own detector.

Each draw drops 4 % of the detections (seeds 0-7): one run alone says little, trackers are fragile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assets.vision.detection.detector import Detector, NanoDetector
from assets.vision.detection.settings import DetectorSettings
from assets.vision.single_video.tracks import VIDEO_WIDTH_PX, Given, observe_video
from assets.vision.tracking.box_fit import Correction
from assets.vision.tracking.camera_tracks import corrected, link
from assets.vision.tracking.tracklets import Detections
from benchmarks.draws import DRAWS, kept
from evaluation.mot import MotBoxes, read_mot
from evaluation.tracking import mean_score, score_tracks

FPS = 10.0
FRAMES = 795
SECOND_HALF = 401
NORFAIR_PROB = 0.45
"""norfair tracks whatever it is given, so it is given what our detector's model card calls a person."""

Tracker = Callable[[Detections], MotBoxes]


def compare(folder: Path, peers: bool = True, own_detector: bool = True) -> dict[str, dict[str, float]]:
    """Scores (see `_scores`) by tracker on det.txt; those on our own detector's boxes have " @ " and its width."""
    truth = read_mot(folder / "gt.txt", is_truth=True)
    given = read_mot(folder / "det.txt")
    table = np.column_stack([given.ltwh_px, given.score])
    bounds = np.searchsorted(given.frame, np.arange(FRAMES + 1))
    sources: dict[str, tuple[Detector | None, Given | None]] = {"": (None, lambda n: table[bounds[n] : bounds[n + 1]])}
    if own_detector:
        sources[f" @ {VIDEO_WIDTH_PX}"] = (NanoDetector(DetectorSettings(width_px=VIDEO_WIDTH_PX)), None)
    result: dict[str, dict[str, float]] = {}
    for suffix, (detector, boxes) in sources.items():
        started = time.process_time()
        found, fit, _ = observe_video(folder / "vtest.avi", detector, boxes, FPS)
        observing_us = (time.process_time() - started) / FRAMES * 1e6
        correction = fit.correction()
        trackers: dict[str, Tracker] = {"openaisle": partial(ours, correction=correction)}
        if peers:
            trackers |= {"trackers ByteTrack": byte_track, "norfair": norfair_tracks}
        result |= {name + suffix: _scores(tracker, found, truth) for name, tracker in trackers.items()}
        result["openaisle" + suffix]["us_per_frame_before_tracking"] = round(observing_us, 1)
    return result


def _scores(tracker: Tracker, found: Detections, truth: MotBoxes) -> dict[str, float]:
    """Means over the draws, whole and of frames 401-795, and microseconds a frame."""
    whole, second, spent_s = [], [], 0.0
    for seed in range(DRAWS):
        part = found.at(kept(len(found), seed))
        started = time.process_time()
        tracks = tracker(part)
        spent_s += time.process_time() - started
        whole.append(score_tracks(truth, tracks, 0, FRAMES))
        second.append(score_tracks(truth, tracks, SECOND_HALF, FRAMES))
    means, halves = mean_score(whole), mean_score(second)
    return {
        "us_per_frame": round(spent_s / DRAWS / FRAMES * 1e6, 1),
        **{key: round(means[key], 2) for key in ("hota", "mota", "idf1", "id_switches")},
        "hota_sd": round(float(np.std([score.hota for score in whole])), 2),
        "idf1_sd": round(float(np.std([score.idf1 for score in whole])), 2),
        "second_half_hota": round(halves["hota"], 2),
        "second_half_idf1": round(halves["idf1"], 2),
    }


def ours(found: Detections, correction: Correction) -> MotBoxes:
    """Our batch tracker."""
    tracks = link(corrected(found, correction), np.arange(FRAMES) / FPS)
    return _ordered(np.round(tracks.time_s * FPS).astype(np.int64), tracks.track + 1, tracks.ltwh_px)


def byte_track(found: Detections) -> MotBoxes:
    """ByteTrack of `trackers` on its defaults but for the true frame rate."""
    import supervision
    from trackers import ByteTrackTracker

    tracker = ByteTrackTracker(frame_rate=FPS)
    rows: list[tuple[int, int, npt.NDArray[np.float64]]] = []
    for number in range(FRAMES):
        boxes, score = _of_frame(found, number)
        corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        answer = tracker.update(
            supervision.Detections(xyxy=corners, confidence=score, class_id=np.zeros(len(boxes), dtype=int))
        )
        identities: Any = answer.tracker_id if answer.tracker_id is not None else []
        for box, identity in zip(answer.xyxy, identities, strict=True):
            if identity >= 0:
                rows.append((number, int(identity) + 1, np.array([box[0], box[1], box[2] - box[0], box[3] - box[1]])))
    return _from_rows(rows)


def norfair_tracks(found: Detections) -> MotBoxes:
    """norfair with its box overlap distance, as its documentation's example has it."""
    import norfair

    tracker = norfair.Tracker(distance_function="iou", distance_threshold=0.7)
    rows: list[tuple[int, int, npt.NDArray[np.float64]]] = []
    for number in range(FRAMES):
        boxes, score = _of_frame(found, number)
        given = [
            norfair.Detection(np.array([box[:2], box[:2] + box[2:]]), np.array([prob, prob]))
            for box, prob in zip(boxes, score, strict=True)
            if prob >= NORFAIR_PROB
        ]
        for item in tracker.update(given):
            near, far = item.estimate
            rows.append((number, int(item.id), np.concatenate([near, far - near])))
    return _from_rows(rows)


def _of_frame(found: Detections, number: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    first, last = np.searchsorted(found.look, [number, number + 1])
    return found.ltwh_px[first:last], found.score[first:last]


def _from_rows(rows: list[tuple[int, int, npt.NDArray[np.float64]]]) -> MotBoxes:
    return _ordered(
        np.array([row[0] for row in rows], dtype=np.int64),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.float64).reshape(-1, 4),
    )


def _ordered(frame: npt.NDArray[np.int64], identity: npt.NDArray[np.int64], boxes: npt.NDArray[np.float64]) -> MotBoxes:
    order = np.lexsort((identity, frame))
    return MotBoxes(frame[order], identity[order], boxes[order], np.ones(len(order)))
