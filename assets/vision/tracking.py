"""Tracks of one camera from its detections, in batch: sure tracklets, one global assignment, smoothing,
filled gaps.

Needs no calibration: everything is in pixels of the picture. Deterministic.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from assets.vision.association import AssociationSettings, link_tracklets
from assets.vision.box_fit import Correction
from assets.vision.smoothing import filled_moments, local_linear
from assets.vision.track_judgement import JudgementSettings, is_convincing, usual_score
from assets.vision.tracklets import Detections, TrackletSettings, sure_tracklets

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TrackingSettings:
    """Times in seconds; shares of a box or of 1."""

    tracklets: TrackletSettings = field(default_factory=TrackletSettings)
    association: AssociationSettings = field(default_factory=AssociationSettings)
    judgement: JudgementSettings = field(default_factory=JudgementSettings)
    smoothing_s: float = 0.3
    size_smoothing_s: float = 1.5
    fill_gap_s: float = 2.0
    short_s: float = 2.5
    short_share: float = 0.15


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
        if len(rows) >= 3
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
    """Rows of every track, and the usual score. Boxes far below it are left out: doubles and things, mostly, and a
    double beside somebody looks to sure_tracklets like a second candidate.
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
    weights = np.clip(found.score[rows], 0.1, 1.0)
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
