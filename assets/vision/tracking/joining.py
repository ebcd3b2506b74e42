"""Tracklets joined into tracks of one person each, over the whole clip at once.

A tracklet may be followed by at most one later tracklet, and joining gains or costs something. Where somebody appears
or vanishes in the middle of the picture, joining gains more: people come and go at its border. succession.py finds the
best choice for all tracklets together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.vision.arrays import Array, Index
from assets.vision.detection.appearance import likeness
from assets.vision.tracking.settings import AssociationSettings
from assets.vision.tracking.succession import FORBIDDEN, chains, successors
from assets.vision.tracking.tracklets import Detections, overlap_matrix


@dataclass(frozen=True)
class _Ends:
    """What is known at the two ends of every tracklet, positions in pixels."""

    start_s: Array
    end_s: Array
    start_at: Array  # (k, 2) foot points
    end_at: Array
    start_velocity: Array  # (k, 2) px/s
    end_velocity: Array
    start_height: Array
    end_height: Array
    appearance: Array  # (k, a) mean over the tracklet's clear sightings
    support: Array
    starts_inside: npt.NDArray[np.bool_]
    ends_inside: npt.NDArray[np.bool_]


def clearness(found: Detections, settings: AssociationSettings) -> Array:
    """(n,) weight of each detection's picture: low where another box covers it."""
    weight = np.ones(len(found))
    for look in np.unique(found.look):
        rows = np.flatnonzero(found.look == look)
        if len(rows) > 1:
            overlap = overlap_matrix(found.ltwh_px[rows], found.ltwh_px[rows])
            np.fill_diagonal(overlap, 0.0)
            weight[rows] = np.clip(1.0 - settings.cover_weight * overlap.max(axis=1), settings.least_clearness, 1.0)
    return weight


def link_tracklets(found: Detections, tracklets: Sequence[Index], settings: AssociationSettings) -> list[Index]:
    """Rows of every person's track: tracklets joined, a rising index array each. Repeated, since joined tracklets know
    their appearance and speed better."""
    weight = clearness(found, settings) * np.clip(found.score, settings.least_score, 1.0)
    tracks = list(tracklets)
    for _ in range(settings.rounds):
        joined = _one_round(found, weight, tracks, settings)
        if len(joined) == len(tracks):
            break
        tracks = joined
    return sorted(tracks, key=lambda rows: int(rows[0]))


def _one_round(found: Detections, weight: Array, tracks: list[Index], settings: AssociationSettings) -> list[Index]:
    count = len(tracks)
    if count < 2:
        return tracks
    gain = link_gains(_ends(found, weight, tracks, settings), settings)
    return [np.concatenate([tracks[n] for n in chain]) for chain in chains(successors(gain), count)]


def link_gains(ends: _Ends, settings: AssociationSettings) -> Array:
    """(k, k) gain of letting tracklet j follow tracklet i; -FORBIDDEN where time forbids it."""
    gap = ends.start_s[None, :] - ends.end_s[:, None]
    possible = (gap > 1e-6) & (gap <= settings.max_gap_s)
    wait = np.clip(gap, 0.0, settings.max_gap_s)
    height = 0.5 * (ends.end_height[:, None] + ends.start_height[None, :])
    coast = np.minimum(wait, settings.coast_s)[..., None]
    ahead = ends.end_at[:, None] + coast * ends.end_velocity[:, None] - ends.start_at[None]
    behind = ends.start_at[None] - coast * ends.start_velocity[None] - ends.end_at[:, None]
    sigma = (settings.position_sigma + settings.position_sigma_per_s * wait) * height
    miss = 0.5 * (np.hypot(ahead[..., 0], ahead[..., 1]) + np.hypot(behind[..., 0], behind[..., 1])) / sigma
    jump = np.hypot(*np.moveaxis(ends.start_at[None] - ends.end_at[:, None], -1, 0))
    possible &= jump <= (settings.max_speed * wait + settings.max_jump) * height
    unlike = 1.0 - likeness(ends.appearance, ends.appearance) if ends.appearance.shape[1] else np.zeros_like(gap)
    trust = np.sqrt(np.minimum(ends.support[:, None], ends.support[None, :]) / settings.trust_support)
    alike = settings.appearance_weight * (settings.appearance_zero - unlike) * np.clip(trust, settings.least_trust, 1.0)
    ratio = np.abs(np.log(ends.start_height[None, :] / ends.end_height[:, None]))
    size = np.minimum(ratio, settings.most_size)
    inside = ends.ends_inside[:, None].astype(float) + ends.starts_inside[None, :].astype(float)
    miss = np.minimum(miss, settings.most_miss)
    gain = (
        settings.base_gain
        + np.clip(alike, -settings.appearance_limit, settings.appearance_limit)
        - settings.position_weight * miss
        - settings.position_curve * miss**settings.position_power
        - settings.gap_weight * np.log(settings.gap_steps_per_s * wait + 1.0)
        - settings.gap_weight_per_s * wait
        - settings.size_weight * size
        + settings.interior_gain * (inside - 1.0)
    )
    return np.asarray(np.where(possible, gain, -FORBIDDEN))


def _ends(found: Detections, weight: Array, tracks: Sequence[Index], settings: AssociationSettings) -> _Ends:
    width, height = found.frame_size_px
    foot = found.ltwh_px[:, :2] + found.ltwh_px[:, 2:4] * np.array([0.5, 1.0])
    starts = [_fit(found.time_s[rows], foot[rows], found.ltwh_px[rows, 3], settings, False) for rows in tracks]
    ends = [_fit(found.time_s[rows], foot[rows], found.ltwh_px[rows, 3], settings, True) for rows in tracks]
    appearance = []
    for rows in tracks:
        mean = np.average(found.appearance[rows], axis=0, weights=weight[rows])
        # As long as a single sighting's: three stripes whose squares sum to one each.
        appearance.append(mean * (np.sqrt(3.0) / max(float(np.linalg.norm(mean)), 1e-9)))
    first = np.stack([found.ltwh_px[rows[0]] for rows in tracks])
    last = np.stack([found.ltwh_px[rows[-1]] for rows in tracks])
    return _Ends(
        start_s=np.array([found.time_s[rows[0]] for rows in tracks]),
        end_s=np.array([found.time_s[rows[-1]] for rows in tracks]),
        start_at=np.stack([item[0] for item in starts]),
        end_at=np.stack([item[0] for item in ends]),
        start_velocity=np.stack([item[1] for item in starts]),
        end_velocity=np.stack([item[1] for item in ends]),
        start_height=np.array([item[2] for item in starts]),
        end_height=np.array([item[2] for item in ends]),
        appearance=np.stack(appearance),
        support=np.array([weight[rows].sum() for rows in tracks]),
        starts_inside=_inside(first, width, height, settings.border_share),
        ends_inside=_inside(last, width, height, settings.border_share),
    )


def _fit(
    time_s: Array, at: Array, height: Array, settings: AssociationSettings, is_end: bool
) -> tuple[Array, Array, float]:
    """Position, velocity and box height at an end, by a line through the nearest seconds."""
    moment = time_s[-1] if is_end else time_s[0]
    near = np.abs(time_s - moment) <= settings.velocity_s
    offset, points = time_s[near] - moment, at[near]
    size = float(np.median(height[near]))
    mean_offset, mean_point = offset.mean(), points.mean(axis=0)
    spread = ((offset - mean_offset) ** 2).sum()
    doubt = settings.velocity_doubt * settings.velocity_s**2
    velocity = ((offset - mean_offset)[:, None] * (points - mean_point)).sum(axis=0) / (spread + doubt)
    return mean_point - velocity * mean_offset, velocity, size


def _inside(boxes: Array, width: float, height: float, share: float) -> npt.NDArray[np.bool_]:
    margin_x, margin_y = share * width, share * height
    return np.asarray(
        (boxes[:, 0] > margin_x)
        & (boxes[:, 0] + boxes[:, 2] < width - margin_x)
        & (boxes[:, 1] > margin_y)
        & (boxes[:, 1] + boxes[:, 3] < height - margin_y)
    )
