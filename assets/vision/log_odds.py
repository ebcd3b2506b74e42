"""Log-odds and back: the unit in which evidence from several sources adds up. Natural logarithms."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from assets.vision.arrays import Array

Floats = TypeVar("Floats", npt.NDArray[np.float32], npt.NDArray[np.float64])


def log_odds(prob: float, least: float = 1e-6) -> float:
    """Log-odds of a probability, which is kept at least `least` off 0 and 1."""
    bounded = min(max(prob, least), 1.0 - least)
    return math.log(bounded / (1.0 - bounded))


def log_odds_each(probs: Array, least: float, most: float) -> Array:
    """The same for an array (n,), kept within `least` and `most`."""
    bounded = np.clip(probs, least, most)
    return np.asarray(np.log(bounded / (1.0 - bounded)))


def logistic(value: float, farthest: float = 30.0) -> float:
    """Probability of log-odds, which are kept within `farthest` on both sides: `math.exp` overflows beyond 709."""
    return 1.0 / (1.0 + math.exp(-min(max(value, -farthest), farthest)))


def logistic_each(values: Floats) -> Floats:
    """Probabilities of an array (n,) of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-values)), dtype=values.dtype)
