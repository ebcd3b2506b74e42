"""A clip and its frames in time. The header's frame rate is not believed: times come from the sidecar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]


class UnreadableClipError(Exception):
    """The file cannot be opened or holds no frame; the reason is one of the catalogue's words."""


@dataclass(frozen=True)
class Clip:
    """A file of footage. `captured_at` is the store's time of the first frame: camera time minus
    `clock_skew_ms`.
    """

    store_id: str
    camera_id: str
    clip_id: str
    path: Path
    captured_at: datetime
    fps: float
    frame_times_ms: tuple[float, ...] = ()

    def time_s(self, index: int) -> float:
        """Seconds from the first frame to frame `index`: the sidecar's offset if it has one, else by the
        frame rate.
        """
        if index < len(self.frame_times_ms):
            return self.frame_times_ms[index] / 1000.0
        if self.frame_times_ms:
            return self.frame_times_ms[-1] / 1000.0 + (index - len(self.frame_times_ms) + 1) / self.fps
        return index / self.fps

    def instant(self, time_s: float) -> datetime:
        """Store time of a moment of the clip."""
        return self.captured_at + timedelta(seconds=time_s)


def frames(path: Path | str) -> Iterator[Frame]:
    """The frames (H, W, 3) BGR of a file in order. Raises UnreadableClipError if it cannot be opened."""
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    try:
        if not capture.isOpened():
            raise UnreadableClipError("unreadable")
        while True:
            ok, frame = capture.read()
            if not ok:
                return
            yield np.asarray(frame, dtype=np.uint8)
    finally:
        capture.release()
