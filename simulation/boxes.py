"""Exact boxes of people in a camera's frame, and how much of each is seen."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from simulation.layout import Camera
from simulation.renderer import PAD_X, PAD_Y

Box = tuple[float, float, float, float, float]


def person_box(
    camera: Camera, vertices: NDArray[np.float32], normals: NDArray[np.float32], depth_m: NDArray[np.float32]
) -> Box | None:
    """Left, top, width, height (px, clipped to the frame) and visible share; None when out of the frame."""
    local = vertices @ camera.rotation.T + camera.translation
    ahead = local[:, 2] > 0.2
    flat = local[:, :2] / np.maximum(local[:, 2:], 0.2)
    ahead &= np.abs(flat).max(axis=1) < 1.1
    if not ahead.any():
        return None
    pixels, _ = cv2.projectPoints(
        np.ascontiguousarray(local[ahead], np.float64),
        np.zeros(3),
        np.zeros(3),
        camera.matrix,
        np.array(camera.distortion),
    )
    pixels = pixels.reshape(-1, 2)
    low = np.clip(pixels.min(axis=0), 0, [camera.width_px, camera.height_px])
    high = np.clip(pixels.max(axis=0), 0, [camera.width_px, camera.height_px])
    width, height = high - low
    if width < 3 or height < 3:
        return None
    sample = slice(None, None, 17)
    position = np.array(-camera.rotation.T @ camera.translation)
    faces_us = np.einsum("na,na->n", normals[sample], position.astype(np.float32) - vertices[sample]) > 0
    points, ideal = local[sample][faces_us], flat[sample][faces_us]
    column = np.round(ideal[:, 0] * camera.focal_px + camera.matrix[0, 2]).astype(int)
    row = np.round(ideal[:, 1] * camera.focal_px + camera.matrix[1, 2]).astype(int)
    inside = (column >= 0) & (column < camera.width_px) & (row >= 0) & (row < camera.height_px) & (points[:, 2] > 0.2)
    near = depth_m[row[inside] + PAD_Y, column[inside] + PAD_X]
    seen = int((points[inside, 2] < near + 0.06).sum())
    share = seen / max(1, len(points))
    return float(low[0]), float(low[1]), float(width), float(height), share
