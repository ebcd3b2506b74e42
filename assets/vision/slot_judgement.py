"""Judge two states of a slot: did it change, in which direction, and how many facings.

Two cues. Presence, an object against its own surroundings, is strong where the surroundings are plain and
gives the direction by itself. On a crowded shelf only the change of appearance is sure.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from assets.vision.slot_settings import SlotSettings
from assets.vision.slot_signal import (
    CORE_WIDTH,
    FloatArray,
    change_map,
    presence_log_ratio,
    residual_against_surroundings,
    roughness_beside,
)


@dataclass(frozen=True)
class Judgement:
    """Outcome of comparing before with after; probabilities are of a put-back and of a pick."""

    has_changed: bool
    presence_change: float
    appearance_change: float
    facings_change: int
    put_prob: float
    pick_prob: float


def judge(before_bgr: FloatArray, after_bgr: FloatArray, facings: int, settings: SlotSettings) -> Judgement:
    """Compare two gain-compensated patches (H, W, 3) of a slot with `facings` products side by side."""
    presence = presence_log_ratio(before_bgr, after_bgr)
    changed = change_map(before_bgr, after_bgr) > settings.change_level
    share = float(changed.mean())
    emptier = min(residual_against_surroundings(before_bgr), residual_against_surroundings(after_bgr))
    beside = max(roughness_beside(before_bgr), roughness_beside(after_bgr))
    is_plain = emptier < settings.plain_residual or beside < settings.plain_roughness
    has_changed = share > settings.change_share and (not is_plain or abs(presence) > settings.presence_level)
    strength = 6.0 * presence if is_plain else 3.0 * presence
    put = float(1.0 / (1.0 + np.exp(-np.clip(strength, -30, 30))))
    surety = float(1.0 / (1.0 + np.exp(-np.clip(40.0 * (share - settings.change_share), -30, 30))))
    count = _changed_facings(changed, facings)
    return Judgement(
        has_changed=has_changed,
        presence_change=presence,
        appearance_change=share,
        facings_change=(count if put >= 0.5 else -count) if has_changed else 0,
        put_prob=put * surety,
        pick_prob=(1.0 - put) * surety,
    )


def _changed_facings(changed: np.ndarray, facings: int) -> int:
    """How many of the facings' columns changed over most of what the most changed one did; at least one."""
    if facings <= 1:
        return 1
    edges = np.linspace(0, CORE_WIDTH, facings + 1).round().astype(int)
    shares = np.array([changed[:, a:b].mean() if b > a else 0.0 for a, b in itertools.pairwise(edges)])
    return max(1, int((shares > max(0.15, 0.5 * shares.max())).sum()))
