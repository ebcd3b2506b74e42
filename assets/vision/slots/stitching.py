"""Changes that fall between two clips: the closing state of one against the opening state of the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from assets.vision.slots.episodes import SlotEpisode
from assets.vision.slots.judgement import judge, reverts
from assets.vision.slots.settings import SlotSettings
from assets.vision.slots.signal import PATCH_HEIGHT, PATCH_WIDTH, FloatArray


def patch_of(episode: SlotEpisode) -> FloatArray:
    """The picture (H, W, 3) that an episode carries."""
    return np.frombuffer(episode.patch, dtype=np.uint8).reshape(PATCH_HEIGHT, PATCH_WIDTH, 3).astype(np.float32)


def stitched_change(
    closing: SlotEpisode,
    opening: SlotEpisode,
    facings: int,
    settings: SlotSettings,
    gain: FloatArray | None = None,
) -> SlotEpisode | None:
    """The change between two clips of one camera and slot, or None if the slot looks the same.

    `gain` (3,) takes the opening patch to the brightness of the closing one. Times are those of the two states, in one
    common clock. The moment is taken halfway, so it is off by half the time between them at most.
    """
    before = patch_of(closing)
    after = patch_of(opening) * (np.ones(3, dtype=np.float32) if gain is None else gain)
    judgement = judge(before, after.astype(np.float32), facings, settings)
    if not judgement.has_changed:
        return None
    return SlotEpisode(
        slot_id=opening.slot_id,
        kind="change",
        started_s=closing.changed_s,
        ended_s=opening.changed_s,
        changed_s=0.5 * (closing.changed_s + opening.changed_s),
        presence_change=judgement.presence_change,
        appearance_change=judgement.appearance_change,
        facings_change=judgement.facings_change,
        put_prob=judgement.put_prob,
        pick_prob=judgement.pick_prob,
        contact_px=None,
        has_person=closing.has_person or opening.has_person,
        patch=opening.patch,
    )


def gain_from_states(pairs: list[tuple[SlotEpisode, SlotEpisode]], settings: SlotSettings) -> FloatArray:
    """Gain (3,) from one clip to the one before, from all slots' states: most slots do not change."""
    if len(pairs) < settings.least_states:
        return np.ones(3, dtype=np.float32)
    ratios = [(patch_of(a).mean(axis=(0, 1)) + 1) / (patch_of(b).mean(axis=(0, 1)) + 1) for a, b in pairs]
    most = settings.most_clip_gain
    return np.asarray(np.clip(np.median(np.stack(ratios), axis=0), 1.0 / most, most), dtype=np.float32)


def joined_clips(
    clips: Sequence[Sequence[SlotEpisode]],
    facings: Mapping[str, int],
    settings: SlotSettings,
    longest_gap_s: float,
) -> list[tuple[SlotEpisode, bytes]]:
    """Changes and touches of one camera's clips, in order, with the changes between the clips.

    With each comes the picture of its slot before it (empty for a touch). Times are in one common clock. A hand that
    rests on a slot's edge over the end of a clip looks like a change at first; the next clip shows that it was none.
    """
    found: list[tuple[SlotEpisode, bytes]] = []
    closing: dict[str, SlotEpisode] = {}
    states: dict[str, list[SlotEpisode]] = {}
    for clip in clips:
        pairs = [
            (closing[first.slot_id], first)
            for first in clip
            if first.kind == "opening"
            and first.slot_id in closing
            and 0 <= first.changed_s - closing[first.slot_id].changed_s <= longest_gap_s
        ]
        gain = gain_from_states(pairs, settings)
        for last, first in pairs:
            before = last
            earlier = states[last.slot_id]
            if len(earlier) > 1 and last.changed_s - earlier[-1].ended_s < settings.resting_hand_s:
                after = np.asarray(patch_of(first) * gain, dtype=np.float32)
                if reverts(patch_of(earlier[-2]), patch_of(last), after, settings):
                    before = replace(last, patch=earlier[-2].patch)
                    found = [pair for pair in found if pair[0] is not earlier[-1]]
            change = stitched_change(before, first, facings.get(first.slot_id, 1), settings, gain)
            if change is not None:
                found.append((change, before.patch))
        for episode in clip:
            if episode.kind == "opening":
                states[episode.slot_id] = [episode]
            elif episode.kind == "change":
                found.append((episode, states[episode.slot_id][-1].patch if episode.slot_id in states else b""))
                states.setdefault(episode.slot_id, []).append(episode)
            elif episode.kind == "closing":
                closing[episode.slot_id] = episode
            elif episode.kind == "touch":
                found.append((episode, b""))
    return found
