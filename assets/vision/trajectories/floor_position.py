"""Where on the floor does the person in a box stand?

The box's lower edge alone does not tell: furniture hides it and the picture's border cuts it off. A body of the
expected height is stood on the floor so that its outline fits the box's centre line, upper and lower edge (Gauss-Newton
over position and height). An edge at the picture's border is ignored. The fit's covariance tells how far to trust it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.vision.arrays import Array
from assets.vision.camera import Camera
from assets.vision.trajectories.settings import BodySettings

_SAYS_NOTHING_PX = 1e4
"""Error (sigma) of an edge that the picture's border cuts off: wider than any picture."""
_DIFFERENCE_M = 0.02
"""Step over which derivatives are taken: small for a body, large for the rounding of a pixel."""


@dataclass(frozen=True)
class FloorPositions:
    """Rows are NaN where no position fits. `variance_m2` is the mean of the two axes' variances."""

    xy_m: Array  # (n, 2)
    variance_m2: Array  # (n,)
    height_m: Array  # (n,)

    def at(self, rows: npt.NDArray[np.int64]) -> FloorPositions:
        """Those of some rows."""
        return FloorPositions(self.xy_m[rows], self.variance_m2[rows], self.height_m[rows])


def locate(camera: Camera, ltwh_px: npt.ArrayLike, settings: BodySettings | None = None) -> FloorPositions:
    """Floor positions of the people in boxes (n, 4) left, top, width, height."""
    settings = settings or BodySettings()
    boxes = np.asarray(ltwh_px, dtype=np.float64).reshape(-1, 4)
    if not len(boxes):
        return FloorPositions(np.empty((0, 2)), np.empty(0), np.empty(0))
    centre, top, bottom = boxes[:, 0] + boxes[:, 2] / 2, boxes[:, 1], boxes[:, 1] + boxes[:, 3]
    seen = np.stack([centre, top, bottom], axis=1)
    sigma = np.repeat((settings.edge_sigma_px + settings.edge_sigma_share * boxes[:, 3])[:, None], 3, axis=1)
    border = settings.border_px
    sigma[(boxes[:, 0] < border) | (boxes[:, 0] + boxes[:, 2] > camera.width_px - border), 0] *= settings.border_doubt
    sigma[top < border, 1] = _SAYS_NOTHING_PX
    sigma[bottom > camera.height_px - border, 2] = _SAYS_NOTHING_PX
    state = np.column_stack(
        [_first_guess(camera, centre, top, bottom, settings), np.full(len(boxes), settings.height_m)]
    )
    hopeless = ~np.isfinite(state).all(axis=1)
    # Any finite place in view keeps the equations solvable; these rows come out as NaN.
    state[hopeless, :2] = camera.centre_m[:2] + 3.0 * _forward(camera)
    normal = np.zeros((len(boxes), 3, 3))
    for _ in range(settings.rounds):
        residual, slope = _outline(camera, state, settings)
        residual = (seen - residual) / sigma
        slope = slope / sigma[:, :, None]
        normal = np.einsum("nri,nrj->nij", slope, slope) + 1e-6 * np.eye(3)
        normal[:, 2, 2] += 1.0 / settings.height_sigma_m**2
        right = np.einsum("nri,nr->ni", slope, residual)
        right[:, 2] += (settings.height_m - state[:, 2]) / settings.height_sigma_m**2
        step = np.linalg.solve(normal, right[..., None])[..., 0]
        # No step longer than this (m): far from the solution the slope leads astray.
        state = state + np.clip(np.nan_to_num(step), -0.7, 0.7)
        state[:, 2] = np.clip(state[:, 2], settings.least_height_m, settings.most_height_m)
    covariance = np.linalg.inv(normal)
    variance = 0.5 * (covariance[:, 0, 0] + covariance[:, 1, 1])
    misfit = np.abs(seen - _outline(camera, state, settings)[0]) / sigma
    bad = hopeless | ~np.isfinite(variance)
    bad |= (misfit.max(axis=1) > settings.most_misfit) | (variance > settings.most_variance_m2)
    xy = np.where(bad[:, None], np.nan, state[:, :2])
    return FloorPositions(xy, np.where(bad, np.nan, variance), np.where(bad, np.nan, state[:, 2]))


def _forward(camera: Camera) -> Array:
    flat = camera.rotation[2, :2]
    return np.asarray(flat / max(float(np.linalg.norm(flat)), 1e-9))


def _first_guess(camera: Camera, centre: Array, top: Array, bottom: Array, settings: BodySettings) -> Array:
    feet = camera.to_floor(np.stack([centre, bottom], axis=1))
    head = camera.to_floor(np.stack([centre, top], axis=1), settings.height_m)
    cut = bottom > camera.height_px - settings.border_px
    guess = np.where(cut[:, None], head, feet)
    return np.where(np.isfinite(guess), guess, np.where(cut[:, None], feet, head))


def _outline(camera: Camera, state: Array, settings: BodySettings) -> tuple[Array, Array]:
    """Centre, top and bottom (n, 3) of the body's picture, and their derivatives (n, 3, 3) by x, y and
    height.
    """
    steps = _DIFFERENCE_M * np.concatenate([np.zeros((1, 3)), np.eye(3)])
    states = (state[None] + steps[:, None]).reshape(-1, 3)
    angles = np.arange(8) * (np.pi / 4)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    feet = np.concatenate([settings.foot_radius_m * ring, np.zeros((8, 1))], axis=1)
    head = np.concatenate([settings.head_radius_m * ring, np.ones((8, 1))], axis=1)
    shape = np.concatenate([feet, head, [[0.0, 0.0, 1.0]]])
    points = np.empty((len(states), len(shape), 3))
    points[..., :2] = states[:, None, :2] + shape[None, :, :2]
    points[..., 2] = states[:, None, 2] * shape[None, :, 2]
    px = camera.project(points.reshape(-1, 3)).reshape(len(states), len(shape), 2)
    # What lies behind the camera is far outside of any picture.
    px = np.nan_to_num(px, nan=1e5)
    middle = 0.5 * (px[:, :, 0].min(axis=1) + px[:, :, 0].max(axis=1))
    edges = np.stack([middle, px[:, :, 1].min(axis=1), px[:, :, 1].max(axis=1)], axis=1).reshape(4, len(state), 3)
    slope = np.stack([(edges[i] - edges[0]) / _DIFFERENCE_M for i in (1, 2, 3)], axis=2)
    return edges[0], slope
