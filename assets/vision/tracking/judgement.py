"""Which boxes and which tracks are people? Judged by what people score in this very clip.

The same score means different things in different clips (0.98 is usual in one, 0.65 in the next), but whoever walks
through the picture is a person. So the usual score is that of tracklets that go somewhere. A box or track far below it
is doubted, and doubted more if it never moves: cones, poles and shadows do not.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assets.vision.arrays import Index
from assets.vision.log_odds import log_odds_each
from assets.vision.tracking.settings import JudgementSettings
from assets.vision.tracking.tracklets import Detections


def moved_heights(found: Detections, rows: Index) -> float:
    """How far the middle of a track's boxes ranges (5th to 95th percentile), in heights of its box."""
    boxes = found.ltwh_px[rows]
    spread = np.percentile(boxes[:, :2] + boxes[:, 2:4] / 2, [5, 95], axis=0)
    return float(np.hypot(*(spread[1] - spread[0])) / max(float(np.median(boxes[:, 3])), 1.0))


def usual_score(found: Detections, tracks: Sequence[Index], settings: JudgementSettings) -> float:
    """Median score in the tracks that go somewhere; in all if none does; 0 without a track of `usual_looks`."""
    long = [rows for rows in tracks if len(rows) >= settings.usual_looks]
    movers = [rows for rows in long if moved_heights(found, rows) >= settings.moving_heights]
    chosen = movers or long
    return float(np.median(found.score[np.concatenate(chosen)])) if chosen else 0.0


def is_convincing(found: Detections, rows: Index, usual: float, settings: JudgementSettings) -> bool:
    """Whether a track scores well enough to be a person; one that stays where it is must score better."""
    moves = moved_heights(found, rows) >= settings.moving_heights
    doubt = settings.mover_doubt if moves else settings.still_doubt
    scores = np.append(found.score[rows], usual)
    odds = log_odds_each(scores, settings.least_score, settings.most_score)
    return float(odds[:-1].mean()) >= float(odds[-1]) - doubt
