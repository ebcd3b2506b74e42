"""What must hold after a sweep, beyond the contract."""

from __future__ import annotations

from datetime import datetime

from assets.privacy.expired import FootagePlace, past_limit
from lakehouse.audit import ExpectationResult, identity_check
from lakehouse.lake import Lake
from resources.table_specs import DomainCheck

SWEEP_CHECKS = (
    DomainCheck(
        "nothing_past_its_limit",
        "No row and no file is older than its retention class allows, counted anew in every table and folder.",
    ),
)


def nothing_past_its_limit(lake: Lake, footage: tuple[FootagePlace, ...], now: datetime) -> ExpectationResult:
    """The count of everything past its limit. Raises where a place cannot be looked at."""
    counts = dict(past_limit(lake, footage, now))
    return identity_check("nothing_past_its_limit", sum(counts.values()), sum(counts.values()))
