"""What lies in the landing folder, by the job that takes it. Looks at names; opens only sidecars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from lakehouse.store_day import StoreDay
from resources.landing.days import sort_by_day
from resources.landing.deliveries import started_by
from resources.landing.folder import Landing, files_below
from resources.landing.footage import SIDECAR_SUFFIX
from resources.steps.partitions import FIRST_DATE


@dataclass(frozen=True)
class Arrivals:
    """What waits: store-days with footage or gate scans, and whether there is anything store-wide or reviewed.

    `files`: by store-day what lies there for it. `strays`: files in the folders of store-days that are for none; the
    step that takes what is store-wide refuses them.
    """

    files: Mapping[StoreDay, tuple[Path, ...]] = field(default_factory=dict)
    store_wide: tuple[Path, ...] = ()
    strays: tuple[Path, ...] = ()
    reviews: tuple[Path, ...] = ()

    @property
    def store_days(self) -> tuple[StoreDay, ...]:
        """Store-days with footage or gate scans, oldest first."""
        return tuple(sorted(self.files, key=lambda day: (day.business_date, day.store_id)))

    @property
    def has_store_wide(self) -> bool:
        """Whether anything waits for the step that takes what is store-wide."""
        return bool(self.store_wide or self.strays)

    @property
    def has_reviews(self) -> bool:
        """Whether decisions of reviewers wait."""
        return bool(self.reviews)

    @property
    def is_empty(self) -> bool:
        """Nothing waits."""
        return not (self.files or self.has_store_wide or self.has_reviews)


def look(root: Path, now: datetime) -> Arrivals:
    """What waits below the landing folder `root`. Never raises for anything that lies there."""
    landing = Landing(root)
    landed = sort_by_day(landing, date.fromisoformat(FIRST_DATE), now)
    # A sidecar comes before its clip, and starts nothing.
    days = {day: files for day, files in landed.files.items() if any(p.suffix != SIDECAR_SUFFIX for p in files)}
    return Arrivals(
        days,
        _files_for(root, "reference"),
        tuple(root / stray.file for stray in landed.strays),
        _files_for(root, "review"),
    )


def _files_for(root: Path, job: str) -> tuple[Path, ...]:
    return tuple(path for delivery in started_by(job) for path in files_below(root / delivery.category))
