"""Camera tracks of one person brought together on the floor, first over cameras, then over time.

A node is a set of camera tracks believed to be one person. Over cameras, nodes are joined by their distance on the
floor while both are seen, and by clothing. Over time they are joined all at once (tracking/succession.py): people may
be lost for a while, but come and go only through the entrance and the exit.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assets.vision.arrays import Array, Index
from assets.vision.log_odds import logistic
from assets.vision.tracking.succession import FORBIDDEN, chains, successors
from assets.vision.trajectories.settings import FusionSettings


@dataclass(frozen=True)
class FloorTrack:
    """One camera's track on the floor, on the common time grid; `step` (m,) rises and numbers the grid's
    moments.
    """

    camera: int
    step: Index
    xy_m: Array  # (m, 2)
    variance_m2: Array  # (m,)
    clothing: Array  # (2 * colours,) square roots of mean shares, upper then lower
    support: float
    comes_in: bool = False  # begins at a gate and walks into the store
    goes_out: bool = False  # comes from within the store and ends at a gate


@dataclass(frozen=True)
class Person:
    """Camera tracks (by number) of one person, and how sure their succession in time is."""

    tracks: tuple[int, ...]
    continuity_prob: float


@dataclass(frozen=True)
class _Path:
    """A node fused: weighted mean of its tracks at every moment it is seen."""

    step: Index
    xy_m: Array
    variance_m2: Array
    clothing: Array
    camera_count: Index


def fuse(tracks: Sequence[FloorTrack], numbers: Sequence[int], settings: FusionSettings) -> _Path:
    """Information-weighted mean path of the tracks `numbers`."""
    steps = np.concatenate([tracks[n].step for n in numbers])
    places = np.concatenate([tracks[n].xy_m for n in numbers])
    weights = 1.0 / (np.concatenate([tracks[n].variance_m2 for n in numbers]) + settings.least_variance_m2)
    unique, inverse = np.unique(steps, return_inverse=True)
    total = np.bincount(inverse, weights)
    mean = np.stack([np.bincount(inverse, weights * places[:, axis]) / total for axis in (0, 1)], axis=1)
    cameras = np.concatenate([np.full(len(tracks[n].step), tracks[n].camera) for n in numbers])
    pairs = np.unique(np.stack([inverse, cameras], axis=1), axis=0)
    supports = np.array([tracks[n].support for n in numbers])
    clothing = np.average(np.stack([tracks[n].clothing for n in numbers]), axis=0, weights=supports)
    return _Path(unique, mean, 1.0 / total, clothing, np.bincount(pairs[:, 0], minlength=len(unique)))


def people(
    tracks: Sequence[FloorTrack],
    step_s: float,
    entrance: Array,
    way_out: Array,
    footage_steps: tuple[int, int],
    settings: FusionSettings,
) -> list[Person]:
    """Group camera tracks into people.

    `entrance` and `way_out` (k, 2): how near every track's first and last point are to that zone, from 0 (far) to 1
    (inside). `footage_steps`: first and last moment of the day's footage, at which people may stand anywhere.
    """
    if not tracks:
        return []
    groups = _over_cameras(tracks, step_s, settings)
    return _over_time(tracks, groups, step_s, entrance, way_out, footage_steps, settings)


def pair_gains(tracks: Sequence[FloorTrack], step_s: float, settings: FusionSettings) -> tuple[Array, Array]:
    """(k, k) weight (seconds both are seen) and gain of two camera tracks being one person.

    A gain of -FORBIDDEN marks a conflict: one camera shows both at one time and apart.
    """
    count = len(tracks)
    weight, gain = np.zeros((count, count)), np.zeros((count, count))
    for i in range(count):
        for j in range(i + 1, count):
            one, other = tracks[i], tracks[j]
            if _passed(one, other, step_s, settings) or _passed(other, one, step_s, settings):
                weight[i, j], gain[i, j] = 1.0, -FORBIDDEN
                continue
            if one.step[-1] < other.step[0] or other.step[-1] < one.step[0]:
                continue
            _, a, b = np.intersect1d(one.step, other.step, assume_unique=True, return_indices=True)
            common_s = len(a) * step_s
            if not len(a):
                continue
            apart = np.hypot(*(one.xy_m[a] - other.xy_m[b]).T)
            distance = float(np.median(apart))
            if one.camera == other.camera:
                if common_s >= settings.conflict_s:
                    conflict = distance > settings.conflict_m
                    weight[i, j] = common_s
                    gain[i, j] = -FORBIDDEN if conflict else settings.same_camera_gain
                continue
            if common_s < settings.min_common_s:
                continue
            alike = float(one.clothing @ other.clothing) / 2.0
            spread = np.sqrt(float(np.median(one.variance_m2[a] + other.variance_m2[b])))
            scale = settings.place_scale_m + 0.5 * spread
            weight[i, j] = min(common_s, settings.full_trust_s) / settings.full_trust_s
            nearness = np.clip((settings.same_place_m - distance) / scale, -settings.most_apart, settings.most_near)
            gain[i, j] = nearness + settings.clothing_weight * (alike - settings.clothing_zero)
    return weight + weight.T, gain + gain.T


def _passed(one: FloorTrack, other: FloorTrack, step_s: float, settings: FusionSettings) -> bool:
    """Whether one left by the gate before the other came in there: near each other, and two people."""
    turned_s = (int(other.step[0]) - int(one.step[-1])) * step_s
    return one.goes_out and other.comes_in and turned_s > -settings.turn_s


def _over_cameras(tracks: Sequence[FloorTrack], step_s: float, settings: FusionSettings) -> list[list[int]]:
    """Agglomeration by mean gain between nodes, best first; ties go to the earlier tracks."""
    weight, gain = pair_gains(tracks, step_s, settings)
    total = np.where(gain <= -FORBIDDEN, -FORBIDDEN, weight * gain)
    alive = list(range(len(tracks)))
    members = {n: [n] for n in alive}
    while len(alive) > 1:
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = np.where(weight > 0, total / np.maximum(weight, 1e-9), -FORBIDDEN)
        # Where the evidence is strongest is joined first.
        value = np.where((total > 0) & (mean > settings.min_gain), total, -1.0)
        np.fill_diagonal(value, -1.0)
        best = int(np.argmax(value))
        i, j = sorted(divmod(best, len(tracks)))
        if value[i, j] <= 0:
            break
        total[i] += total[j]
        weight[i] += weight[j]
        total[:, i], weight[:, i] = total[i], weight[i]
        total[j] = total[:, j] = 0.0
        weight[j] = weight[:, j] = 0.0
        members[i] += members.pop(j)
        alive.remove(j)
    return [sorted(members[n]) for n in alive]


def _over_time(
    tracks: Sequence[FloorTrack],
    groups: list[list[int]],
    step_s: float,
    entrance: Array,
    way_out: Array,
    footage_steps: tuple[int, int],
    settings: FusionSettings,
) -> list[Person]:
    paths = [fuse(tracks, group, settings) for group in groups]
    count = len(paths)
    gain = np.full((count, count), -FORBIDDEN)
    edge = round(settings.edge_s / step_s)
    entered = [float(entrance[min(g, key=lambda n: int(tracks[n].step[0])), 0]) for g in groups]
    left = [float(way_out[max(g, key=lambda n: int(tracks[n].step[-1])), 1]) for g in groups]
    enters, leaves = [share >= 1.0 for share in entered], [share >= 1.0 for share in left]
    open_start = [1.0 if int(p.step[0]) - footage_steps[0] <= edge else entered[i] for i, p in enumerate(paths)]
    open_end = [1.0 if footage_steps[1] - int(p.step[-1]) <= edge else left[i] for i, p in enumerate(paths)]
    for i, before in enumerate(paths):
        for j, after in enumerate(paths):
            gap_s = (int(after.step[0]) - int(before.step[-1])) * step_s
            if i == j or gap_s > settings.max_gap_s or gap_s < -settings.overlap_s or after.step[-1] <= before.step[-1]:
                continue
            if before.step[0] >= after.step[0] or _strangers(tracks, groups[i], groups[j], step_s, settings):
                continue
            gain[i, j] = _time_gain(before, after, max(gap_s, 0.0), step_s, settings) + settings.interior_gain * (
                1.0 - open_end[i] - open_start[j]
            )
            # Who ends at the exit has left, who begins at the entrance is somebody new; a moment may be lost at both.
            gone = (leaves[i] + enters[j]) * min(max(gap_s, 0.0) / settings.gone_s, 1.0)
            gain[i, j] -= settings.gone_penalty * gone
    following = successors(gain)
    return [
        Person(tuple(sorted(n for part in chain for n in groups[part])), _sure(gain, chain, settings))
        for chain in chains(following, count)
    ]


def _sure(gain: Array, chain: Sequence[int], settings: FusionSettings) -> float:
    """Probability that the whole chain is one person: at each join, how much better it is than the next best."""
    sure = 1.0
    for part, successor in itertools.pairwise(chain):
        rival = max(float(np.delete(gain[part], successor).max(initial=0.0)), 0.0)
        sure *= logistic(
            settings.sure_slope * (gain[part, successor] - rival) + settings.sure_shift, settings.sure_most
        )
    return sure


def _strangers(
    tracks: Sequence[FloorTrack], before: Sequence[int], after: Sequence[int], step_s: float, settings: FusionSettings
) -> bool:
    return any(_passed(tracks[a], tracks[b], step_s, settings) for a in before for b in after)


def _time_gain(before: _Path, after: _Path, gap_s: float, step_s: float, settings: FusionSettings) -> float:
    left_at, left_speed = _end(before, step_s, True, settings)
    came_at, came_speed = _end(after, step_s, False, settings)
    jump = float(np.hypot(*(came_at - left_at)))
    if jump > settings.max_speed_m_s * gap_s + settings.jump_m:
        return -FORBIDDEN
    coast = min(gap_s, settings.coast_s)
    sigma = settings.position_sigma_m + settings.position_sigma_m_s * gap_s
    miss = 0.5 * float(
        np.hypot(*(left_at + coast * left_speed - came_at)) + np.hypot(*(came_at - coast * came_speed - left_at))
    )
    alike = float(before.clothing @ after.clothing) / 2.0
    return float(
        settings.base_gain
        + settings.clothing_weight * (alike - settings.clothing_zero)
        - min(miss / sigma, settings.most_miss) ** settings.miss_power
        - settings.gap_weight_per_s * gap_s
    )


def _end(path: _Path, step_s: float, is_last: bool, settings: FusionSettings) -> tuple[Array, Array]:
    """Position and speed (m/s) at an end of a path, over its nearest seconds."""
    moment = path.step[-1] if is_last else path.step[0]
    near = np.abs(path.step - moment) * step_s <= settings.velocity_s
    offset = (path.step[near] - moment) * step_s
    places = path.xy_m[near]
    spread = ((offset - offset.mean()) ** 2).sum() + settings.velocity_doubt_s2
    speed = ((offset - offset.mean())[:, None] * (places - places.mean(axis=0))).sum(axis=0) / spread
    return places.mean(axis=0) - speed * offset.mean(), speed
