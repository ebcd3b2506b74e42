"""Tracks of one camera from its detections, in batch: sure tracklets, one global assignment, smoothing,
filled gaps.

Needs no calibration: everything is in pixels of the picture. Deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from assets.vision.association import AssociationSettings, link_tracklets
from assets.vision.box_fit import Correction
from assets.vision.smoothing import filled_moments, local_linear
from assets.vision.tracklets import Detections, TrackletSettings, sure_tracklets

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class TrackingSettings:
    """Times in seconds; shares of a box or of 1."""

    tracklets: TrackletSettings = field(default_factory=TrackletSettings)
    association: AssociationSettings = field(default_factory=AssociationSettings)
    smoothing_s: float = 0.3
    size_smoothing_s: float = 1.5
    fill_gap_s: float = 2.0
    short_s: float = 2.5
    short_share: float = 0.15
    doubt: float = 1.0
    still_share: float = 0.08
    still_prob: float = 0.5
    still_s: float = 8.0


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
    tracks = link_tracklets(found, sure_tracklets(found, settings.tracklets), settings.association)
    length_s = float(grid_s[-1] - grid_s[0]) if len(grid_s) else 0.0
    shortest_s = min(settings.short_s, settings.short_share * length_s)
    sureness = _sureness(found.score)
    floor = typical(sureness, tracks) - settings.doubt
    kept = [
        rows
        for rows in tracks
        if _is_person(found, rows, shortest_s, settings) and float(sureness[rows].mean()) >= floor
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


def _sureness(score: Array) -> Array:
    """Scores as log-odds: a detector's 0.98 against 0.90 is as much as another's 0.6 against 0.25."""
    clipped = np.clip(score, 0.02, 0.99)
    return np.asarray(np.log(clipped / (1.0 - clipped)))


def typical(sureness: Array, tracks: Sequence[Index]) -> float:
    """Median sureness of the detections in tracks of at least ten: what a person scores in this footage."""
    long = [rows for rows in tracks if len(rows) >= 10]
    return float(np.median(sureness[np.concatenate(long)])) if long else float("-inf")


def smooth_boxes(found: Detections, rows: Index, at_s: Array, settings: TrackingSettings) -> Array:
    """(m, 4) boxes of a track at `at_s`: centres smoothed over a shorter time than sizes."""
    boxes, time_s = found.ltwh_px[rows], found.time_s[rows]
    weights = np.clip(found.score[rows], 0.1, 1.0)
    centre = local_linear(time_s, boxes[:, :2] + boxes[:, 2:4] / 2, at_s, settings.smoothing_s, weights)
    size = local_linear(time_s, boxes[:, 2:4], at_s, settings.size_smoothing_s, weights)
    size = np.clip(size, boxes[:, 2:4].min(axis=0), boxes[:, 2:4].max(axis=0))
    return np.concatenate([centre - size / 2, size], axis=1)


def _is_person(found: Detections, rows: Index, shortest_s: float, settings: TrackingSettings) -> bool:
    """Not a flicker, and not a thing of the room that the detector takes for somebody."""
    duration_s = float(found.time_s[rows[-1]] - found.time_s[rows[0]])
    if duration_s < shortest_s or len(rows) < 3:
        return False
    mean_prob = float(found.score[rows].mean())
    boxes = found.ltwh_px[rows]
    spread = np.percentile(boxes[:, :2] + boxes[:, 2:4] / 2, [5, 95], axis=0)
    moved = float(np.hypot(*(spread[1] - spread[0])) / max(float(np.median(boxes[:, 3])), 1.0))
    return not (moved < settings.still_share and mean_prob < settings.still_prob and duration_s > settings.still_s)


def corrected(found: Detections, correction: Correction) -> Detections:
    """The same detections, the sides of their boxes moved."""
    boxes = found.ltwh_px
    near = boxes[:, :2] + boxes[:, 2:4] * np.array([correction.left, correction.top])
    far = boxes[:, :2] + boxes[:, 2:4] * np.array([1.0 + correction.right, 1.0 + correction.bottom])
    return replace(found, ltwh_px=np.concatenate([near, far - near], axis=1))


STORE_TRACKING = TrackingSettings(association=AssociationSettings(base_gain=1.0))
"""For cameras that merge.py brings together: more reluctant to join, since the floor and other cameras know better.

Searched on the simulator's tuning day: floor IDF1 97.3 with a gain of 1, 79.6 with the 2 that serves a single camera.
"""
