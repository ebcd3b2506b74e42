"""One sweep: seals the store-days whose evidence begins to go, drops expired hours from tables, unlinks
expired files, looks again, and says what the ledger has to hold.

A failure in one table or folder stops no other: everything is tried, then everything that failed is named.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

import polars as pl

from assets.privacy.places import FilePlace
from assets.privacy.retention.due import (
    SWEPT_TABLES,
    Content,
    FirstSeen,
    Place,
    expired_files,
    expired_hours,
    known_days,
    limit_at,
    look_at_undated,
)
from lakehouse.contract import RetentionClass, TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.privacy import SWEEPS
from lakehouse.lake import ENGINE_FOLDER, Lake
from lakehouse.life import expiry, seals
from lakehouse.store_day import StoreDay
from lakehouse.tables.commit import CommitInfo
from lakehouse.upkeep.expired_hours import drop_expired

_FIRST_SEEN = f"{ENGINE_FOLDER}/sweep_first_seen.json"
_JOURNAL = f"{ENGINE_FOLDER}/sweep_journal.json"


@dataclass(frozen=True)
class Swept:
    """What a sweep did. `ledger`: rows of `privacy/sweeps`, of places where a second look found nothing any
    more.

    `failures`: what went wrong and where (kinds of errors, names of tables and folders); `places_left`:
    places where something due is still there. Both empty is success. `moment`: the time that it judged by.
    """

    ledger: pl.DataFrame
    sealed: tuple[StoreDay, ...]
    failures: tuple[str, ...]
    places_left: int
    seen: FirstSeen
    moment: datetime


@dataclass(frozen=True)
class _Due:
    place: Place
    content: Content
    noted_at: datetime
    expires_at: datetime
    retention: RetentionClass


def sweep(lake: Lake, places: tuple[FilePlace, ...], *, commit: CommitInfo, now: datetime) -> Swept:
    """Removes everything whose time is up at `now`: the moment that assets/privacy/retention/sweep_moment.py found,
    never a clock's bare word.

    What is about to go is noted first, and the note stays until `close_journal`: a sweep that was killed
    anywhere is finished by the next one, with the same rows in the ledger. A day is sealed before the first
    of its movement goes; if it cannot be, movement waits for the next sweep, within the margin, and footage
    does not.
    """
    moment = now
    seen = _see(lake, places, moment)
    due = _note(lake, places, seen, moment)
    failures: list[str] = []

    def drop(tables: Iterable[TableContract]) -> None:
        for table in tables:
            _try(failures, table.path, lambda t=table: drop_expired(lake, t, commit=commit, now=moment))  # type: ignore[misc]

    movement = [table for table in SWEPT_TABLES if table.retention is RetentionClass.MOVEMENT]
    drop(table for table in SWEPT_TABLES if table not in movement)
    for place in places:
        _try(failures, place.name, lambda p=place: _unlink(p, seen, moment))  # type: ignore[misc]
    sealed: list[StoreDay] = []
    if _try(failures, "seals", lambda: _seal(lake, commit.run_id, moment, sealed)):
        drop(movement)
    left = _expired(lake, places, seen, moment)
    gone = [entry for entry in due if entry.place not in left]
    return Swept(
        pl.DataFrame([_ledger_row(entry) for entry in gone], SWEEPS.schema),
        tuple(sealed),
        tuple(failures),
        len(left),
        seen,
        moment,
    )


def close_journal(lake: Lake, ledger: pl.DataFrame) -> None:
    """Once these rows are committed their notes are not needed any more; what is still there stays noted."""
    entered = set(ledger["sweep_id"])
    open_notes = [entry for entry in _read_journal(lake) if _sweep_id(entry) not in entered]
    if open_notes:
        _write_journal(lake, open_notes)
    else:
        lake.objects.delete(_JOURNAL)


def _try(failures: list[str], where: str, work: Callable[[], object]) -> bool:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - the next place must be swept all the same; its text could quote a path
        failures.append(f"{where}: {type(error).__name__}")
        return False
    return True


def _unlink(place: FilePlace, seen: FirstSeen, moment: datetime) -> None:
    for files in expired_files(place, seen, moment).values():
        for file in files:
            place.objects.delete(file.key)


def _seal(lake: Lake, run_id: str, moment: datetime, sealed: list[StoreDay]) -> None:
    for day in sorted(known_days(lake) - {*seals.sealed_days(lake)}):
        if moment < expiry.seals_at(day):
            continue
        if seals.seal(lake, day, list(CONTRACTS.values()), run_id=run_id, now=moment):
            sealed.append(day)


def _expired(
    lake: Lake, places: tuple[FilePlace, ...], seen: FirstSeen, now: datetime
) -> dict[Place, tuple[Content, datetime, RetentionClass]]:
    found: dict[Place, tuple[Content, datetime, RetentionClass]] = {}
    for table in SWEPT_TABLES:
        for cell, content in expired_hours(lake, table, now).items():
            found[cell] = content, expiry.limit_at(table, cell.capture_hour), table.retention
    for place in places:
        for cell, files in expired_files(place, seen, now).items():
            content = Content(0, len(files), sum(file.size for file in files))
            found[cell] = content, limit_at(place, cell.capture_hour), place.retention
    return found


def _see(lake: Lake, places: tuple[FilePlace, ...], now: datetime) -> dict[str, datetime]:
    raw = json.loads(lake.objects.read_bytes(_FIRST_SEEN) or b"{}")
    seen = look_at_undated(places, {name: datetime.fromisoformat(at) for name, at in raw.items()}, now)
    if seen or raw:
        record = {name: at.isoformat() for name, at in sorted(seen.items())}
        lake.objects.put_bytes(json.dumps(record).encode(), _FIRST_SEEN)
    return seen


def _note(lake: Lake, places: tuple[FilePlace, ...], seen: FirstSeen, now: datetime) -> list[_Due]:
    """Everything that is due, what an unfinished sweep noted before included, written down."""
    noted = {entry.place: entry for entry in _read_journal(lake)}
    for place, (content, expires_at, retention) in _expired(lake, places, seen, now).items():
        noted.setdefault(place, _Due(place, content, now, expires_at, retention))
    due = [noted[place] for place in sorted(noted)]
    if due:
        _write_journal(lake, due)
    return due


def _write_journal(lake: Lake, due: Iterable[_Due]) -> None:
    records = [
        asdict(entry.place)
        | asdict(entry.content)
        | {
            "noted_at": entry.noted_at.isoformat(),
            "expires_at": entry.expires_at.isoformat(),
            "retention": entry.retention,
        }
        for entry in due
    ]
    lake.objects.put_bytes(json.dumps(records).encode(), _JOURNAL)


def _read_journal(lake: Lake) -> list[_Due]:
    raw = lake.objects.read_bytes(_JOURNAL)
    return [
        _Due(
            Place(record["sink"], record["name"], record["store_id"], record["capture_hour"]),
            Content(record["rows"], record["files"], record["size"]),
            datetime.fromisoformat(record["noted_at"]),
            datetime.fromisoformat(record["expires_at"]),
            RetentionClass(record["retention"]),
        )
        for record in json.loads(raw or b"[]")
    ]


def _sweep_id(due: _Due) -> str:
    place = due.place
    parts = (place.sink, place.name, place.store_id, place.capture_hour, due.noted_at.isoformat())
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]


def _ledger_row(due: _Due) -> dict[str, object]:
    place = due.place
    return {
        "sweep_id": _sweep_id(due),
        "swept_at": due.noted_at,
        "sink": place.sink,
        "place": place.name,
        "store_id": place.store_id,
        "capture_hour": place.capture_hour,
        "retention": str(due.retention),
        "expires_at": due.expires_at,
        "rows_removed": due.content.rows,
        "files_removed": due.content.files,
        "bytes_removed": due.content.size,
        "rows_left": 0,
        "files_left": 0,
    }
