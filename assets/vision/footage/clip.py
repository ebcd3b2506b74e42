"""A clip, its frames in time, and what its container says. The header's frame rate is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]
MOST_FRAMES = 1_000_000
"""No clip holds more: an hour at the highest rate that a sidecar may name."""


class UnreadableClipError(Exception):
    """The file cannot be opened or holds no frame; the reason is one of the catalogue's words."""


@dataclass(frozen=True)
class Clip:
    """A file of footage. `captured_at` is the store's time of the first frame: camera time minus
    `clock_skew_ms`. `is_corrected`: `fps` and `frame_times_ms` are the sidecar's and do not hold.
    """

    store_id: str
    camera_id: str
    clip_id: str
    path: Path
    captured_at: datetime
    fps: float
    frame_times_ms: tuple[float, ...] = ()
    is_corrected: bool = False

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


@dataclass(frozen=True)
class Container:
    """What a file says of itself. `times_ms`: presentation time of every frame that decodes, from the stream's start;
    `header_frames`: how many the header promises; size of the first picture as it is shown; `turned_deg`: by how much
    the file asks its pictures to be turned, which is done in all that is read here.
    """

    can_open: bool
    header_frames: int = 0
    width_px: int = 0
    height_px: int = 0
    turned_deg: int = 0
    times_ms: tuple[float, ...] = ()


def read_container(path: Path | str) -> Container:
    """Reads a file to its end, decoding every frame and converting only the first (0.3 ms a frame). Whatever a decoder
    stumbles over ends the clip there."""
    capture = _opened(path)
    times: list[float] = []
    width = height = 0
    try:
        if not capture.isOpened():
            return Container(can_open=False)
        promised, turned = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_ORIENTATION_META)
        while capture.grab():
            if not times:
                ok, frame = capture.retrieve()
                if not ok:
                    break
                height, width = frame.shape[:2]
            times.append(float(capture.get(cv2.CAP_PROP_POS_MSEC)))
    except cv2.error:
        if not times:
            return Container(can_open=False)
    finally:
        capture.release()
    # A header may promise anything, less than nothing included.
    header_frames = int(min(max(promised, 0.0), MOST_FRAMES))
    return Container(True, header_frames, width, height, int(turned) % 360, tuple(times))


def frames(path: Path | str) -> Iterator[Frame]:
    """The frames (H, W, 3) BGR of a file in order. Raises UnreadableClipError if it cannot be opened, or if a frame
    does not become a picture."""
    capture = _opened(path)
    try:
        if not capture.isOpened():
            raise UnreadableClipError("unreadable")
        while True:
            try:
                ok, frame = capture.read()
            except cv2.error:
                raise UnreadableClipError("unreadable") from None
            if not ok:
                return
            yield np.asarray(frame, dtype=np.uint8)
    finally:
        capture.release()


def _opened(path: Path | str) -> cv2.VideoCapture:
    return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
