"""Settings of the slot measure, with where each value comes from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SlotSettings:
    """Times in seconds, shares from 0 to 1, levels in grey values of 255. What names no source was chosen by hand."""

    sample_s: float = 0.1
    """Seconds between two samples of a patch; a faster camera's frames between are passed over."""
    sample_pitch_px: float = 1.3
    """A frame is reduced until the samples of a slot lie hardly more than this many pixels apart: none is skipped."""
    most_shrink: int = 4
    """Most that a frame is reduced, as a whole factor."""
    darkest_level: int = 12
    """Grey value below which a cell of the picture says nothing about its brightness."""
    brightest_level: int = 246
    """Grey value above which a cell is clipped and says nothing about its brightness either."""
    least_cells: int = 12
    """Cells (of 192) that must say something for a frame's brightness to be corrected."""
    most_gain: float = 2.5
    """Largest correction of a frame's brightness, as a factor up or down."""
    motion_s: float = 0.2
    """Motion is the gain-compensated difference over this many seconds (0.17 s worked best on the bottle clip)."""
    motion_level: int = 14
    """Difference of a blurred sample, in grey values, that counts as motion; above sensor noise and h264 residue."""
    motion_share: float = 0.02
    """Share of a slot's samples that must move for it to be busy (1-2 % worked best on the bottle clip)."""
    clear_s: float = 0.8
    """A slot is clear again after this many seconds without motion (0.3-1.5 work, 2.0 misses)."""
    state_s: float = 0.4
    """Seconds of the clear stretch whose median is the state before or after."""
    still_hand_s: float = 1.5
    """A clear stretch shorter than this many seconds between two like states is a hand held still, not a state."""
    returning_share: float = 0.4
    """Two states are alike if they differ in less than this share of what the stretch between differs in."""
    resting_hand_s: float = 15.0
    """Longest rest, in seconds, of a hand on a slot's edge that is told from a change, once it has gone."""
    reverting_share: float = 0.35
    """Share of what came with such a hand that may still differ when it is gone."""
    reverting_change: float = 2.0
    """How many times `change_share` must differ when it is gone, for something else to have changed meanwhile."""
    growing_share: float = 1.3
    """How many times what the hand covered must differ then, too."""
    crossed_share: float = 0.06
    """Share of a patch's rim that an arm lying over it changes."""
    cover_share: float = 0.2
    """A slot under a person's box for more than this share of its area waits."""
    box_life_s: float = 1.3
    """Seconds for which a box stands when the detector looks at no frame; it looks at least once a second."""
    change_level: float = 0.10
    """Relative difference of a sample, after a shake of one sample is allowed for, that counts as change."""
    presence_level: float = 0.35
    """Log-ratio of presence at which an object before a plain background has come or gone."""
    presence_slope: float = 6.0
    """Log-odds of a put for each unit of that log-ratio."""
    plain_residual: float = 0.075
    """Residual of the emptier state, as a share of its brightness, below which the surroundings are plain and presence
    can be trusted."""
    plain_roughness: float = 0.02
    """Sideways gradient of the strips, as a share of brightness, below which the surroundings are plain."""
    shadow_share: float = 0.65
    """Below this share of the change that is left under one light, the change was of light: a shadow. On the
    tuning day people's shadows left 0.04-0.4, goods 0.9 and more."""
    light_samples: int = 9
    """Side, in samples of a patch, of the square over which light is taken to be the same."""
    least_light: float = 0.35
    """Darkest shadow that is evened out, as a factor of brightness."""
    change_slope: float = 40.0
    """Log-odds of a change for each unit of the changed share above `change_share`."""
    direction_weights: tuple[float, float, float, float] = (20.0, 3.0, 0.0, 5.0)
    """Weights of slot_judgement.direction_features on a crowded shelf: right in 97.9 % of 614 single changes
    in a rendered, empty store of the tuning layout. Brightness would tell there (white boards) and is left
    out."""
    change_share: float = 0.07
    """Share of changed samples from which a slot before crowded surroundings has changed."""
    facing_columns: int = 3
    """Least width of a facing, in columns of a patch of 16."""
    gap_columns: int = 2
    """Unchanged columns that part two facings."""
    facing_share: float = 0.3
    """A column has changed from this share of the one that changed most."""
    most_rows: int = 3
    """Pieces that stand one behind the other."""
    full_share: float = 0.72
    """Share of a slot that changes when its whole front goes (0.6-0.77 on the tuning day)."""
    colour_saturation: int = 70
    """Saturation, of 255, from which a sample of goods has a hue; else it is dark, grey or white."""
    dark_value: int = 70
    """Brightness, of 255, up to which a sample without a hue is dark."""
    white_value: int = 170
    """Brightness, of 255, above which a sample without a hue is white."""
    moment_quantile: float = 0.7
    """The moment of a change is read from the samples that changed more than this share of the others."""
    alike_share: float = 0.45
    """A frame looks like before (or after) if it differs by less than this share of what the two differ by."""
    alike_under_person_share: float = 0.2
    """The same under a person's box: clothes may look like the slot by chance."""
    contact_s: float = 0.5
    """Seconds before and after a change from which the hand's place is taken."""
    touch_share: float = 0.12
    """Share of a slot that a hand must hide for a touch."""
    hidden_level: float = 0.18
    """Relative difference from both states at which a sample shows something else: a hand, an arm."""
    hand_s: float = 0.25
    """Motion of fewer seconds is no hand: an exposure step, a reflection, a frame that decodes badly."""
    touch_s: float = 0.3
    """Seconds that a hand must stay for a touch."""
    zone_share: float = 0.02
    """Share of a zone that must be foreground for a touch (cps-test-01: hands 2-7 %, else at most 1 %)."""
    zone_level: float = 0.22
    """Relative difference from the zone's background that counts as foreground."""
    zone_flicker: float = 6.0
    """How many times its usual difference a sample must differ: a screen or a bright edge flickers by itself."""
    zone_samples: int = 3
    """Samples with foreground that a touch of a zone needs."""
    zone_touch_s: float = 0.15
    """Seconds that it must last."""
    least_states: int = 3
    """Slots that must have been seen on both sides of a clip's end for their brightness to be compared."""
    most_clip_gain: float = 2.0
    """Largest correction of brightness between two clips, as a factor up or down."""
