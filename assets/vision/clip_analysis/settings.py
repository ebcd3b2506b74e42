"""Settings of the decode pass."""

from __future__ import annotations

from dataclasses import dataclass, field

from assets.vision.detection.settings import MotionSettings


@dataclass(frozen=True)
class AnalysisSettings:
    """How many frames the detector sees, and what of them. Times are rounded to frames of the clip's true rate. What
    names no source was chosen by hand."""

    detect_every_s: float = 0.3
    """Seconds between frames that the detector may look at. Every 0.1 s costs twice as much and gave no more on tuning
    day 101 (docs/benchmarks.md)."""
    heartbeat_s: float = 1.0
    """Longest time, in seconds, without a look when nothing moves."""
    refresh_s: float = 3.0
    """Longest time, in seconds, without a look at the whole frame."""
    region_margin: float = 0.06
    """Share of the frame by which the region to look at is widened on each side."""
    region_box_prob: float = 0.25
    """Score, 0 to 1, from which a box keeps the region around it in view, also if it stands still."""
    shelf_zoom: float = 0.67
    """Factor by which the pictures of close shelf cameras shrink: people are large in them."""
    slot_box_prob: float = 0.35
    """Score, 0 to 1, from which a box counts as a person before the slots."""
    motion: MotionSettings = field(default_factory=MotionSettings)
    """When a picture counts as moving."""
