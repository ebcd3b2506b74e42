"""Does anything move? The gate in front of the detector."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from assets.vision.detection.settings import MotionSettings


@dataclass(frozen=True)
class Movement:
    """What changed against the reference frame. `region`: left, top, right, bottom as shares of the frame."""

    is_moving: bool
    region: tuple[float, float, float, float] | None


class MotionGate:
    """Compares frames with the last one that was accepted as reference."""

    def __init__(self, settings: MotionSettings | None = None) -> None:
        self._settings = settings or MotionSettings()
        self._reference: npt.NDArray[np.uint8] | None = None
        self._current: npt.NDArray[np.uint8] | None = None

    def compare(self, frame_bgr: npt.NDArray[np.uint8]) -> Movement:
        """Movement of the frame (H, W, 3) against the reference. Without a reference everything moves."""
        settings = self._settings
        small = cv2.resize(frame_bgr, (settings.width, settings.height), interpolation=cv2.INTER_LINEAR)
        grey = cv2.blur(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), (3, 3))
        self._current = np.asarray(grey, dtype=np.uint8)
        if self._reference is None:
            return Movement(True, (0.0, 0.0, 1.0, 1.0))
        mask = cv2.threshold(cv2.absdiff(self._current, self._reference), settings.level, 255, cv2.THRESH_BINARY)[1]
        if cv2.countNonZero(mask) < settings.pixels:
            return Movement(False, None)
        left, top, width, height = cv2.boundingRect(mask)
        return Movement(
            True,
            (
                left / settings.width,
                top / settings.height,
                (left + width) / settings.width,
                (top + height) / settings.height,
            ),
        )

    def accept(self) -> None:
        """Make the frame compared last the reference."""
        self._reference = self._current
