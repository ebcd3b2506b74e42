"""Where a camera's track changes its clothes: there the tracker has taken over somebody else's, and the track is cut.

Cutting is cheap: pieces of one person are joined again on the floor, by place, time and clothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ChangeSettings:
    """`window_s` is compared on both sides of a moment, of which `least_s` must be seen: a person half in the picture
    looks like another. `alike` is the Bhattacharyya coefficient (0 to 1) below which two looks are two people's."""

    window_s: float = 4.0
    least_s: float = 2.0
    alike: float = 0.8


def change_moments(time_s: Array, upper: Array, lower: Array, weight: Array, settings: ChangeSettings) -> list[float]:
    """Moments (s) at which a new person begins; the strongest change first looked for, then each side of it.

    time_s (n,) rises; upper, lower (n, bins) shares of colours; weight (n,) of the looks.
    """
    best, cut = settings.alike, -1
    for index in range(1, len(time_s)):
        before = (time_s < time_s[index]) & (time_s >= time_s[index] - settings.window_s)
        after = (time_s >= time_s[index]) & (time_s < time_s[index] + settings.window_s)
        if not before.any() or time_s[index] - time_s[before][0] < settings.least_s:
            continue
        if time_s[after][-1] - time_s[index] < settings.least_s:
            continue
        alike = _alike(upper, before, after, weight) / 2.0 + _alike(lower, before, after, weight) / 2.0
        if alike < best:
            best, cut = alike, index
    if cut < 0:
        return []
    left = change_moments(time_s[:cut], upper[:cut], lower[:cut], weight[:cut], settings)
    right = change_moments(time_s[cut:], upper[cut:], lower[cut:], weight[cut:], settings)
    return [*left, float(time_s[cut]), *right]


def _alike(shares: Array, before: npt.NDArray[np.bool_], after: npt.NDArray[np.bool_], weight: Array) -> float:
    one = np.average(shares[before], axis=0, weights=weight[before])
    other = np.average(shares[after], axis=0, weights=weight[after])
    return float(np.sqrt(one * other).sum())
