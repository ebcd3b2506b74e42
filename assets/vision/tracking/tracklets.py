"""Sure tracklets: detections of consecutive looks, joined only where there is no second candidate.

Where the second-best overlap comes close to the best, the tracklet ends on purpose: a short tracklet of one person is
worth more than a long one that changes person. joining.py joins tracklets again over the whole clip, and knows more
by then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from assets.vision.arrays import Array, Index
from assets.vision.detection.appearance import likeness
from assets.vision.tracking.settings import TrackletSettings


@dataclass(frozen=True)
class Detections:
    """Boxes of one camera in time order; `look` counts the frames that the detector saw, not all frames."""

    time_s: Array  # (n,)
    look: Index  # (n,)
    ltwh_px: Array  # (n, 4)
    score: Array  # (n,)
    appearance: Array  # (n, a), see appearance.describe
    frame_size_px: tuple[float, float]

    def __len__(self) -> int:
        return len(self.time_s)

    def at(self, rows: Index | npt.NDArray[np.bool_]) -> Detections:
        """The detections that `rows` picks: rising indices, or a mask."""
        return replace(
            self,
            time_s=self.time_s[rows],
            look=self.look[rows],
            ltwh_px=self.ltwh_px[rows],
            score=self.score[rows],
            appearance=self.appearance[rows],
        )


def overlap_matrix(one: Array, other: Array, buffer: float = 0.0) -> Array:
    """(n, m) intersection over union of boxes (n, 4) and (m, 4), each grown by `buffer` of its size on every
    side.
    """
    a_near, a_far = one[:, :2] - buffer * one[:, 2:4], one[:, :2] + (1 + buffer) * one[:, 2:4]
    b_near, b_far = other[:, :2] - buffer * other[:, 2:4], other[:, :2] + (1 + buffer) * other[:, 2:4]
    near = np.maximum(a_near[:, None], b_near[None])
    far = np.minimum(a_far[:, None], b_far[None])
    shared = np.prod(np.clip(far - near, 0, None), axis=2)
    union = np.prod(a_far - a_near, axis=1)[:, None] + np.prod(b_far - b_near, axis=1)[None] - shared
    return np.asarray(shared / np.maximum(union, 1e-9))


class _Active:
    """A tracklet that may still grow."""

    __slots__ = ("box", "missed", "rows", "time_s", "velocity")

    def __init__(self, row: int, box: Array, time_s: float) -> None:
        self.rows = [row]
        self.box = box
        self.time_s = time_s
        self.velocity = np.zeros(2)
        self.missed = 0

    def predicted(self, time_s: float) -> Array:
        box = self.box.copy()
        box[:2] += self.velocity * (time_s - self.time_s)
        return box

    def grow(self, row: int, box: Array, time_s: float, memory: float) -> None:
        step = max(time_s - self.time_s, 1e-3)
        seen = (box[:2] + box[2:4] / 2 - self.box[:2] - self.box[2:4] / 2) / step
        weight = 1.0 if len(self.rows) == 1 else 1.0 - memory
        self.velocity = (1 - weight) * self.velocity + weight * seen
        self.rows.append(row)
        # Boxes tremble: from the fourth sighting on, half of the size and a quarter of the place are predicted.
        self.box = 0.5 * box + 0.5 * self.predicted(time_s) if len(self.rows) > 3 else box
        self.box[:2] = 0.5 * self.box[:2] + 0.5 * box[:2]
        self.time_s = time_s
        self.missed = 0


def sure_tracklets(found: Detections, settings: TrackletSettings) -> list[Index]:
    """Rows of `found`, a rising index array per tracklet; every row is in at most one."""
    if not len(found):
        return []
    bounds = np.flatnonzero(np.diff(found.look, prepend=found.look[:1] - 1))
    active: list[_Active] = []
    done: list[_Active] = []
    last_look: int | None = None
    for start, stop in zip(bounds, [*bounds[1:], len(found)], strict=True):
        rows = np.arange(start, stop)
        look, now_s = int(found.look[start]), float(found.time_s[start])
        skipped = 0 if last_look is None else look - last_look - 1
        last_look = look
        living: list[_Active] = []
        for item in active:
            item.missed += skipped
            alive = item.missed <= settings.max_missed_looks and now_s - item.time_s <= settings.max_step_s
            (living if alive else done).append(item)
        active = living
        taken, broken = _match(found, rows, active, now_s, settings)
        for number, row in taken.items():
            active[number].grow(row, found.ltwh_px[row], now_s, settings.velocity_memory)
        kept = []
        for number, item in enumerate(active):
            if number in broken:
                done.append(item)
                continue
            if number not in taken:
                item.missed += 1
            kept.append(item)
        active = kept
        used = set(taken.values())
        for row in rows:
            if int(row) not in used and found.score[row] >= settings.start_prob:
                active.append(_Active(int(row), found.ltwh_px[row].copy(), now_s))
    done.extend(active)
    tracklets = [np.asarray(item.rows, dtype=np.int64) for item in done]
    return sorted(tracklets, key=lambda rows: (int(rows[0]), len(rows)))


def _match(
    found: Detections, rows: Index, active: list[_Active], now_s: float, settings: TrackletSettings
) -> tuple[dict[int, int], set[int]]:
    """Active number -> row of sure pairs, and the active ones whose continuation is in doubt."""
    if not active or not len(rows):
        return {}, set()
    predicted = np.stack([item.predicted(now_s) for item in active])
    overlap = overlap_matrix(predicted, found.ltwh_px[rows], settings.buffer)
    overlap = np.where(found.score[rows][None] >= settings.follow_prob, overlap, 0.0)
    worth = overlap
    if settings.appearance_weight > 0 and found.appearance.shape[1]:
        last = np.stack([found.appearance[item.rows[-1]] for item in active])
        alike = likeness(last, found.appearance[rows]) - settings.appearance_zero
        worth = overlap + settings.appearance_weight * alike * (overlap > settings.appearance_overlap)
    taken: dict[int, int] = {}
    broken: set[int] = set()
    for number, column in zip(*linear_sum_assignment(-worth), strict=True):
        if overlap[number, column] < settings.min_overlap:
            continue
        best = worth[number, column]
        others = np.concatenate([np.delete(worth[number], column), np.delete(worth[:, column], number)])
        rival = others.max(initial=0.0)
        if rival > settings.rival_overlap and best - rival < settings.margin:
            broken.add(int(number))
            continue
        taken[int(number)] = int(rows[column])
    return taken, broken
