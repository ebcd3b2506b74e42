"""How plausible it is that a person reached a slot: where they stood, and where the hand was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.vision.shelf_events.camera_fusion import Contact
from assets.vision.shelf_events.settings import ReachSettings


@dataclass(frozen=True)
class SlotPlace:
    """Centre of a slot's front on the floor plan and the direction in which the shopper stands."""

    x_m: float
    y_m: float
    normal_deg: float


@dataclass(frozen=True)
class FloorPath:
    """A person's positions: `times_s` (n,) rising, `xy_m` (n, 2)."""

    times_s: npt.NDArray[np.float64]
    xy_m: npt.NDArray[np.float64]


@dataclass(frozen=True)
class BoxPath:
    """A person's boxes in one camera: `times_s` (n,) rising, `ltwh_px` (n, 4)."""

    times_s: npt.NDArray[np.float64]
    ltwh_px: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """How plausibly a person stood before a slot: minus log-likelihood, and the likeliest moment."""

    cost: float
    moment_s: float


def standing(place: SlotPlace, path: FloorPath, start_s: float, end_s: float, settings: ReachSettings) -> Standing:
    """Likelihood of the floor positions, averaged over the interval in which the event may have happened.

    The moment is the mean time weighted by the likelihood: somebody who stood there for a part of a long interval did
    it in that part. The cost is inf for a person who was never in reach.
    """
    window_s = max(0.0, settings.window_s - 0.5 * (end_s - start_s))
    first = int(np.searchsorted(path.times_s, start_s - window_s))
    last = int(np.searchsorted(path.times_s, end_s + window_s, side="right"))
    if first >= last:
        return Standing(float("inf"), 0.5 * (start_s + end_s))
    offset = path.xy_m[first:last] - np.array([place.x_m, place.y_m])
    angle = np.deg2rad(place.normal_deg)
    depth = offset @ np.array([np.cos(angle), np.sin(angle)])
    lateral = offset @ np.array([-np.sin(angle), np.cos(angle)])
    z_depth = (depth - settings.depth_m) / settings.depth_sigma_m
    z_lateral = lateral / settings.lateral_sigma_m
    is_near = (np.hypot(depth, lateral) <= settings.farthest_m) & (depth >= -settings.behind_m)
    misses = np.minimum(z_depth**2, settings.most_depth_sigmas**2)
    misses += np.minimum(z_lateral**2, settings.most_lateral_sigmas**2)
    likelihood = np.where(is_near, np.exp(-0.5 * misses), 0)
    # Moments at which the person was out of view count as moments elsewhere.
    moments = max(last - first, (end_s - start_s + 2 * window_s) / settings.step_s)
    total = float(likelihood.sum())
    if total <= 0.0:
        return Standing(float("inf"), 0.5 * (start_s + end_s))
    times = np.clip(path.times_s[first:last], start_s, end_s)
    return Standing(-float(np.log(total / moments)), float((times * likelihood).sum() / total))


def contact_cost(contacts: Sequence[Contact], boxes: Mapping[str, BoxPath], settings: ReachSettings) -> float:
    """Mean over cameras of how far outside the person's box the hand was seen; 0 where nothing is known."""
    costs = []
    for contact in contacts:
        path = boxes.get(contact.camera_id)
        if path is None or not len(path.times_s):
            continue
        nearest = int(np.argmin(np.abs(path.times_s - contact.time_s)))
        if abs(float(path.times_s[nearest]) - contact.time_s) > settings.contact_gap_s:
            continue
        left, top, width, height = path.ltwh_px[nearest]
        outside_x = max(left - contact.x_px, contact.x_px - (left + width), 0.0)
        outside_y = max(top - contact.y_px, contact.y_px - (top + height), 0.0)
        distance = float(np.hypot(outside_x, outside_y)) / max(1.0, settings.contact_scale * float(height))
        costs.append(min(0.5 * distance**2, settings.contact_cap))
    return settings.contact_weight * float(np.mean(costs)) if costs else 0.0
