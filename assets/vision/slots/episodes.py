"""From a clip's slot patches to episodes: something moved in a slot; did it change, how, and when.

A slot is busy while something moves in it or a person's box lies over it, and clear again after a rest. The median of
the clear frames before is compared with the median of those after (judgement.py). The moment is the split of the
busy frames that best separates before from after.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assets.vision.slots.judgement import Judgement, judge, reverts
from assets.vision.slots.settings import SlotSettings
from assets.vision.slots.signal import CORE, ByteArray, FloatArray, border_share, change_map


@dataclass(frozen=True)
class ClipRecord:
    """What the observer kept of a clip: T samples of S slots.

    `times_s` (T,), `gains` (T, 3) factors to the clip's reference brightness, `patches` (T, S, H, W, 3),
    `motion` (T, S, 3) share, column and row of the motion, `covered` (T, S), `coordinates_px` (S, H, W, 2).
    """

    times_s: npt.NDArray[np.float64]
    gains: FloatArray
    patches: ByteArray
    motion: FloatArray
    covered: npt.NDArray[np.bool_]
    coordinates_px: FloatArray


@dataclass(frozen=True)
class SlotEpisode:
    """One row of vision/slot_episodes, times in seconds of the clip.

    `kind` is change, touch, opening or closing (the slot's first and last clear state in the clip). `patch`
    is the slot's picture after the episode, brightness-compensated, (H, W, 3) uint8 as bytes. An opening state that
    starts later than the clip, or a closing state that starts earlier than its end, tells that the slot was busy there.
    """

    slot_id: str
    kind: str
    started_s: float
    ended_s: float
    changed_s: float
    presence_change: float
    appearance_change: float
    facings_change: int
    put_prob: float
    pick_prob: float
    contact_px: tuple[float, float] | None
    has_person: bool
    patch: bytes


def slot_episodes(
    record: ClipRecord, slot: int, slot_id: str, facings: int, settings: SlotSettings
) -> list[SlotEpisode]:
    """Episodes of one slot of a clip, with its opening and closing state if it was ever clear."""
    times = record.times_s
    busy = (record.motion[:, slot, 0] > settings.motion_share) | record.covered[:, slot]
    rests = list(_clear_runs(times, busy, settings.clear_s))
    if not rests:
        return []
    states = [_Rest(start, stop, *_states(record, slot, start, stop, settings)) for start, stop in rests]
    states = _without_still_hands(states, times, settings)
    found = [_state_episode("opening", slot_id, states[0].first, float(times[states[0].start]))]
    for before, after in itertools.pairwise(states):
        episode = _between(record, slot, slot_id, facings, before, after, settings)
        if episode is not None:
            found.append(episode)
    found.append(_state_episode("closing", slot_id, states[-1].last, float(times[states[-1].stop - 1])))
    return found


@dataclass(frozen=True)
class _Rest:
    start: int
    stop: int
    first: FloatArray
    last: FloatArray


def _clear_runs(
    times: npt.NDArray[np.float64], busy: npt.NDArray[np.bool_], clear_s: float
) -> Iterator[tuple[int, int]]:
    """Index ranges [start, stop) without motion for at least `clear_s`."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], busy, [True]]).astype(np.int8)))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        # Half a sample (0.1 s) short is long enough: the first and the last sample stand for their surroundings.
        if times[stop - 1] - times[start] >= clear_s - 0.051:
            yield int(start), int(stop)


def _states(
    record: ClipRecord, slot: int, start: int, stop: int, settings: SlotSettings
) -> tuple[FloatArray, FloatArray]:
    """Median patch of the first settled and of the last stretch of a rest, brightness-compensated."""
    times = record.times_s
    settled = start + int(np.searchsorted(times[start:stop], times[start] + settings.clear_s - settings.state_s))
    until = int(np.searchsorted(times[:stop], times[min(settled, stop - 1)] + settings.state_s))
    first = _median_patch(record, slot, min(settled, stop - 1), max(until, settled + 1))
    since = int(np.searchsorted(times[:stop], times[stop - 1] - settings.state_s))
    last = _median_patch(record, slot, max(start, since), stop)
    return first, last


def _median_patch(record: ClipRecord, slot: int, start: int, stop: int) -> FloatArray:
    if stop - start < 3:
        return np.asarray(record.patches[start, slot] * record.gains[start], dtype=np.float32)
    chosen = [start, (start + stop - 1) // 2, stop - 1]
    one, two, three = (record.patches[index, slot] * record.gains[index] for index in chosen)
    middle = np.maximum(np.minimum(one, two), np.minimum(np.maximum(one, two), three))
    return np.asarray(middle, dtype=np.float32)


def _unlike(one: FloatArray, other: FloatArray, settings: SlotSettings) -> float:
    return float((change_map(one, other) > settings.change_level).mean())


def _returns(before: _Rest, rest: _Rest, after: _Rest, settings: SlotSettings) -> bool:
    apart = min(_unlike(before.last, rest.first, settings), _unlike(rest.last, after.first, settings))
    return _unlike(before.last, after.first, settings) < settings.returning_share * apart


def _is_crossed(before: _Rest, rest: _Rest, after: _Rest, settings: SlotSettings) -> bool:
    """Whether an arm lies over the slot's rim that lay there neither before nor after."""
    return all(
        border_share(rest.first, other, settings.change_level) > settings.crossed_share
        for other in (before.last, after.first)
    )


def _without_still_hands(rests: list[_Rest], times: npt.NDArray[np.float64], settings: SlotSettings) -> list[_Rest]:
    """Drop short rests that are a hand held still: the state before returns, or the rim is crossed."""
    kept = list(rests)
    index = 1
    while index < len(kept) - 1:
        before, rest, after = kept[index - 1], kept[index], kept[index + 1]
        length_s = float(times[rest.stop - 1] - times[rest.start])
        is_hand = length_s < settings.resting_hand_s and reverts(before.last, rest.first, after.first, settings)
        if length_s < settings.still_hand_s:
            is_hand |= _returns(before, rest, after, settings) or _is_crossed(before, rest, after, settings)
        if is_hand:
            del kept[index]
        else:
            index += 1
    return kept


def _between(
    record: ClipRecord,
    slot: int,
    slot_id: str,
    facings: int,
    before: _Rest,
    after: _Rest,
    settings: SlotSettings,
) -> SlotEpisode | None:
    start, stop = before.stop, after.start
    judgement = judge(before.last, after.first, facings, settings)
    has_person = bool(record.covered[start:stop, slot].any())
    moving = record.motion[start:stop, slot, 0] > settings.motion_share
    step = float(np.median(np.diff(record.times_s))) if len(record.times_s) > 1 else settings.sample_s
    if judgement.has_changed:
        if not has_person and moving.sum() * step < settings.hand_s:
            return None
        kind = "change"
        first_s, last_s = _moment(record, slot, start, stop, before.last, after.first, settings)
        changed_s = 0.5 * (first_s + last_s)
    else:
        # Under a person's box nobody can tell a touch from standing there.
        if has_person:
            return None
        hidden_share = _hidden_share(record, slot, start, stop, before.last, after.first, settings)
        hidden = hidden_share > settings.touch_share
        if float(hidden.sum()) * step < settings.touch_s:
            return None
        kind = "touch"
        inside = record.times_s[start + np.flatnonzero(hidden)]
        first_s, last_s, changed_s = float(inside[0]), float(inside[-1]), float(np.median(inside))
    return SlotEpisode(
        slot_id=slot_id,
        kind=kind,
        started_s=first_s,
        ended_s=last_s,
        changed_s=changed_s,
        presence_change=judgement.presence_change,
        appearance_change=judgement.appearance_change,
        facings_change=judgement.facings_change,
        put_prob=judgement.put_prob,
        pick_prob=judgement.pick_prob,
        contact_px=_contact(record, slot, start, stop, changed_s, settings),
        has_person=has_person,
        patch=_as_bytes(after.first),
    )


def _hidden_share(
    record: ClipRecord,
    slot: int,
    start: int,
    stop: int,
    before: FloatArray,
    after: FloatArray,
    settings: SlotSettings,
) -> FloatArray:
    """Share of the core, per busy frame, that looks neither like before nor like after: a hand, an arm."""
    cores = record.patches[start:stop, slot, :, CORE].astype(np.float32) * record.gains[start:stop, None, None, :]
    low = np.minimum(before, after)[:, CORE]
    high = np.maximum(before, after)[:, CORE]
    outside = np.maximum(np.maximum(low - cores, cores - high), 0).max(axis=-1)
    brightness = 0.5 * (before.mean() + after.mean()) + 8.0  # a guard: in the dark, noise hides nothing
    return np.asarray((outside / brightness > settings.hidden_level).mean(axis=(1, 2)), dtype=np.float32)


def _moment(
    record: ClipRecord,
    slot: int,
    start: int,
    stop: int,
    before: FloatArray,
    after: FloatArray,
    settings: SlotSettings,
) -> tuple[float, float]:
    """Times of the last frame that looks like `before` and of the first that looks like `after`.

    Only the samples that changed most are compared. A frame in which something else hides the slot looks like neither
    and only widens the interval.
    """
    low, high = max(0, start - 1), min(len(record.times_s), stop + 1)
    difference = np.abs(before - after)[:, CORE].max(axis=-1)
    rows, columns = np.nonzero(difference >= np.quantile(difference, settings.moment_quantile))
    samples = record.patches[low:high, slot][:, rows, CORE.start + columns].astype(np.float32)
    samples *= record.gains[low:high, None, :]
    to_before = np.abs(samples - before[rows, CORE.start + columns]).mean(axis=(1, 2))
    to_after = np.abs(samples - after[rows, CORE.start + columns]).mean(axis=(1, 2))
    apart = float(np.abs(before - after)[rows, CORE.start + columns].mean())
    covered = record.covered[low:high, slot]
    most_unlike = np.where(covered, settings.alike_under_person_share, settings.alike_share)
    is_clear = np.minimum(to_before, to_after) < most_unlike * apart
    advantage = np.where(is_clear, to_before - to_after, 0.0)
    split = int(np.argmin(np.concatenate([[0.0], np.cumsum(advantage)])))
    like_before = np.flatnonzero(is_clear[:split])
    like_after = np.flatnonzero(is_clear[split:])
    last_before = low + int(like_before[-1]) if len(like_before) else low
    first_after = low + split + int(like_after[0]) if len(like_after) else high - 1
    return float(record.times_s[last_before]), float(record.times_s[first_after])


def _contact(
    record: ClipRecord, slot: int, start: int, stop: int, changed_s: float, settings: SlotSettings
) -> tuple[float, float] | None:
    """Picture position (px) of the motion in the slot just before and after the change."""
    near = start + np.flatnonzero(np.abs(record.times_s[start:stop] - changed_s) <= settings.contact_s)
    motion = record.motion[near, slot]
    weight = motion[:, 0]
    if not len(near) or weight.sum() <= 0:
        return None
    column = int(np.clip(round(float((motion[:, 1] * weight).sum() / weight.sum())), 0, CORE.stop - CORE.start - 1))
    row = int(np.clip(round(float((motion[:, 2] * weight).sum() / weight.sum())), 0, motion_rows(record) - 1))
    x, y = record.coordinates_px[slot, row, CORE.start + column]
    return float(x), float(y)


def motion_rows(record: ClipRecord) -> int:
    """Rows of a patch."""
    return int(record.coordinates_px.shape[1])


def _as_bytes(patch: FloatArray) -> bytes:
    return np.clip(np.rint(patch), 0, 255).astype(np.uint8).tobytes()


def _state_episode(kind: str, slot_id: str, patch: FloatArray, time_s: float) -> SlotEpisode:
    return SlotEpisode(slot_id, kind, time_s, time_s, time_s, 0.0, 0.0, 0, 0.0, 0.0, None, False, _as_bytes(patch))


def zone_touches(
    times_s: npt.NDArray[np.float64],
    gains: FloatArray,
    tiles: ByteArray,
    zone_id: str,
    coordinates_px: FloatArray,
    settings: SlotSettings,
) -> list[SlotEpisode]:
    """Touches of a zone from its tiles (T, n, H, W, 3): foreground against the median over the clip."""
    cores = tiles[:, :, :, CORE].astype(np.float32) * gains[:, None, None, None, :]
    # About a hundred samples are enough for a median.
    background = np.median(cores[:: max(1, len(times_s) // 100)], axis=0)
    brightness = background.mean(axis=-1) + 20.0  # a guard: in the dark, noise is no hand
    difference = np.abs(cores - background).max(axis=-1)
    # How much a sample flickers by itself: a screen, an edge under an unsteady exposure.
    usual = np.median(difference[:: max(1, len(times_s) // 100)], axis=0)
    foreground = difference > np.maximum(settings.zone_level * brightness, settings.zone_flicker * usual)
    share = foreground.mean(axis=(1, 2, 3))
    runs = _merged_runs(times_s, share > settings.zone_share, settings.clear_s)
    found = []
    for start, stop in runs:
        hit = share[start:stop] > settings.zone_share
        if hit.sum() < settings.zone_samples or times_s[stop - 1] - times_s[start] < settings.zone_touch_s:
            continue
        where = foreground[start:stop].sum(axis=0)
        centre = (coordinates_px[:, :, CORE] * where[..., None]).sum(axis=(0, 1, 2)) / max(1, int(where.sum()))
        middle = 0.5 * float(times_s[start] + times_s[stop - 1])
        found.append(
            SlotEpisode(
                zone_id,
                "touch",
                float(times_s[start]),
                float(times_s[stop - 1]),
                middle,
                0.0,
                0.0,
                0,
                0.0,
                0.0,
                (float(centre[0]), float(centre[1])),
                False,
                b"",
            )
        )
    return found


def _merged_runs(times: npt.NDArray[np.float64], on: npt.NDArray[np.bool_], gap_s: float) -> list[tuple[int, int]]:
    """Index ranges [start, stop) in which `on` holds, joined over gaps shorter than `gap_s`."""
    runs: list[tuple[int, int]] = []
    for index in np.flatnonzero(on):
        if runs and times[index] - times[runs[-1][1] - 1] < gap_s:
            runs[-1] = (runs[-1][0], int(index) + 1)
        else:
            runs.append((int(index), int(index) + 1))
    return runs


__all__ = ["ClipRecord", "Judgement", "SlotEpisode", "slot_episodes", "zone_touches"]
