"""Which store-day each landed clip and file of gate scans is for: by where it lies and what it is called, and for a
clip by the skew of its camera's clock, which its sidecar declares. What is for none is refused here, because no run of
a store-day would ever look at it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from lakehouse.store_day import StoreDay
from resources.landing.deliveries import started_by
from resources.landing.file_access import is_plain, read_whole
from resources.landing.folder import (
    Consumption,
    DocumentBatch,
    LandedFile,
    Landing,
    Rejection,
    date_of_name,
    files_below,
    is_store_id,
)
from resources.landing.footage import (
    CLIP_SUFFIX,
    MOST_SIDECAR_BYTES,
    SIDECAR_SUFFIX,
    FootageBatch,
    consume_footage,
    declared_skew,
    parse_stamp,
)
from resources.landing.refusals import Reason, Refused


@dataclass(frozen=True)
class LandedDays:
    """`files`: by store-day what lies there for it, clips, sidecars and scans. `strays`: what is for no store-day,
    with the reason. What is for a day that has not begun is in neither: it waits for its midnight."""

    files: Mapping[StoreDay, tuple[Path, ...]]
    strays: tuple[Rejection, ...]


def sort_by_day(
    landing: Landing, first: date, now: datetime, known_stores: Collection[str] | None = None
) -> LandedDays:
    """Everything in landing that belongs to store-days from `first` to today. `known_stores`: stores with reference
    data; what is for another is a stray. None: not asked."""
    files: dict[StoreDay, list[Path]] = {}
    strays: list[Rejection] = []
    for category in (delivery.category for delivery in started_by("store_day")):
        base = landing.root / category
        for path in files_below(base):
            inside = path.relative_to(base).parts
            try:
                day = _store_day(category, inside, path)
                if known_stores is not None and day.store_id not in known_stores:
                    raise Refused(Reason.UNKNOWN_REFERENCE, "store_id")
                if has_begun(day, first, now):
                    files.setdefault(day, []).append(path)
            except FileNotFoundError:
                continue
            except OSError:
                strays.append(Rejection(landing.name_of(path), 0, "", Reason.UNREADABLE))
            except Refused as refused:
                strays.append(Rejection(landing.name_of(path), 0, refused.field_name, refused.reason))
    return LandedDays({day: tuple(found) for day, found in files.items()}, tuple(strays))


def refuse_strays(
    landing: Landing, footage_root: Path, first: date, now: datetime, known_stores: Collection[str]
) -> Consumption:
    """Moves what is for no store-day, or for one of a store without reference data, to the rejected files."""
    strays = sort_by_day(landing, first, now, known_stores).strays
    clips = tuple(stray for stray in strays if stray.file.startswith("footage/"))
    scans = tuple(stray for stray in strays if stray not in clips)
    moved = consume_footage(landing, FootageBatch((), clips, 0), footage_root, now=now)
    files = tuple(LandedFile(landing.root / stray.file, stray.file, "") for stray in scans)
    done = landing.consume(DocumentBatch((), files, scans, "gate_events"), now=now)
    reasons = Counter(moved.by_reason) + Counter(done.by_reason)
    kept = moved.kept_files + done.kept_files
    return Consumption(0, moved.rejected_files + done.rejected_files, 0, kept, dict(sorted(reasons.items())))


def has_begun(day: StoreDay, first: date, now: datetime) -> bool:
    """Whether a store-day can be run by now; not yet for tomorrow's, whose first scans a fast clock may bring early.
    Raises Refused for a day before `first` or one later than that."""
    today = StoreDay.of_instant(day.store_id, now).business_date
    if not first <= day.business_date <= today + timedelta(days=1):
        raise Refused(Reason.OUT_OF_RANGE)
    return day.business_date <= today


def _store_day(category: str, inside: tuple[str, ...], path: Path) -> StoreDay:
    """Raises Refused, and OSError for what is gone or may not be looked at."""
    depth = 3 if category == "footage" else 2
    if len(inside) != depth or not is_store_id(inside[0]):
        raise Refused(Reason.FILE_NAME)
    if not is_plain(path):
        raise Refused(Reason.NOT_A_PLAIN_FILE)
    if category == "footage":
        if path.suffix not in (CLIP_SUFFIX, SIDECAR_SUFFIX):
            raise Refused(Reason.FILE_NAME)
        return StoreDay.of_instant(inside[0], parse_stamp(path.stem) - _skew(path.with_suffix(SIDECAR_SUFFIX)))
    day = date_of_name(path.name)
    if day is None:
        raise Refused(Reason.FILE_NAME)
    return StoreDay(inside[0], day)


def _skew(sidecar_file: Path) -> timedelta:
    """By how much the camera's clock is ahead; none as long as the sidecar cannot tell: the step of the day that the
    name says refuses it, or waits for it."""
    try:
        return declared_skew(read_whole(sidecar_file, MOST_SIDECAR_BYTES))
    except (FileNotFoundError, Refused):
        return timedelta()
