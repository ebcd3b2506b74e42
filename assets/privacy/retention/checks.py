"""What must hold after a sweep, beyond the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from assets.privacy.places import files_below, unclaimed
from assets.privacy.retention.due import CLOCK_TOLERANCE, Seen
from lakehouse.audit import ExpectationResult, identity_check
from lakehouse.contract import Severity
from lakehouse.store_day import hour_start
from resources.believed_time import TOLERANCE, BelievedTime
from resources.steps.specs import DomainCheck

PAST_LIMIT = "nothing_past_its_limit"
AHEAD_OF_TIME = "nothing_ahead_of_time"
UNCLAIMED = "every_file_is_claimed"
CLOCK = "clock_is_believed"

SWEEP_CHECKS = (
    # They warn and do not block: the ledger of what was removed is entered all the same. The step itself
    # fails when something due is left.
    DomainCheck(
        PAST_LIMIT,
        "No row and no file is older than its class allows, counted anew in every table and folder.",
        Severity.WARNING,
    ),
    DomainCheck(
        AHEAD_OF_TIME,
        "No row claims a capture time that is still to come: it would outlive its limit.",
        Severity.WARNING,
    ),
    DomainCheck(
        UNCLAIMED,
        "Every file below the home lies in a place that somebody empties.",
        Severity.WARNING,
    ),
    DomainCheck(
        CLOCK,
        "The clock that the sweep judged by is borne out by the last heartbeat, the kernel or a person. "
        "Count: seconds that it is off.",
        Severity.WARNING,
    ),
)


def nothing_past_its_limit(looks: Iterable[Seen], now: datetime) -> ExpectationResult:
    """The count of rows and files past their limit. What could not be looked at fails it too: unknown is not zero."""
    held = list(looks)
    late = [content for look in held for content in look.past(now).values()]
    return _count(PAST_LIMIT, sum(max(content.rows, content.files) for content in late), held)


def nothing_ahead_of_time(looks: Iterable[Seen], now: datetime) -> ExpectationResult:
    """The count of rows from the future."""
    held = list(looks)
    ahead = [
        content.rows
        for look in held
        for place, content in (look.contents or {}).items()
        if hour_start(place.capture_hour) > now + CLOCK_TOLERANCE
    ]
    return _count(AHEAD_OF_TIME, sum(ahead), held)


def every_file_is_claimed(home: Path) -> ExpectationResult:
    """The count of files below the home that no place claims. Raises OSError if a folder cannot be listed."""
    return _count(UNCLAIMED, len(unclaimed(files_below(home))))


def clock_is_believed(found: BelievedTime) -> ExpectationResult:
    """Seconds between the doubted time and the one that the sweep judged by; what to do, in words."""
    seconds = abs(found.difference.total_seconds())
    return ExpectationResult(
        CLOCK,
        "",
        Severity.WARNING,
        success=found.doubt is None,
        observed=seconds,
        threshold=TOLERANCE.total_seconds(),
        unexpected_count=round(seconds),
        limits=found.words,
    )


def counted(name: str, judge: Callable[[], ExpectationResult]) -> ExpectationResult:
    """The result of a sweep's check. One that raises fails, and stops no ledger: what was removed is entered all the
    same."""
    try:
        return judge()
    except Exception as error:  # noqa: BLE001 - any kind; its text could quote a path
        words = f"could not be counted, so not known: {type(error).__name__}"
        return ExpectationResult(name, "", Severity.WARNING, success=False, limits=words)


def _count(name: str, found: int, looks: Iterable[Seen] = ()) -> ExpectationResult:
    result = identity_check(name, found, found, severity=Severity.WARNING)
    unknown = sorted(look.name for look in looks if look.contents is None)
    if not unknown:
        return result
    return replace(result, success=False, limits=f"not looked at, so not known: {', '.join(unknown)}")
