"""When the frames of a clip were taken: by its sidecar where that holds, else by its container.

Two witnesses speak. The sidecar gives a rate, and the offset of every frame where the recorder dropped some; the
container gives every frame's presentation time. A rate alone is believed as long as the container's times go along
with it. Offsets that rise are believed before the container: whoever writes them knows, while a container is often
stamped with a nominal rate.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

import numpy as np

TOLERANCE_MS = 250.0
"""The container's times go along with a rate if no frame is farther off: less than the distance between two looks of
the detector, and what another camera or a gate would notice."""
SOUND_SHARE = 0.9
"""From this share of rising times on, the others are slips and lie between their neighbours; below it nothing is known
of any of them.
"""
RATE_LIMITS = (0.1, 240.0)
"""Frames per second that a camera can have, as the sidecar's `fps`."""
LONGEST_MS = 3_660_000.0
"""A clip holds an hour at most, and a minute more, since recorders close a file at the next key frame."""


@dataclass(frozen=True)
class FrameTimes:
    """`fps`: frames per second. `offsets_ms`: of every frame from the clip's `captured_at`; () for an even rate.
    `fault`: what of the sidecar does not hold and what was taken instead; "" if it holds. `is_known`: False if there
    is nothing to go by; `fault` then says why."""

    fps: float
    offsets_ms: tuple[float, ...] = ()
    fault: str = ""
    is_known: bool = True

    def offset_ms(self, index: int) -> float:
        """Offset of frame `index`."""
        return self.offsets_ms[index] if self.offsets_ms else 1000.0 * index / self.fps


def true_times(
    fps: float, promised_ms: Sequence[float], promised_count: int, container_ms: Sequence[float]
) -> FrameTimes:
    """The times of the frames that decode. `promised_ms` and `promised_count`: the sidecar's offsets (or none) and its
    number of frames; `container_ms`: the container's time of every frame that decodes, from the stream's start."""
    found = _by_sidecar(fps, promised_ms, promised_count, container_ms) if promised_ms else _by_rate(fps, container_ms)
    count = len(container_ms)
    if found.is_known and count and found.offset_ms(count - 1) + 1000.0 / found.fps > LONGEST_MS:
        return FrameTimes(fps, fault="longer than an hour", is_known=False)
    return found


def _by_rate(fps: float, container_ms: Sequence[float]) -> FrameTimes:
    container = _mended(container_ms)
    if container is None:
        # Streams without times of their own (or with one and the same): the sidecar is the only witness.
        return FrameTimes(fps)
    even = 1000.0 * np.arange(len(container)) / fps
    if np.abs(np.asarray(container) - even).max(initial=0.0) <= TOLERANCE_MS:
        return FrameTimes(fps)
    return FrameTimes(_rate(container), container, "its rate is not the frames': times from the container")


def _by_sidecar(
    fps: float, promised_ms: Sequence[float], promised_count: int, container_ms: Sequence[float]
) -> FrameTimes:
    count = len(container_ms)
    is_complete = len(promised_ms) == count or (len(promised_ms) == promised_count and count < promised_count)
    container = _mended(container_ms)
    if is_complete:
        mine = tuple(promised_ms[:count])
        if container is not None and count < len(promised_ms) and _is_end(container, promised_ms):
            # Frames are missing at the clip's beginning (no key frame there), not at its end.
            mine = tuple(promised_ms[-count:])
        mended = _mended(mine)
        if mended == mine:
            return FrameTimes(fps, mine)
        if mended is not None:
            return FrameTimes(fps, mended, "some of its frame times do not rise: put between their neighbours")
    why = "its frame times do not rise" if is_complete else "its frame times are not as many as the frames"
    if container is None:
        return FrameTimes(fps, fault=f"{why}, and the container has none", is_known=False)
    return FrameTimes(_rate(container), container, f"{why}: times from the container")


def _is_end(container: Sequence[float], promised_ms: Sequence[float]) -> bool:
    """Whether the container's frames are the last of the promised ones rather than the first."""
    times, count = np.asarray(container), len(container)
    first, last = np.asarray(promised_ms[:count]), np.asarray(promised_ms[-count:])
    return bool(np.abs(times - last).max() <= TOLERANCE_MS < np.abs(times - first).max())


def _mended(times_ms: Sequence[float]) -> tuple[float, ...] | None:
    """Strictly rising times: slips are put between their neighbours. None if too few rise, or if they rise at a rate
    that no camera has."""
    times = tuple(times_ms)
    keep = _longest_rise(times)
    if not times or len(keep) < SOUND_SHARE * len(times):
        return None
    if len(times) > 1:
        period_ms = float(np.median(np.diff([times[index] for index in keep])))
        if not 1000.0 / RATE_LIMITS[1] <= period_ms <= 1000.0 / RATE_LIMITS[0]:
            return None
    if len(keep) == len(times):
        return times
    mended = np.interp(np.arange(len(times)), keep, [times[index] for index in keep])
    # Slips before the first or after the last sound time have no neighbour on one side: they go on at its rate.
    for index in range(keep[0] - 1, -1, -1):
        mended[index] = max(0.0, mended[index + 1] - period_ms)
    for index in range(keep[-1] + 1, len(times)):
        mended[index] = mended[index - 1] + period_ms
    mended_times = tuple(float(value) for value in mended)
    return mended_times if all(a < b for a, b in pairwise(mended_times)) else None


def _longest_rise(times: Sequence[float]) -> list[int]:
    """Places of the longest strictly rising run of finite times, not negative, other times left out (patience
    sorting)."""
    ends: list[float] = []
    places: list[int] = []
    before: list[int] = []
    for index, value in enumerate(times):
        if not isfinite(value) or value < 0:
            before.append(-1)
            continue
        at = bisect_left(ends, value)
        before.append(places[at - 1] if at else -1)
        if at == len(ends) or value < ends[at]:  # of equal times the first holds, and the repeated one is the slip
            ends[at : at + 1] = [value]
            places[at : at + 1] = [index]
    found: list[int] = []
    index = places[-1] if places else -1
    while index >= 0:
        found.append(index)
        index = before[index]
    return found[::-1]


def _rate(times_ms: Sequence[float]) -> float:
    """Frames per second over all; 1 for a single frame, of which none is known."""
    if len(times_ms) < 2:
        return 1.0
    return 1000.0 * (len(times_ms) - 1) / (times_ms[-1] - times_ms[0])
