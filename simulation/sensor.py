"""From an ideal picture to what a cheap camera delivers: distortion, blur, light, noise, lost frames."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from simulation.layout import Camera
from simulation.renderer import PAD_X, PAD_Y

_NOISE_FIELDS = 10
_NO_SECOND_MAP = np.empty(0, np.float32)


class Sensor:
    """One camera's sensor; all follows from seed and frame number, nothing from earlier frames."""

    def __init__(self, camera: Camera, seed: int, number: int, duration_s: float) -> None:
        rng = np.random.default_rng([seed, 3, number])
        self._seed, self._number = seed, number
        width, height = camera.width_px, camera.height_px
        grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 1, 2)
        ideal = cv2.undistortPoints(
            grid.astype(np.float64), camera.matrix, np.array(camera.distortion), P=camera.matrix
        ).reshape(height, width, 2)
        self._map = (ideal + np.array([PAD_X, PAD_Y])).astype(np.float32)
        x, y = (grid.reshape(height, width, 2) / [width, height] - 0.5).transpose(2, 0, 1)
        balance = 1 + rng.uniform(-0.035, 0.035, 3)
        vignette = 1 - rng.uniform(0.18, 0.30) * (x * x + y * y) / 0.5
        self._gain = (vignette[..., None] * balance).astype(np.float32)
        self._noise = [rng.normal(0.0, 1.0, (height, width, 3)).astype(np.float32) * 1.5 for _ in range(_NOISE_FIELDS)]
        self._blur = float(rng.uniform(0.55, 0.75))
        self._drift = (
            float(rng.uniform(0.015, 0.035)),
            float(rng.uniform(35, 80)),
            float(rng.uniform(0, 6.28)),
        )
        self._steps = [
            (float(rng.uniform(0.1, 0.9) * duration_s), float(rng.choice([-1, 1]) * rng.uniform(0.05, 0.09)))
            for _ in range(2)
        ]

    def exposure(self, time_s: float) -> float:
        """Gain at an instant: slow drift and two steps a day, each spread over three frames."""
        amplitude, period, phase = self._drift
        gain = 1 + amplitude * float(np.sin(2 * np.pi * time_s / period + phase))
        for at, size in self._steps:
            gain *= 1 + size * float(np.clip((time_s - at) / 0.3, 0, 1))
        return gain

    def expose(self, picture: NDArray[np.uint8], frame: int, time_s: float) -> NDArray[np.uint8]:
        """Padded ideal RGB picture to a frame, RGB (height, width, 3)."""
        out = cv2.remap(picture, self._map, _NO_SECOND_MAP, cv2.INTER_LINEAR)
        out = cv2.GaussianBlur(out, (0, 0), self._blur).astype(np.float32)
        out *= self._gain * np.float32(self.exposure(time_s))
        rng = np.random.default_rng([self._seed, 4, self._number, frame])
        field = self._noise[int(rng.integers(_NOISE_FIELDS))]
        dx, dy = (int(v) for v in rng.integers(0, 200, 2))
        out += np.roll(field, (dy, dx), axis=(0, 1))
        return np.asarray(np.clip(out + 0.5, 0, 255).astype(np.uint8))


def kept_frames(first: int, count: int, seed: int, number: int) -> list[int]:
    """Frames that the recorder keeps: about one in 150 is lost, and once in a while three in a row."""
    lost: set[int] = set()
    for frame in range(first, first + count):
        draw = np.random.default_rng([seed, 5, number, frame]).random()
        if draw < 0.0045:
            lost.add(frame)
        elif draw > 0.9992:
            lost |= {frame, frame + 1, frame + 2}
    return [frame for frame in range(first, first + count) if frame not in lost or frame == first]


def clock_skew_ms(seed: int, number: int) -> int:
    """How far a camera's clock is ahead of the store's."""
    return 0 if number == 0 else int(np.random.default_rng([seed, 6, number]).integers(-90, 91))
