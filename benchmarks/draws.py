"""One run says little, trackers are fragile: scores are means over draws that lose some of the detections."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

DRAWS = 8
DROPPED_SHARE = 0.04


def kept(count: int, seed: int) -> npt.NDArray[np.bool_]:
    """(count,) which detections a draw keeps."""
    return np.random.default_rng(seed).random(count) >= DROPPED_SHARE
