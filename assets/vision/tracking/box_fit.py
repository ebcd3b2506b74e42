"""How far do a detector's boxes stand off the people in them? Learned from the clip itself, without any truth.

Some detectors draw their boxes too wide, always in the same way. The silhouettes of people who stand alone, against the
clip's median background, show by how much; the median over them corrects every box (see tracking.corrected).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from assets.vision.arrays import Array
from assets.vision.tracking.settings import BoxFitSettings
from assets.vision.tracking.tracklets import overlap_matrix


@dataclass(frozen=True)
class Correction:
    """By how much of its width or height each side of a box moves (right and down positive)."""

    left: float = 0.0
    top: float = 0.0
    right: float = 0.0
    bottom: float = 0.0


class BoxFit:
    """Takes sample frames with their boxes; `correction` looks at all of them."""

    def __init__(self, settings: BoxFitSettings | None = None) -> None:
        self._settings = settings or BoxFitSettings()
        self._greys: list[npt.NDArray[np.uint8]] = []
        self._boxes: list[Array] = []

    def add(self, frame_bgr: npt.NDArray[np.uint8], ltwh_px: npt.NDArray[np.floating]) -> None:
        """A sample frame (H, W, 3) and all boxes (n, 4) found in it. Keeps at most twice `sample_count` small
        frames.
        """
        settings = self._settings
        scale = settings.width_px / frame_bgr.shape[1]
        small = cv2.resize(frame_bgr, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        self._greys.append(np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), dtype=np.uint8))
        self._boxes.append(np.asarray(ltwh_px, dtype=np.float64).reshape(-1, 4) * scale)
        if len(self._greys) > 2 * settings.sample_count:
            self._greys, self._boxes = self._greys[::2], self._boxes[::2]

    def correction(self) -> Correction:
        """The usual offset of these boxes; none where too few people stand alone to tell."""
        settings = self._settings
        if len(self._greys) < settings.least_frames:
            return Correction()
        background = np.median(np.stack(self._greys), axis=0).astype(np.uint8)
        offsets = []
        for grey, boxes in zip(self._greys, self._boxes, strict=True):
            mask = np.asarray(cv2.absdiff(grey, background) > settings.level, dtype=np.float64)
            overlap = overlap_matrix(boxes, boxes, settings.search / 2)
            np.fill_diagonal(overlap, 0.0)
            for number, box in enumerate(boxes):
                if overlap[number].max(initial=0.0) == 0.0 and box[3] >= settings.min_height_px:
                    found = _extent(mask, box, settings)
                    if found is not None:
                        offsets.append(found)
        if len(offsets) < settings.min_samples:
            return Correction()
        middle = np.clip(np.median(np.stack(offsets), axis=0), -settings.limit, settings.limit)
        left, top, right, bottom = (float(value) for value in middle)
        return Correction(left, top, right, min(bottom, 0.0))  # what moves below the feet is their shadow


def _extent(mask: Array, box: Array, settings: BoxFitSettings) -> Array | None:
    """(4,) offsets left, top, right, bottom of the silhouette against the box, None without a clear one."""
    left, top, width, height = box
    margin_x, margin_y = settings.search * width, settings.search / 2 * height
    x0, x1 = int(left - margin_x), int(left + width + margin_x) + 1
    y0, y1 = int(top - margin_y), int(top + height + margin_y) + 1
    if x0 < 0 or y0 < 0 or x1 > mask.shape[1] or y1 > mask.shape[0]:
        return None
    part = mask[y0:y1, x0:x1]
    if part.mean() < settings.least_fill:
        return None
    columns, rows = part.mean(axis=0), part.mean(axis=1)
    across = np.flatnonzero(columns > settings.edge_share * columns.max())
    down = np.flatnonzero(rows > settings.edge_share * rows.max())
    return np.array(
        [
            (x0 + across[0] - left) / width,
            (y0 + down[0] - top) / height,
            (x0 + across[-1] + 1 - left - width) / width,
            (y0 + down[-1] + 1 - top - height) / height,
        ]
    )
