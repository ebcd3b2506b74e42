"""What is expected of every store that has reference data, unless it is simulated: to be heard of, and its days
computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import polars as pl

from assets.privacy.store_freshness.settings import FreshnessSettings
from lakehouse.audit import ExpectationResult, identity_check
from lakehouse.contract import Severity
from resources.steps.specs import DomainCheck

MOST_NAMED = 8
_LIMITS = FreshnessSettings()


def _hours(limit: timedelta) -> str:
    return f"{limit / timedelta(hours=1):g} h"


_ASKED = {
    "footage": DomainCheck(
        "no_camera_silent",
        f"Every known camera has sent usable footage within {_hours(_LIMITS.camera_silent_after)} of opening time; "
        "those of simulated stores do not count. Count: cameras. Look whether the camera and the store's upload run, "
        "and what was refused (privacy/refused_deliveries).",
        Severity.WARNING,
    ),
    "gate_events": DomainCheck(
        "no_store_silent",
        f"Every known store has sent scans within {_hours(_LIMITS.scans_silent_after)} of opening time; simulated ones "
        "do not count. Count: stores. Look whether its gates and its upload run, and what was refused "
        "(privacy/refused_deliveries).",
        Severity.WARNING,
    ),
    "orders": DomainCheck(
        "every_day_computed",
        f"Every business date since a store's first, and of the last {_LIMITS.days_back} days, has orders "
        f"{_hours(_LIMITS.computed_within)} after its end or after what landed last of it; those of simulated stores "
        "do not count. Count: days. Its run in the UI says why not; `python -m orchestration run` makes it.",
        Severity.WARNING,
    ),
}
DECLARED = tuple(_ASKED.values())


def check_freshness(rows: pl.DataFrame) -> list[ExpectationResult]:
    """How many cameras and stores are silent and how many days not computed; which ones, in words. What could not be
    found out counts, too: unknown is not fine. `rows`: those of stores that are real."""
    return [_count(check, rows.filter(pl.col("delivery") == delivery)) for delivery, check in _ASKED.items()]


def _count(check: DomainCheck, rows: pl.DataFrame) -> ExpectationResult:
    late = rows.filter(pl.col("state") != "fresh")
    result = identity_check(check.name, late.height, rows.height, severity=check.severity)
    return replace(result, limits=", ".join(_names(late)))


def _names(late: pl.DataFrame) -> Iterator[str]:
    for row in late.head(MOST_NAMED).iter_rows(named=True):
        place = " ".join(part for part in (row["store_id"], row["camera_id"], row["business_date"]) if part)
        yield f"{place} {row['state'].replace('_', ' ')}"
    if late.height > MOST_NAMED:
        yield f"and {late.height - MOST_NAMED} more"
