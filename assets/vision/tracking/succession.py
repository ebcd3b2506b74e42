"""Who follows whom: successors for all pieces at once, so that the total gain is greatest.

Every piece has at most one successor and one predecessor, and nobody is joined where that gains nothing. This is a
linear assignment in which everybody may also stay alone (Zhang et al., CVPR 2008, with gaps instead of a flow per
frame).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import linear_sum_assignment

from assets.vision.arrays import Array

FORBIDDEN = 1e6
"""A gain of minus this can never be made up by others: the join is impossible."""


def successors(gain: Array) -> dict[int, int]:
    """Piece -> its successor. `gain` (k, k): what it is worth that the column follows the row; 0 is to stay apart."""
    count = len(gain)
    price = np.full((2 * count, 2 * count), FORBIDDEN)
    price[:count, :count] = np.where(gain > 0, -gain, FORBIDDEN)
    price[:count, count:] = 0.0
    price[count:, :] = 0.0
    rows, columns = linear_sum_assignment(price)
    return {int(i): int(j) for i, j in zip(rows, columns, strict=True) if i < count and j < count and gain[i, j] > 0}


def chains(following: Mapping[int, int], count: int) -> list[list[int]]:
    """The pieces 0 to `count` - 1 as chains of successors, by the first of each chain; a loner is a chain of one."""
    followed = set(following.values())
    found = []
    for first in range(count):
        if first in followed:
            continue
        chain = [first]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        found.append(chain)
    return found
