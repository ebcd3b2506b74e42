"""Settings of the slot measure, with where each value comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SlotSettings:
    """Times in seconds, shares from 0 to 1, levels in grey values of 255."""

    sample_s: float = 0.1
    """Patches are kept ten times a second; a faster camera's frames between are passed over."""
    motion_s: float = 0.2
    """Motion is the gain-compensated difference over this time (0.17 s worked best on the bottle clip)."""
    motion_level: int = 14
    """Difference of a blurred sample that counts as motion; above sensor noise and h264 residue."""
    motion_share: float = 0.02
    """Share of a slot's samples that must move for it to be busy (1-2 % worked best)."""
    clear_s: float = 0.8
    """A slot is clear again after this long without motion (0.3-1.5 work, 2.0 misses)."""
    state_s: float = 0.4
    """Length of the clear stretch whose median is the state before or after."""
    still_hand_s: float = 1.5
    """A clear stretch shorter than this between two like states is a hand held still, not a state."""
    resting_hand_s: float = 15.0
    """Longest rest of a hand on a slot's edge that is told from a change, by its going."""
    reverting_share: float = 0.35
    """Share of what came with such a hand that may still differ when it is gone."""
    crossed_share: float = 0.06
    """Share of a patch's rim that an arm lying over it changes."""
    cover_share: float = 0.2
    """A slot under a person's box for more than this share of its area waits."""
    box_life_s: float = 1.3
    """How long a box stands for frames that the detector did not look at; its heartbeat is a second."""
    change_level: float = 0.10
    """Relative difference of a sample, after a shake of one sample is allowed for, that counts as change."""
    presence_level: float = 0.35
    """Log-ratio of presence at which an object before a plain background has come or gone."""
    plain_residual: float = 0.075
    """Residual of the emptier state below which the surroundings are plain and presence can be trusted."""
    plain_roughness: float = 0.02
    """Sideways gradient of the strips below which the surroundings are plain."""
    shadow_share: float = 0.65
    """Below this share of the change that is left under one light, the change was of light: a shadow. On the
    tuning day people's shadows left 0.04-0.4, goods 0.9 and more."""
    change_slope: float = 40.0
    """How fast the probability of a change rises with the changed share."""
    direction_weights: tuple[float, float, float, float] = (20.0, 3.0, 0.0, 5.0)
    """Weights of slot_judgement.direction_features on a crowded shelf: right in 97.9 % of 614 single changes
    in a rendered, empty store of the tuning layout. Brightness would tell there (white boards) and is left
    out."""
    change_share: float = 0.07
    """Share of changed samples from which a slot before crowded surroundings has changed."""
    touch_share: float = 0.12
    """Share of a slot that a hand must hide for a touch."""
    hand_s: float = 0.25
    """Motion shorter than this is no hand: an exposure step, a reflection, a frame that decodes badly."""
    touch_s: float = 0.3
    """How long a hand must stay for a touch."""
    zone_share: float = 0.02
    """Share of a zone that must be foreground for a touch (cps-test-01: hands 2-7 %, else at most 1 %)."""
    zone_level: float = 0.22
    """Relative difference from the zone's background that counts as foreground."""
