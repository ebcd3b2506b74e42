"""Settings of the trajectories."""

from __future__ import annotations

from dataclasses import dataclass, field

from assets.vision.tracking.settings import AssociationSettings, TrackingSettings


@dataclass(frozen=True)
class AgreementSettings:
    """From when on a camera is taken for misplaced. Chosen on the shipped store-day alone (ADR 032): cameras in place
    agree on 0.73 to 0.96 of their people, one turned by 25 degrees on 0.10."""

    person_prob: float = 0.5
    """Score (0 to 1) from which a box counts: with less certain ones, things that only look like people count too."""
    least_seen: int = 40
    """Boxes, or boxes that the other camera should have seen, with fewer of which an hour says nothing."""
    off_floor_m: float = 1.0
    """Metres beyond the floor's edge from which somebody stands off it, as in the check `points_on_floor`."""
    off_floor_share: float = 0.5
    """Share of a camera's people off the floor above which it is out; in place it is 0.01 at most."""
    together_s: float = 0.2
    """Seconds between two cameras' views of one person: less than the detector's 0.3 s from look to look."""
    together_m: float = 0.5
    """Metres between them: the positions' error (0.2) and what somebody walks in the time between."""
    agreeing_share: float = 0.3
    """A camera is out if no other camera agrees on more than this share of its people."""


@dataclass(frozen=True)
class ChangeSettings:
    """Where a camera's track changes its clothes. Decided on the simulated tuning days (ADR 030)."""

    window_s: float = 4.0
    """Seconds that are compared on both sides of a moment."""
    least_s: float = 2.0
    """Seconds of them that must be seen: a person half in the picture looks like another."""
    alike: float = 0.8
    """Bhattacharyya coefficient, 0 to 1, below which the two sides are two people."""


@dataclass(frozen=True)
class BodySettings:
    """The body that is stood on the floor, in metres, and how far a box's edges are trusted, in pixels. All chosen by
    hand; floor positions were then measured on the simulated days (docs/benchmarks.md: median error 8 to 10 cm)."""

    height_m: float = 1.68
    """Height, in metres, that is expected of a person."""
    height_sigma_m: float = 0.12
    """Spread of heights, in metres: covers adults, and children with less certainty."""
    least_height_m: float = 0.9
    """Lowest body that is fitted, in metres."""
    most_height_m: float = 2.1
    """Tallest body that is fitted, in metres."""
    foot_radius_m: float = 0.20
    """Radius, in metres, of the circle in which the feet stand."""
    head_radius_m: float = 0.10
    """Radius, in metres, of the head."""
    edge_sigma_px: float = 3.0
    """Error (sigma) of a box's edge, in pixels."""
    edge_sigma_share: float = 0.025
    """Share of the box's height that is added to that error."""
    border_px: float = 4.0
    """Pixels from the picture's border within which an edge is the picture's, not the person's."""
    border_doubt: float = 4.0
    """By how much less the centre line is trusted where a side is cut off at the border."""
    most_misfit: float = 6.0
    """Sigmas by which an edge may miss; a body that fits worse has no position."""
    most_variance_m2: float = 4.0
    """Variance, in square metres, above which there is no position."""
    rounds: int = 6
    """Gauss-Newton steps."""


STEP_S = 0.1
"""Seconds between the points of a trajectory: what the contract of vision/track_points promises."""
STORE_TRACKING = TrackingSettings(short_s=1.0, association=AssociationSettings(base_gain=1.0))
"""For cameras that are brought together on the floor: they join less and keep more than a camera alone, because the
floor and the other cameras know better. Floor IDF1 of the simulator's first tuning day, mean of five draws: 96.1 with
these two, 91.7 if tracks below 2.5 s are dropped as for a single camera, 87.4 if nothing is joined before the floor.
"""


@dataclass(frozen=True)
class FusionSettings:
    """Which camera tracks are one person. Gains are in one unit: a join is worth its gain, and is made if that is above
    0 (over cameras: above `min_gain`).

    Decided on the simulated tuning days (docs/benchmarks.md; ADR 030 has what the rules gave), where no field says
    otherwise.
    """

    same_place_m: float = 0.75
    """Distance on the floor, in metres, at which two cameras' tracks speak neither for nor against one person."""
    place_scale_m: float = 0.25
    """Metres nearer than that for a gain of 1; half the spread of the two positions is added."""
    most_near: float = 3.0
    """Most gain that nearness gives. Chosen by hand."""
    most_apart: float = 6.0
    """Most that distance takes. Chosen by hand."""
    min_common_s: float = 0.4
    """Seconds that two cameras must see both tracks at once to be compared at all."""
    full_trust_s: float = 2.0
    """Seconds seen at once from which a comparison counts in full."""
    clothing_weight: float = 4.0
    """Gain for each unit of likeness of clothing above `clothing_zero`."""
    clothing_zero: float = 0.75
    """Likeness of clothing (Bhattacharyya coefficient, 0 to 1) that speaks neither for nor against."""
    conflict_s: float = 0.6
    """Seconds for which one camera must show two tracks at once to say anything about them."""
    conflict_m: float = 0.6
    """Metres apart (median) from which two such tracks are two people."""
    same_camera_gain: float = 0.5
    """Gain of two tracks of one camera that lie on each other: two boxes of one person. Chosen by hand."""
    min_gain: float = 0.3
    """Mean gain from which two sets of camera tracks are joined."""
    least_variance_m2: float = 0.01
    """Added to a position's variance, in square metres, before it becomes a weight. Chosen by hand."""
    max_gap_s: float = 20.0
    """Longest time, in seconds, that a person may be lost by all cameras."""
    overlap_s: float = 0.6
    """Seconds for which somebody who follows may be seen before the one they follow has ended."""
    base_gain: float = 1.0
    """Gain of a join over time that nothing speaks for or against."""
    position_sigma_m: float = 0.5
    """Metres (sigma) from where somebody was expected to where they are found at once."""
    position_sigma_m_s: float = 0.7
    """Metres by which that grows with each second: a lost walker may be a stride farther than the mean says
    (ADR 030)."""
    most_miss: float = 4.0
    """Sigmas beyond which a miss costs no more. Chosen by hand."""
    miss_power: float = 1.5
    """The miss (in sigmas) raised to this is what it costs. Chosen by hand."""
    gap_weight_per_s: float = 0.1
    """Loss for each second of the gap."""
    interior_gain: float = 1.2
    """What joining gains when both ends lie in the middle of the store; at the gates it costs as much."""
    max_speed_m_s: float = 2.5
    """Fastest that anybody walks, metres a second."""
    jump_m: float = 1.2
    """Metres that are allowed on top, for errors of position. Chosen by hand."""
    velocity_s: float = 1.0
    """Seconds at an end from which a person's speed is taken. Chosen by hand."""
    velocity_doubt_s2: float = 0.3
    """Draws the speed of a very short path to zero: added to the spread of its times, in square seconds. Chosen by
    hand."""
    coast_s: float = 0.8
    """Seconds for which a lost person is expected to keep their speed."""
    edge_s: float = 1.0
    """Seconds from the first and the last moment of the footage within which people may stand anywhere."""
    gone_s: float = 2.0
    """Seconds of a gap from which `gone_penalty` counts in full: a second may be lost at the gate."""
    gone_penalty: float = 4.0
    """Loss for joining somebody who ended at the exit, or who began at the entrance."""
    turn_s: float = 2.0
    """Seconds. A track that leaves by the gate is never joined to one that enters later than this before it left."""
    sure_slope: float = 1.5
    """Log-odds of a join being right for each unit that it gains more than the next best. Chosen by hand."""
    sure_shift: float = 0.5
    """Log-odds of a join that is no better than the next best. Chosen by hand."""
    sure_most: float = 6.0
    """Log-odds beyond which no join is surer. Chosen by hand."""


@dataclass(frozen=True)
class MergeSettings:
    """From detections to trajectories. Decided on the simulated tuning days (docs/benchmarks.md), where no field says
    otherwise."""

    tracking: TrackingSettings = field(default_factory=lambda: STORE_TRACKING)
    """Tracks of each camera."""
    body: BodySettings = field(default_factory=BodySettings)
    """The body that is stood on the floor."""
    fusion: FusionSettings = field(default_factory=FusionSettings)
    """Which camera tracks are one person."""
    clothing_change: ChangeSettings = field(default_factory=ChangeSettings)
    """Where a camera's track is cut."""
    floor_smoothing_s: float = 0.4
    """Seconds (sigma) over which a camera track's floor positions and boxes are smoothed."""
    point_smoothing_s: float = 0.3
    """Seconds (sigma) over which the trajectory of all cameras together is smoothed."""
    least_variance_m2: float = 0.02
    """Added to a position's variance, in square metres, before it becomes a weight: no single sighting decides alone.
    Chosen by hand."""
    least_point_variance_m2: float = 0.01
    """The same for the positions of all cameras together. Chosen by hand."""
    drift_m_s: float = 0.3
    """Metres by which a position grows unsure with each second to the nearest sighting. Chosen by hand."""
    least_box_px: float = 2.0
    """Least width and height, in pixels, of a smoothed box. Chosen by hand."""
    least_clear_looks: int = 3
    """A track's clothing is taken from the clearer half of its sightings, and from at least so many. Chosen by hand."""
    zone_margin_m: float = 0.5
    """Metres by which entrance and exit are widened: tracks begin a step inside."""
    zone_reach_m: float = 2.5
    """Metres beyond that margin over which a track that begins or ends counts less and less as being at the gate."""
    gate_m: float = 0.3
    """Metres from a gate's zone within which a track begins or ends at the gate."""
    passage_m: float = 1.0
    """Metres by which a track must get farther from the gate than that end, to have come in or gone out."""
    min_person_s: float = 2.0
    """Shortest trajectory, in seconds, that counts as a person."""
    convincing_prob: float = 0.5
    """A camera track whose mean score is below this counts only if it walks `walking_m`: goods on a shelf look a
    little like people, and stay where they are."""
    walking_m: float = 1.2
    """Metres between the 10th and 90th percentile of a track's positions from which it walks."""
    min_way_m: float = 0.4
    """Least extent, in metres, of a trajectory."""
