"""Tracks of one camera from all detections of a clip or day: sure tracklets, joined, smoothed, gaps filled.

Needs no calibration: everything is in pixels of the picture. Deterministic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from assets.vision.arrays import Array, Index
from assets.vision.tracking.box_fit import Correction
from assets.vision.tracking.joining import link_tracklets
from assets.vision.tracking.judgement import is_convincing, usual_score
from assets.vision.tracking.settings import TrackingSettings
from assets.vision.tracking.smoothing import filled_moments, local_linear
from assets.vision.tracking.tracklets import Detections, sure_tracklets


@dataclass(frozen=True)
class CameraTracks:
    """Boxes of one camera's tracks, ordered by track and time. `rows` are the detections of each track."""

    track: Index  # (m,) from 0
    time_s: Array  # (m,)
    ltwh_px: Array  # (m, 4)
    is_filled: npt.NDArray[np.bool_]  # (m,)
    rows: tuple[Index, ...]


def link(found: Detections, grid_s: Array, settings: TrackingSettings | None = None) -> CameraTracks:
    """Tracks of `found`, at the moments `grid_s` (rising; usually every frame's time)."""
    settings = settings or TrackingSettings()
    tracks, usual = _linked(found, settings)
    length_s = float(grid_s[-1] - grid_s[0]) if len(grid_s) else 0.0
    shortest_s = min(settings.short_s, settings.short_share * length_s)
    kept = [
        rows
        for rows in tracks
        if len(rows) >= settings.least_looks
        and found.time_s[rows[-1]] - found.time_s[rows[0]] >= shortest_s
        and is_convincing(found, rows, usual, settings.judgement)
    ]
    numbers, times, boxes, filled = [], [], [], []
    for number, rows in enumerate(kept):
        at_s, is_filled = filled_moments(found.time_s[rows], grid_s, settings.fill_gap_s)
        numbers.append(np.full(len(at_s), number, dtype=np.int64))
        times.append(at_s)
        boxes.append(smooth_boxes(found, rows, at_s, settings))
        filled.append(is_filled)
    if not kept:
        return CameraTracks(np.empty(0, np.int64), np.empty(0), np.empty((0, 4)), np.empty(0, bool), ())
    return CameraTracks(
        np.concatenate(numbers),
        np.concatenate(times),
        np.concatenate(boxes),
        np.concatenate(filled),
        tuple(kept),
    )


def _linked(found: Detections, settings: TrackingSettings) -> tuple[list[Index], float]:
    """Rows of every track, and the usual score. Boxes far below it are left out: they are mostly duplicates and
    objects, and a duplicate beside a person looks like a second candidate to sure_tracklets.
    """
    tracklets = sure_tracklets(found, settings.tracklets)
    usual = usual_score(found, tracklets, settings.judgement)
    likely = np.flatnonzero(found.score >= settings.judgement.box_share * usual)
    if len(likely) < len(found):
        found = found.at(likely)
        tracklets = sure_tracklets(found, settings.tracklets)
    return [likely[rows] for rows in link_tracklets(found, tracklets, settings.association)], usual


def smooth_boxes(found: Detections, rows: Index, at_s: Array, settings: TrackingSettings) -> Array:
    """(m, 4) boxes of a track at `at_s`: centres smoothed over a shorter time than sizes."""
    boxes, time_s = found.ltwh_px[rows], found.time_s[rows]
    weights = np.clip(found.score[rows], settings.least_weight, 1.0)
    centre = local_linear(time_s, boxes[:, :2] + boxes[:, 2:4] / 2, at_s, settings.smoothing_s, weights)
    size = local_linear(time_s, boxes[:, 2:4], at_s, settings.size_smoothing_s, weights)
    size = np.clip(size, boxes[:, 2:4].min(axis=0), boxes[:, 2:4].max(axis=0))
    return np.concatenate([centre - size / 2, size], axis=1)


def corrected(found: Detections, correction: Correction) -> Detections:
    """The same detections, the sides of their boxes moved."""
    boxes = found.ltwh_px
    near = boxes[:, :2] + boxes[:, 2:4] * np.array([correction.left, correction.top])
    far = boxes[:, :2] + boxes[:, 2:4] * np.array([1.0 + correction.right, 1.0 + correction.bottom])
    return replace(found, ltwh_px=np.concatenate([near, far - near], axis=1))
