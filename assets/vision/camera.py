"""From pixels to the floor and back: one calibrated camera.

World: x right and y up on the floor plan, z up, metres, floor at z = 0. Camera axes are OpenCV's (x right, y
down, z forward); the lens is the Brown-Conrady model with k1, k2, p1, p2, k3 (Brown 1966, as in OpenCV).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from assets.vision.arrays import Array


@dataclass(frozen=True)
class Camera:
    """Intrinsics and pose of a camera: x_cam = rotation @ x_world + translation."""

    camera_id: str
    width_px: int
    height_px: int
    matrix: Array  # (3, 3)
    distortion: Array  # (5,) k1, k2, p1, p2, k3
    rotation: Array  # (3, 3) world -> camera
    translation_m: Array  # (3,)
    kind: str = "ceiling"

    @classmethod
    def from_reference(cls, entry: Mapping[str, Any]) -> Camera:
        """From one entry of cameras.yaml. Raises ValueError naming the field that has a wrong shape."""
        return cls(
            camera_id=str(entry["camera_id"]),
            width_px=int(entry["width_px"]),
            height_px=int(entry["height_px"]),
            matrix=_shaped(entry, "matrix", (3, 3)),
            distortion=_shaped(entry, "distortion", (5,)),
            rotation=_shaped(entry, "rotation", (3, 3)),
            translation_m=_shaped(entry, "translation_m", (3,)),
            kind=str(entry.get("kind", "ceiling")),
        )

    @cached_property
    def centre_m(self) -> Array:
        """(3,) where the camera hangs."""
        return np.asarray(-self.rotation.T @ self.translation_m)

    def rays(self, px: npt.ArrayLike) -> Array:
        """(n, 3) unit directions in world axes of the lines of sight through (n, 2) pixels."""
        points = np.asarray(px, dtype=np.float64).reshape(-1, 1, 2)
        if not len(points):
            return np.empty((0, 3))
        # Until a step is far below what any calibration knows; fifty steps are more than any lens needs.
        criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 50, 1e-10)
        flat = cv2.undistortPointsIter(points, self.matrix, self.distortion, np.eye(3), np.eye(3), criteria)
        directions = np.column_stack([flat.reshape(-1, 2), np.ones(len(points))]) @ self.rotation
        return np.asarray(directions / np.linalg.norm(directions, axis=1, keepdims=True))

    def to_floor(self, px: npt.ArrayLike, height_m: float | npt.ArrayLike = 0.0) -> Array:
        """(n, 2) metres where the lines of sight through (n, 2) pixels meet the plane z = height_m.

        Rows are NaN where the line of sight does not come down to that plane.
        """
        directions = self.rays(px)
        drop = np.asarray(height_m, dtype=np.float64) - self.centre_m[2]
        with np.errstate(divide="ignore", invalid="ignore"):
            length = drop / directions[:, 2]
        length = np.where((length > 0) & np.isfinite(length), length, np.nan)
        return np.asarray(self.centre_m[:2] + length[:, None] * directions[:, :2])

    def project(self, xyz_m: npt.ArrayLike) -> Array:
        """(n, 2) pixels of (n, 3) world points. Rows are NaN for points behind the camera."""
        points = np.asarray(xyz_m, dtype=np.float64).reshape(-1, 3)
        if not len(points):
            return np.empty((0, 2))
        depth = points @ self.rotation[2] + self.translation_m[2]
        turn, _ = cv2.Rodrigues(self.rotation)
        px, _ = cv2.projectPoints(points.reshape(-1, 1, 3), turn, self.translation_m, self.matrix, self.distortion)
        return np.asarray(np.where(depth[:, None] > 1e-6, px.reshape(-1, 2), np.nan))


def _shaped(entry: Mapping[str, Any], field: str, shape: tuple[int, ...]) -> Array:
    array = np.asarray(entry[field], dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"{field}: expected shape {shape}, got {array.shape}")
    return array
