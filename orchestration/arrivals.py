"""What lies in the landing folder, by the job that takes it. Looks at names only, opens nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lakehouse.store_day import StoreDay
from resources.landing.footage import CLIP_SUFFIX, parse_stamp
from resources.landing.refusals import Refused

STORE_WIDE = ("reference", "accounts", "orders_history")
"""Folders whose files belong to no single store-day."""

_DATE_FILE = re.compile(r"(\d{4}-\d{2}-\d{2})\.jsonl")


@dataclass(frozen=True)
class Arrivals:
    """What waits: store-days with footage or gate scans, and whether there is anything store-wide or reviewed."""

    store_days: tuple[StoreDay, ...]
    has_store_wide: bool
    has_reviews: bool

    @property
    def is_empty(self) -> bool:
        """Nothing waits."""
        return not (self.store_days or self.has_store_wide or self.has_reviews)


def look(landing: Path) -> Arrivals:
    """What waits below `landing`. Files with names that are no date are left to the step that rejects them."""
    days = {*_footage_days(landing / "footage"), *_gate_days(landing / "gate_events")}
    return Arrivals(
        store_days=tuple(sorted(days, key=lambda day: (day.business_date, day.store_id))),
        has_store_wide=any(_has_files(landing / name) for name in STORE_WIDE),
        has_reviews=_has_files(landing / "reviews"),
    )


def _footage_days(folder: Path) -> Iterator[StoreDay]:
    for clip in folder.glob(f"*/*/*{CLIP_SUFFIX}"):
        try:
            captured_at = parse_stamp(clip.stem)
        except Refused:
            continue
        yield StoreDay.of_instant(clip.parent.parent.name, captured_at)


def _gate_days(folder: Path) -> Iterator[StoreDay]:
    for scans in folder.glob("*/*.jsonl"):
        if match := _DATE_FILE.fullmatch(scans.name):
            yield StoreDay(scans.parent.name, date.fromisoformat(match[1]))


def _has_files(folder: Path) -> bool:
    return any(path.is_file() and not path.name.startswith(".") for path in folder.rglob("*"))


def day_of(path: Path) -> date | None:
    """Business date by the name of a landed file: a clip's or sidecar's capture time, or a date; None for neither."""
    if match := _DATE_FILE.fullmatch(path.name):
        return date.fromisoformat(match[1])
    try:
        return StoreDay.of_instant("", parse_stamp(path.stem)).business_date
    except Refused:
        return None
