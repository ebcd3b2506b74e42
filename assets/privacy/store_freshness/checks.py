"""What is expected of every store that has reference data: to be heard of, and its days computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from lakehouse.audit import ExpectationResult, identity_check
from lakehouse.contract import Severity
from resources.steps.specs import DomainCheck

MOST_NAMED = 8

_ASKED = {
    "footage": DomainCheck(
        "no_camera_silent",
        "Every known camera has sent usable footage within an hour of opening time. Count: cameras. Look whether the "
        "camera and the store's upload run, and what was refused (privacy/refused_deliveries).",
        Severity.WARNING,
    ),
    "gate_events": DomainCheck(
        "no_store_silent",
        "Every known store has sent scans within four hours of opening time. Count: stores. Look whether its gates and "
        "its upload run, and what was refused (privacy/refused_deliveries).",
        Severity.WARNING,
    ),
    "orders": DomainCheck(
        "every_day_computed",
        "Every business date since a store's first, and of the last week, has orders two hours after its end or after "
        "what landed last of it. Count: days. Its run in the UI says why not; `python -m orchestration run` makes it.",
        Severity.WARNING,
    ),
}
DECLARED = tuple(_ASKED.values())


def check_freshness(rows: pl.DataFrame) -> list[ExpectationResult]:
    """How many cameras and stores are silent and how many days not computed; which ones, in words. What could not be
    found out counts, too: unknown is not fine."""
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
