"""Tracks smoothed in time by local-linear regression, and their gaps filled."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from assets.vision.arrays import Array


def local_linear(time_s: Array, values: Array, at_s: Array, sigma_s: float, weights: Array | None = None) -> Array:
    """(m, d) values at `at_s` (m,) from samples (n,) and (n, d): a straight line fitted around each moment.

    Gaussian weights of `sigma_s` (Cleveland 1979's local regression with a Gaussian kernel). Where a
    moment has fewer than two samples near, the kernel widens until it has: no moment is left without a value.
    """
    base = np.ones(len(time_s)) if weights is None else np.asarray(weights, dtype=np.float64)
    offset = time_s[None, :] - at_s[:, None]
    nearest = np.abs(offset).min(axis=1)
    second = np.sort(np.abs(offset), axis=1)[:, min(1, len(time_s) - 1)]
    width = np.maximum(sigma_s, np.maximum(nearest, second))[:, None]
    kernel = np.exp(-0.5 * (offset / width) ** 2) * base[None, :]
    total = kernel.sum(axis=1)
    mean_offset = (kernel * offset).sum(axis=1) / total
    mean_value = kernel @ values / total[:, None]
    centred = offset - mean_offset[:, None]
    spread = (kernel * centred**2).sum(axis=1)
    slope = np.einsum("mn,mn,nd->md", kernel, centred, values) / np.maximum(spread, 1e-9)[:, None]
    slope[spread < 1e-6] = 0.0
    return np.asarray(mean_value - slope * mean_offset[:, None])


def filled_moments(time_s: Array, grid_s: Array, max_gap_s: float) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Moments of `grid_s` that a track covers, and at which of them it was not seen.

    A gap between two sightings longer than `max_gap_s` stays open. Both arrays rise.
    """
    inside = grid_s[(grid_s >= time_s[0] - 1e-6) & (grid_s <= time_s[-1] + 1e-6)]
    after = np.clip(np.searchsorted(time_s, inside - 1e-6), 0, len(time_s) - 1)
    before = np.maximum(after - 1, 0)
    is_seen = np.abs(time_s[after] - inside) < 1e-3
    gap = time_s[after] - time_s[before]
    kept = is_seen | (gap <= max_gap_s + 1e-6)
    return inside[kept], ~is_seen[kept]
