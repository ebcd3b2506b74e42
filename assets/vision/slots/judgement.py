"""Judge two states of a slot: did it change, in which direction, and how many facings.

Before plain surroundings, presence (how much the slot differs from what is beside it) tells whether something came or
went. On a crowded shelf the strips beside the slot hold products. There the change of appearance tells that something
happened, and the changed area tells the direction: goods are coloured and textured, the board and the shadow behind
them are not.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from assets.vision.log_odds import logistic
from assets.vision.slots.settings import SlotSettings
from assets.vision.slots.signal import (
    CORE,
    FloatArray,
    change_map,
    presence_log_ratio,
    relit,
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
    changed = change_map(before_bgr, after_bgr) > settings.change_level
    share = float(changed.mean())
    if share <= settings.change_share:
        return Judgement(False, 0.0, share, 0, 0.0, 0.0)
    presence = presence_log_ratio(before_bgr, after_bgr)
    emptier = min(residual_against_surroundings(before_bgr), residual_against_surroundings(after_bgr))
    beside = max(roughness_beside(before_bgr), roughness_beside(after_bgr))
    is_plain = emptier < settings.plain_residual or beside < settings.plain_roughness
    if is_plain:
        has_changed = share > settings.change_share and abs(presence) > settings.presence_level
        strength = settings.presence_slope * presence
    else:
        under_one_light = change_map(*relit(before_bgr, after_bgr, settings)) > settings.change_level
        if float(under_one_light.mean()) < settings.shadow_share * share:
            share = 0.0
        has_changed = share > settings.change_share
        strength = float(np.dot(settings.direction_weights, direction_features(before_bgr, after_bgr, changed)))
    put = logistic(strength)
    surety = logistic(settings.change_slope * (share - settings.change_share))
    count = _changed_facings(changed, facings, settings)
    return Judgement(
        has_changed=has_changed,
        presence_change=presence,
        appearance_change=share,
        facings_change=(count if put >= 0.5 else -count) if has_changed else 0,
        put_prob=put * surety,
        pick_prob=(1.0 - put) * surety,
    )


def reverts(before_bgr: FloatArray, between_bgr: FloatArray, after_bgr: FloatArray, settings: SlotSettings) -> bool:
    """Whether what came between went again while something else changed: a hand on the slot's edge."""
    came = change_map(before_bgr, between_bgr) > settings.change_level
    if came.mean() <= settings.change_share:
        return False
    stays = change_map(before_bgr, after_bgr) > settings.change_level
    return bool(
        stays.mean() > max(settings.reverting_change * settings.change_share, settings.growing_share * came.mean())
        and stays[came].mean() < settings.reverting_share
    )


def direction_features(
    before_bgr: FloatArray, after_bgr: FloatArray, changed: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Four cues (4,) for the direction of a change; positive: something came. Exchanging before and after only changes
    their signs.

    Over the changed samples: colour saturation, log-ratio of edge energy, log-ratio of brightness; and the
    presence log-ratio of the whole patch.
    """
    if not changed.any():
        return np.zeros(4)
    cues = []
    for patch in (before_bgr, after_bgr):
        core = patch[:, CORE].astype(np.float32)
        low, high = core.min(axis=-1), core.max(axis=-1)
        grey = patch.astype(np.float32).mean(axis=-1)
        gradient = np.hypot(*np.gradient(grey))[:, CORE]
        # What is added keeps dark samples from deciding; the weights of the cues were found with these values.
        cues.append(
            (
                # 12 and 8 grey values, as said above.
                float(((high - low) / (high + 12.0))[changed].mean()),
                float(np.log(gradient[changed].mean() + 2.0)),
                float(np.log(core.mean(axis=-1)[changed].mean() + 8.0)),
            )
        )
    difference = np.subtract(cues[1], cues[0])
    return np.append(difference, presence_log_ratio(before_bgr, after_bgr))


def colours_of_goods(with_bgr: FloatArray, without_bgr: FloatArray, settings: SlotSettings) -> tuple[float, ...]:
    """Colours of what is in the one patch and not in the other: 12 hues, then dark, grey and white.

    Sums to one; empty where nothing differs.
    """
    changed = change_map(with_bgr, without_bgr) > settings.change_level
    if not changed.any():
        return ()
    pixels = cv2.convertScaleAbs(with_bgr)[:, CORE][changed][None]
    hue, saturation, value = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)[0].T.astype(np.int64)
    grey = 12 + (value > settings.dark_value) + (value > settings.white_value)
    bins = np.where(saturation > settings.colour_saturation, hue * 12 // 180, grey)
    return tuple((np.bincount(bins, minlength=15) / len(bins)).tolist())


def _changed_facings(changed: npt.NDArray[np.bool_], facings: int, settings: SlotSettings) -> int:
    """How many pieces moved, at least one and at most `facings`.

    Two products side by side leave two upright stretches with unchanged columns between them; a wide one leaves one.
    Where they stand too close for that, the changed area tells: a slot that holds more pieces than stand one behind
    the other has several columns, and one piece can hardly change more than its own.
    """
    profile = changed.mean(axis=0)
    count = width = gap = 0
    for share in profile > settings.facing_share * profile.max():
        gap = 0 if share else gap + 1
        if share:
            width += 1
            count += width == settings.facing_columns
        elif gap >= settings.gap_columns:
            width = 0
    columns = -(-facings // settings.most_rows)
    by_area = round(float(changed.mean()) * columns / settings.full_share)
    return int(min(max(count, by_area, 1), max(facings, 1)))
