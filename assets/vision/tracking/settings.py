"""Settings of one camera's tracks."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class AssociationSettings:
    """What speaks for and against one tracklet following another. Gains are in one unit: a join is worth `base_gain`
    less what speaks against it, and is made if more than 0 is left.

    Decided on frames 1 to 400 of PETS09-S2L1, where no field says otherwise.
    """

    max_gap_s: float = 20.0
    """Longest time, in seconds, that a person may be lost."""
    base_gain: float = 2.0
    """Gain of a join that nothing speaks for or against. Cameras that are brought together on the floor join less
    readily: see STORE_TRACKING in trajectories/merge.py."""
    appearance_zero: float = 0.3
    """Difference of appearance (1 less the likeness, 0 to 1) at which it says nothing."""
    appearance_weight: float = 10.0
    """Gain for each unit of difference below `appearance_zero`."""
    appearance_limit: float = 5.0
    """Most that appearance may add or take."""
    trust_support: float = 3.0
    """Clear sightings (summed weights) from which a tracklet's appearance is trusted in full."""
    least_trust: float = 0.4
    """Share of its weight that appearance keeps however few sightings there are. Chosen by hand."""
    position_sigma: float = 0.2
    """How far, in box heights, a person is found from where they were expected at once."""
    position_sigma_per_s: float = 0.3
    """Box heights by which that grows with each second of the gap."""
    position_weight: float = 1.2
    """Loss for each sigma of the miss."""
    position_curve: float = 0.25
    """Loss for the miss (in sigmas) raised to `position_power`: far misses cost more than in proportion."""
    position_power: float = 1.5
    """Power of that loss. Chosen by hand."""
    most_miss: float = 6.0
    """Sigmas beyond which a miss costs no more. Chosen by hand."""
    gap_weight: float = 1.0
    """Loss for the logarithm of 1 plus the gap in steps: the first moments of a gap cost most."""
    gap_steps_per_s: float = 10.0
    """Steps a second in which the gap is counted for that logarithm: frames at ten a second."""
    gap_weight_per_s: float = 0.0
    """Loss for each second of the gap; 0: the logarithm is enough."""
    size_weight: float = 0.6
    """Loss for the difference of the boxes' heights, as a logarithm of their ratio."""
    most_size: float = 0.6
    """Most of that logarithm that counts (a ratio of 1.8): half hidden people have half a box. Chosen by hand."""
    interior_gain: float = 1.0
    """What joining gains for each end inside the picture (two ends there add this, two at its border take it): people
    do not vanish in its middle."""
    border_share: float = 0.06
    """Width of the border zone, as a share of the picture's width and height."""
    velocity_s: float = 1.0
    """Seconds at a tracklet's end from which its speed is taken."""
    velocity_doubt: float = 0.1
    """Draws the speed of a very short tracklet to zero: added to the spread of its times, in squares of `velocity_s`.
    Chosen by hand."""
    coast_s: float = 1.5
    """Seconds for which a lost person is expected to keep their speed."""
    max_speed: float = 2.5
    """Fastest that anybody moves, in box heights a second."""
    max_jump: float = 1.0
    """Box heights that are allowed on top, for boxes that jump. Chosen by hand."""
    cover_weight: float = 2.5
    """How fast a sighting loses its weight with the share of it that another box covers. Chosen by hand."""
    least_clearness: float = 0.05
    """Weight that a wholly covered sighting keeps: somebody who is never seen clear still has an appearance."""
    least_score: float = 0.1
    """Weight of a sighting is its score, and at least this. Chosen by hand."""
    rounds: int = 2
    """How often joining is repeated: joined tracklets know their appearance and speed better."""


@dataclass(frozen=True)
class BoxFitSettings:
    """How far a detector's boxes stand off the people in them. All chosen by hand."""

    sample_count: int = 60
    """Frames that are kept at least, once a video has as many; twice this at most."""
    least_frames: int = 10
    """Frames below which there is no background to compare with."""
    width_px: int = 480
    """Width, in pixels, to which a frame is reduced."""
    level: int = 22
    """Difference from the background, in grey values of 255, that is silhouette."""
    search: float = 0.3
    """How far beyond the box the silhouette is looked for, as a share of the box's width (half of it above and
    below)."""
    edge_share: float = 0.15
    """A column or row belongs to the silhouette from this share of the fullest one."""
    least_fill: float = 0.1
    """Share of the searched area below which nobody stands out from the background."""
    min_samples: int = 20
    """People standing alone that are needed for a correction."""
    limit: float = 0.25
    """Largest correction, as a share of the box's width or height."""
    min_height_px: float = 20.0
    """Boxes lower than this in the reduced frame are passed over."""


@dataclass(frozen=True)
class JudgementSettings:
    """Which boxes and tracks are people.

    Chosen on frames 1 to 400 of PETS09-S2L1, over five input widths of our detector and det.txt together
    (docs/benchmarks.md has what they gave), where no field says otherwise.
    """

    box_share: float = 0.5
    """A box that scores below this share of the usual score is left out."""
    mover_doubt: float = 1.4
    """How far below the usual score, in log-odds, a track that moves may be."""
    still_doubt: float = 1.0
    """The same for a track that stays where it is: less, for cones and poles do that."""
    moving_heights: float = 0.5
    """Way, in heights of its box, from which a track counts as moving."""
    usual_looks: int = 10
    """Looks that a track needs to count towards the usual score."""
    least_score: float = 0.02
    """Scores are kept above this before their log-odds are taken: lower ones say no more. Chosen by hand."""
    most_score: float = 0.99
    """Scores are kept below this before their log-odds are taken, or one sure box would decide alone. Chosen by
    hand."""


@dataclass(frozen=True)
class TrackletSettings:
    """When two detections are surely one person. Overlaps are intersection over union, 0 to 1, of the box grown by
    `buffer` and the box that the tracklet predicts.

    Decided on frames 1 to 400 of PETS09-S2L1, where no field says otherwise.
    """

    min_overlap: float = 0.5
    """Least overlap, 0 to 1, at which a detection continues a tracklet."""
    margin: float = 0.1
    """By how much of an overlap the best candidate must be ahead of the second; else the tracklet ends there."""
    rival_overlap: float = 0.05
    """Overlap up to which a second candidate is no rival at all. Chosen by hand."""
    buffer: float = 0.1
    """Share of its size by which a box grows on each side before overlaps are taken: people who walk fast still meet
    their own box (buffered overlap, Yang et al., WACV 2023)."""
    appearance_weight: float = 0.0
    """What a likeness of appearance adds to the overlap; 0: appearance is left to the joining of tracklets."""
    appearance_zero: float = 0.8
    """Likeness, 0 to 1, that neither adds nor takes; without effect while the weight is 0. Chosen by hand."""
    appearance_overlap: float = 0.1
    """Overlap from which appearance counts at all; without effect while the weight is 0. Chosen by hand."""
    start_prob: float = 0.3
    """Least score, 0 to 1, of a detection that begins a tracklet."""
    follow_prob: float = 0.2
    """Least score, 0 to 1, of a detection that continues one; the detector reports none lower."""
    max_missed_looks: int = 1
    """How many of the detector's looks in a row may miss the person."""
    velocity_memory: float = 0.7
    """Share of the old velocity, 0 to 1, that is kept when a new step is seen."""
    max_step_s: float = 0.8
    """Longest time, in seconds, between two detections of a tracklet."""


@dataclass(frozen=True)
class TrackingSettings:
    """Tracks of one camera.

    Decided on frames 1 to 400 of PETS09-S2L1, where no field says otherwise. Cameras of a store differ in two values
    (STORE_TRACKING in trajectories/merge.py).
    """

    tracklets: TrackletSettings = field(default_factory=TrackletSettings)
    """How detections become sure tracklets."""
    association: AssociationSettings = field(default_factory=AssociationSettings)
    """How tracklets become tracks."""
    judgement: JudgementSettings = field(default_factory=JudgementSettings)
    """Which of them are people."""
    smoothing_s: float = 0.3
    """Seconds (sigma) over which the middle of a box is smoothed."""
    size_smoothing_s: float = 1.5
    """Seconds (sigma) over which its size is smoothed: people keep their size, boxes do not."""
    least_weight: float = 0.1
    """Weight of a detection in smoothing is its score, and at least this. Chosen by hand."""
    fill_gap_s: float = 2.0
    """Longest gap, in seconds, that is filled between two sightings."""
    short_s: float = 2.5
    """Tracks shorter than this, in seconds, are dropped; in a short clip those below `short_share` of it."""
    short_share: float = 0.15
    """Share of the clip's length below which a track is short."""
    least_looks: int = 3
    """Sightings that a track needs: through fewer no line can be laid. Chosen by hand."""
