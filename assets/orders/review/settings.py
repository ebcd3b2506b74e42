"""Settings of the review: how long a person may decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class ReviewSettings:
    """Time limits of a review item."""

    closing_margin: timedelta = timedelta(hours=1)
    """An item closes this long before its store-day seals, so that the closing run still finds the day open: four looks
    of the schedule fit in between."""
