"""One sweep: seals the store-days whose evidence begins to go, drops expired hours from tables, unlinks expired
clips, looks again, and writes the ledger."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime

import polars as pl

from assets.privacy.expired import (
    NOTHING,
    SWEPT_TABLES,
    Content,
    FootagePlace,
    Place,
    expired_files,
    expired_hours,
    movement_hours,
)
from lakehouse import expiry, seals
from lakehouse.commit import CommitInfo
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.privacy import SWEEPS
from lakehouse.contracts.vision import FOOTAGE_SEGMENTS
from lakehouse.lake import ENGINE_FOLDER, Lake
from lakehouse.maintenance import drop_expired
from lakehouse.store_day import StoreDay

_HIGH_WATER = f"{ENGINE_FOLDER}/sweep_high_water"
_JOURNAL = f"{ENGINE_FOLDER}/sweep_journal.json"


@dataclass(frozen=True)
class Swept:
    """What a sweep did: rows of `privacy/sweeps`, and the store-days it sealed."""

    ledger: pl.DataFrame
    sealed: tuple[StoreDay, ...]


@dataclass(frozen=True)
class _Due:
    place: Place
    content: Content
    noted_at: datetime


def sweep(lake: Lake, footage: tuple[FootagePlace, ...], *, commit: CommitInfo, now: datetime) -> Swept:
    """Removes everything whose time is up at `now`, or at the latest moment any sweep has seen: a clock that went
    backwards must not bring the dead back within their limit.

    What is about to go is noted first, and the note stays until `close_journal`: a sweep that was killed anywhere is
    finished by the next one, with the same rows in the ledger. A day is sealed before the first of its hours goes.
    """
    moment = _advance(lake, now)
    due = _note(lake, footage, moment)
    sealed = tuple(
        day
        for day in _due_for_sealing(lake, moment)
        if seals.seal(lake, day, list(CONTRACTS.values()), run_id=commit.run_id, now=moment)
    )
    for table in SWEPT_TABLES:
        drop_expired(lake, table, commit=commit, now=moment)
    for folder in footage:
        for files in expired_files(folder, moment).values():
            for file in files:
                folder.objects.delete(file.key)
    left = _expired(lake, footage, moment)
    rows = [_ledger_row(entry, left.get(entry.place, NOTHING)) for entry in due]
    return Swept(pl.DataFrame(rows, SWEEPS.schema), sealed)


def close_journal(lake: Lake) -> None:
    """Once the ledger is committed the note of what was to go is not needed any more."""
    lake.objects.delete(_JOURNAL)


def _expired(lake: Lake, footage: tuple[FootagePlace, ...], now: datetime) -> dict[Place, Content]:
    found: dict[Place, Content] = {}
    for table in SWEPT_TABLES:
        found |= expired_hours(lake, table, now)
    for folder in footage:
        for place, files in expired_files(folder, now).items():
            found[place] = Content(0, len(files), sum(file.size for file in files))
    return found


def _note(lake: Lake, footage: tuple[FootagePlace, ...], now: datetime) -> list[_Due]:
    """Everything that is due, what an unfinished sweep noted before included, written down."""
    noted = {entry.place: entry for entry in _read_journal(lake)}
    for place, content in _expired(lake, footage, now).items():
        noted.setdefault(place, _Due(place, content, now))
    due = [noted[place] for place in sorted(noted)]
    if due:
        records = [asdict(e.place) | asdict(e.content) | {"noted_at": e.noted_at.isoformat()} for e in due]
        lake.objects.put_bytes(json.dumps(records).encode(), _JOURNAL)
    return due


def _read_journal(lake: Lake) -> list[_Due]:
    raw = lake.objects.read_bytes(_JOURNAL)
    return [
        _Due(
            Place(record["sink"], record["name"], record["store_id"], record["capture_hour"]),
            Content(record["rows"], record["files"], record["size"]),
            datetime.fromisoformat(record["noted_at"]),
        )
        for record in json.loads(raw or b"[]")
    ]


def _advance(lake: Lake, now: datetime) -> datetime:
    raw = lake.objects.read_bytes(_HIGH_WATER)
    moment = max(now, datetime.fromisoformat(raw.decode())) if raw else now
    lake.objects.put_bytes(moment.isoformat().encode(), _HIGH_WATER)
    return moment


def _due_for_sealing(lake: Lake, now: datetime) -> list[StoreDay]:
    days = {StoreDay.of_hour(store_id, hour) for store_id, hour in movement_hours(lake)}
    return sorted(day for day in days if now >= expiry.seals_at(day) and not seals.is_sealed(lake, day))


def _ledger_row(due: _Due, left: Content) -> dict[str, object]:
    place = due.place
    table = next((t for t in SWEPT_TABLES if t.path == place.name), FOOTAGE_SEGMENTS)
    text = "\x1f".join((place.sink, place.name, place.store_id, place.capture_hour, due.noted_at.isoformat()))
    return {
        "sweep_id": hashlib.sha256(text.encode()).hexdigest()[:24],
        "swept_at": due.noted_at,
        "sink": place.sink,
        "place": place.name,
        "store_id": place.store_id,
        "capture_hour": place.capture_hour,
        "retention": str(table.retention),
        "expires_at": expiry.limit_at(table, place.capture_hour),
        "rows_removed": due.content.rows - left.rows,
        "files_removed": due.content.files - left.files,
        "bytes_removed": due.content.size - left.size,
        "rows_left": left.rows,
        "files_left": left.files,
    }
