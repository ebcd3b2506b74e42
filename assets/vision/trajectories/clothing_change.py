"""Where a camera's track changes its clothes, the tracker has gone on with somebody else: there the track is cut.

A cut too many costs little: pieces of one person are joined again on the floor, by place, time and clothing.
"""

from __future__ import annotations

import numpy as np

from assets.vision.arrays import Array, Index
from assets.vision.trajectories.settings import ChangeSettings


def change_moments(time_s: Array, upper: Array, lower: Array, weight: Array, settings: ChangeSettings) -> list[float]:
    """Moments (s) at which a new person begins: the strongest change, then those on each side of it.

    time_s (n,) rises; upper, lower (n, bins) shares of colours; weight (n,) of the sightings.
    """
    first, last = _windows(time_s, settings)
    index = np.arange(len(time_s))
    # Both sides must be seen for long enough.
    is_seen = (first < index) & (time_s - time_s[first] >= settings.least_s)
    is_seen &= time_s[last - 1] - time_s >= settings.least_s
    alike = 0.5 * (_alike(upper, weight, first, last) + _alike(lower, weight, first, last))
    alike[~is_seen] = np.inf
    cut = int(np.argmin(alike)) if len(alike) else 0
    if not len(alike) or alike[cut] >= settings.alike:
        return []
    left = change_moments(time_s[:cut], upper[:cut], lower[:cut], weight[:cut], settings)
    right = change_moments(time_s[cut:], upper[cut:], lower[cut:], weight[cut:], settings)
    return [*left, float(time_s[cut]), *right]


def _windows(time_s: Array, settings: ChangeSettings) -> tuple[Index, Index]:
    """(n,) first row of the window before each moment, and the row behind the last of the window after it."""
    first = np.searchsorted(time_s, time_s - settings.window_s, side="left")
    last = np.searchsorted(time_s, time_s + settings.window_s, side="left")
    return first.astype(np.int64), last.astype(np.int64)


def _alike(shares: Array, weight: Array, first: Index, last: Index) -> Array:
    """(n,) Bhattacharyya coefficient of the weighted mean shares of rows [first, i) and [i, last)."""
    sums = np.concatenate([np.zeros((1, shares.shape[1])), np.cumsum(shares * weight[:, None], axis=0)])
    middle = np.arange(len(shares))
    before, after = sums[middle] - sums[first], sums[last] - sums[middle]
    scale = before.sum(axis=1) * after.sum(axis=1)
    product = np.sqrt(np.clip(before, 0.0, None) * np.clip(after, 0.0, None)).sum(axis=1)
    # A guard: nothing seen on one side is no likeness, not a division by nothing.
    return np.asarray(product / np.sqrt(np.maximum(scale, 1e-12)))
