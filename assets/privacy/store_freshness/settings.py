"""Settings of the stores' freshness: how long a silence says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class FreshnessSettings:
    """From when on a silence is one. All chosen by hand, so that an alarm is worth a look."""

    camera_silent_after: timedelta = timedelta(hours=1)
    """Opening time without usable footage of a camera: clips are of minutes, and their delivery takes minutes more."""
    scans_silent_after: timedelta = timedelta(hours=4)
    """Opening time without a scan at the gate: a small store may see nobody for a whole morning."""
    computed_within: timedelta = timedelta(hours=2)
    """From the end of a business date, or from what landed of it, to its orders: a day takes minutes, and a run that
    failed is seen before the evidence of the day goes."""
    days_back: int = 7
    """Business dates before today that are looked at: footage lives as long, so an older one cannot be computed."""
