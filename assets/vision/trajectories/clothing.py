"""Names for what a tracked person wears, from the colour shares of many sightings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.vision.detection.appearance import COLOURS


@dataclass(frozen=True)
class NamedColour:
    """A colour of COLOURS and the share of the body part in it, 0 to 1."""

    colour: str
    prob: float


def dominant_colour(shares: npt.NDArray[np.floating], weights: npt.NDArray[np.floating] | None = None) -> NamedColour:
    """The colour of a body part from (n, 12) shares of n sightings, of which the half with more weight (n,) counts.

    A trimmed mean, a quarter off at both ends: somebody in front or a bad box spoils single sightings only. Without a
    sighting the colour is `unknown` with probability 0.
    """
    table = np.asarray(shares, dtype=np.float64).reshape(-1, len(COLOURS))
    table = table[table.sum(axis=1) > 0]
    if not len(table):
        return NamedColour("unknown", 0.0)
    if weights is not None and len(weights) == len(table):
        table = table[np.argsort(-np.asarray(weights), kind="stable")[: max(1, (len(table) + 1) // 2)]]
    ordered = np.sort(table, axis=0)
    trim = len(ordered) // 4
    mean = ordered[trim : len(ordered) - trim].mean(axis=0)
    total = mean.sum()
    if total <= 0:
        return NamedColour("unknown", 0.0)
    best = int(np.argmax(mean))
    return NamedColour(COLOURS[best], float(min(1.0, mean[best] / total)))
