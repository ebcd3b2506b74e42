"""Settings of the shelf events."""

from __future__ import annotations

from dataclasses import dataclass, field

from assets.vision.shelf_events.confidence import CONFIDENCE, Confidence
from assets.vision.slots.settings import SlotSettings


@dataclass(frozen=True)
class CameraFusionSettings:
    """When changes that several cameras saw are one, and what each camera's word weighs."""

    double_s: float = 1.5
    """Seconds that the middles of two episodes may lie apart and still be one event. Chosen by hand."""
    slack_s: float = 0.6
    """Seconds by which two intervals of one moment may miss each other: clock skew, and frames that looked alike by
    chance. Chosen by hand."""
    blocked_s: float = 4.0
    """A camera whose episode lasted longer than this, in seconds, had its view blocked; its moment is a guess. Chosen
    by hand."""
    silent_log_odds: float = 5.0
    """What a camera that saw the slot clear before and after, and no change between, speaks against one. On three
    tuning days 2 of 156 views of true changes were silent, and no false change was seen by two cameras: 30 times one
    camera saw what one or two others did not (ADR 031)."""
    least_prob: float = 0.02
    """Probabilities are kept this far off 0 and 1 before their log-odds are added: no camera decides alone. Chosen by
    hand."""


@dataclass(frozen=True)
class HoldingsSettings:
    """How likely a change is a put-back before anybody looks at it (0 to 1, by what the person holds), and how much
    less likely if what was put looks like nothing they hold."""

    put_prob_unknown: float = 0.24
    """Of a person nothing is known of: 24 % of the competition's events were put-backs (ground_truth_v14.json)."""
    put_prob_holding_product: float = 0.35
    """Of somebody who holds the slot's product. Chosen by hand, like the next three."""
    put_prob_holding_other: float = 0.12
    """Of somebody who holds something else only."""
    put_prob_holding_nothing: float = 0.04
    """Of somebody who holds nothing: a pick of theirs may have been missed."""
    put_prob_staff: float = 0.95
    """Of staff, who restock."""
    like_enough: float = 0.33
    """Difference of colours (1 less the histograms' overlap, 0 to 1) up to which a put-back looks like what was taken.
    On three tuning days 10 of 11 true put-backs were within 0.26 of the product's picture when it was taken, one at
    0.40, and the one false at 0.50 (ADR 031)."""
    unlike_slope: float = 12.0
    """Log-odds against a put-back for each unit of difference beyond that. Chosen by hand."""
    most_unlike: float = 4.0
    """Most log-odds that this takes: colours alone do not rule a put-back out. Chosen by hand."""


@dataclass(frozen=True)
class ReachSettings:
    """Where somebody stands who reaches a slot. Fitted on the simulated tuning day, never on the shipped one, where no
    field says otherwise. Costs are in natural-log units."""

    depth_m: float = 0.45
    """Metres before the slot's front at which people stand."""
    depth_sigma_m: float = 0.25
    """Spread of that, in metres."""
    lateral_sigma_m: float = 0.30
    """Metres (sigma) beside the slot's middle."""
    most_depth_sigmas: float = 4.0
    """Sigmas of depth beyond which a place is no less likely: reach is cut by `farthest_m`. Chosen by hand."""
    most_lateral_sigmas: float = 5.0
    """The same beside the slot. Chosen by hand."""
    window_s: float = 0.6
    """At least this many seconds before and after the event count."""
    step_s: float = 0.1
    """Seconds between the trajectories' points."""
    behind_m: float = 0.25
    """Metres that a person may seem to stand inside the shelf, by error of position."""
    farthest_m: float = 1.6
    """Metres beyond which nobody reaches the slot."""
    contact_scale: float = 0.25
    """Share of the box's height by which a hand may lie outside the box per unit of cost."""
    contact_weight: float = 1.0
    """Weight of where the hand was seen beside where the person stood."""
    contact_cap: float = 4.0
    """Most that a hand outside the box costs: boxes are wrong too. Chosen by hand."""
    contact_gap_s: float = 0.35
    """Seconds from the nearest box within which it can be compared with the hand. Chosen by hand."""


@dataclass(frozen=True)
class AttributionSettings:
    """Which fused events are kept, and who did them. Costs are in natural-log units."""

    reach: ReachSettings = field(default_factory=ReachSettings)
    """Where somebody stands who reaches a slot."""
    slots: SlotSettings = field(default_factory=SlotSettings)
    """How two pictures of a slot are compared."""
    fusion: CameraFusionSettings = field(default_factory=CameraFusionSettings)
    """When several cameras saw one change."""
    holdings: HoldingsSettings = field(default_factory=HoldingsSettings)
    """What is expected of somebody by what they hold."""
    confidence: Confidence = CONFIDENCE
    """From evidence to probabilities."""
    together_s: float = 1.0
    """Events no farther apart than this many seconds are assigned jointly. Chosen by hand."""
    nobody_cost: float = 5.0
    """Cost of giving an event to nobody; somebody dearer than this did not do it. Chosen by hand."""
    second_hand_cost: float = 1.5
    """What it costs more that one person did two of the events at once. Chosen by hand."""
    most_pieces: int = 4
    """More pieces than this are not moved at once by hand. Chosen by hand."""
    keep_prob: float = 0.5
    """Changes less probable than this, 0 to 1, are dropped: more likely nothing happened."""
    touch_prob: float = 0.5
    """Probability that is given to a touch: it changes nothing that could confirm it."""
    longest_gap_s: float = 120.0
    """A slot that was hidden from a camera for longer than this many seconds, from one clip into the next, is judged
    afresh (ADR 031)."""
