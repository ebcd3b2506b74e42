"""Which boxes and which tracks are people? Judged by what people score in this very clip.

No score means the same in two clips (0.98 is usual on one, 0.65 on the next), but whoever walks through the picture
is a person. The usual score is that of tracklets that go somewhere; a box or a track far below it is doubted, more so
if it never moves, as cones, poles and their shadows do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.vision.tracklets import Detections

Array = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class JudgementSettings:
    """`box_share` is a share of the usual score; doubts are log-odds below it; `moving_heights` is in box heights.

    Chosen on frames 1-400 of PETS09-S2L1 over five input widths of our detector and det.txt together.
    """

    box_share: float = 0.5
    mover_doubt: float = 1.4
    still_doubt: float = 1.0
    moving_heights: float = 0.5
    usual_looks: int = 10


def log_odds(score: Array) -> Array:
    """Scores as log-odds: a detector's 0.98 against 0.90 is as much as another's 0.6 against 0.25."""
    clipped = np.clip(score, 0.02, 0.99)
    return np.asarray(np.log(clipped / (1.0 - clipped)))


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
    """Is this track sure enough, for one that moves as much, or as little, as it does?"""
    moves = moved_heights(found, rows) >= settings.moving_heights
    doubt = settings.mover_doubt if moves else settings.still_doubt
    return float(log_odds(found.score[rows]).mean()) >= float(log_odds(np.array(usual))) - doubt
