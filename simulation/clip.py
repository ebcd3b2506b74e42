"""Writes one clip as H.264 with PyAV (its wheel carries x264)."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

CRF = 29


class Clip:
    """An mp4 under construction; `add` takes RGB frames and their position on the 10 Hz grid."""

    def __init__(self, path: Path, fps: int, width_px: int, height_px: int) -> None:
        import av

        path.parent.mkdir(parents=True, exist_ok=True)
        self._av: Any = av
        self._file: Any = av.open(str(path), "w", options={"movflags": "+faststart"})
        self._stream: Any = self._file.add_stream("libx264", rate=fps)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width_px, height_px, "yuv420p"
        self._stream.codec_context.thread_count = 1
        self._stream.options = {"crf": str(CRF), "preset": "medium", "g": "50", "bf": "2"}
        self._fps = fps
        self.frame_count = 0

    def __enter__(self) -> Clip:
        return self

    def add(self, frame: NDArray[np.uint8], position: int) -> None:
        """Append a frame."""
        picture = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
        picture.pts, picture.time_base = position, Fraction(1, self._fps)
        for packet in self._stream.encode(picture):
            self._file.mux(packet)
        self.frame_count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for packet in self._stream.encode():
                self._file.mux(packet)
        self._file.close()
