"""What one sweep leaves for the next: what it was about to remove, so that a sweep that was killed is finished with the
same ledger, and since when files that hide their age have been there.

A note that cannot be read is set aside, beside itself and named, and is never in the way: deletion waits for no note.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TypeVar

import polars as pl

from assets.privacy.retention.due import Content, FirstSeen, Place
from lakehouse.contract import RetentionClass
from lakehouse.lake import ENGINE_FOLDER, Lake

T = TypeVar("T")

FIRST_SEEN = f"{ENGINE_FOLDER}/sweep_first_seen.json"
JOURNAL = f"{ENGINE_FOLDER}/sweep_journal.json"
SET_ASIDE = ".damaged"


@dataclass(frozen=True)
class Due:
    """A place that is about to go, as it was when that was noted."""

    place: Place
    content: Content
    noted_at: datetime
    expires_at: datetime
    retention: RetentionClass

    @property
    def sweep_id(self) -> str:
        """What the ledger knows it by: the same for whichever sweep ends it."""
        place = self.place
        parts = (place.sink, place.name, place.store_id, place.capture_hour, self.noted_at.isoformat())
        return hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:24]


class Failures:
    """What went wrong in a sweep, and where: names of tables and folders, kinds of errors, never their texts."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, where: str, what: str) -> None:
        """One more."""
        self.found.append(f"{where}: {what}")

    def attempt(self, where: str, work: Callable[[], T], otherwise: T) -> T:
        """The result of the work, or `otherwise` if it raised; the next thing is done all the same."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - of whatever kind: its text could quote a path
            self.add(where, type(error).__name__)
            return otherwise


def read_first_seen(lake: Lake, failures: Failures) -> FirstSeen:
    """First sights by identity."""

    def parse(raw: bytes) -> FirstSeen:
        return {str(name): _instant(at) for name, at in json.loads(raw).items()}

    return _read(lake, FIRST_SEEN, parse, {}, failures)


def write_first_seen(lake: Lake, seen: FirstSeen, known: FirstSeen, failures: Failures) -> None:
    """Keeps the first sights, if there is anything to keep or to forget."""
    if seen == known:
        return
    record = {name: at.isoformat() for name, at in sorted(seen.items())}
    failures.attempt("notes", lambda: lake.objects.put_bytes(json.dumps(record).encode(), FIRST_SEEN), None)


def read_journal(lake: Lake, failures: Failures) -> dict[Place, Due]:
    """What earlier sweeps noted and did not enter in the ledger."""
    nothing: list[Due] = []
    return {entry.place: entry for entry in _read(lake, JOURNAL, _parse_journal, nothing, failures)}


def write_journal(lake: Lake, due: Iterable[Due]) -> None:
    """Notes what is about to go; nothing, if that is nothing."""
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
    if records:
        lake.objects.put_bytes(json.dumps(records).encode(), JOURNAL)
    else:
        lake.objects.delete(JOURNAL)


def close_journal(lake: Lake, ledger: pl.DataFrame) -> None:
    """Once these rows of `privacy/sweeps` are committed their notes are not needed any more; what is still there stays
    noted."""
    noted, entered = read_journal(lake, Failures()), set(ledger["sweep_id"])
    left = [entry for entry in noted.values() if entry.sweep_id not in entered]
    if len(left) < len(noted):
        write_journal(lake, left)


def ledger_row(due: Due) -> Mapping[str, object]:
    """A row of privacy/sweeps: of a place that a second look found empty."""
    place = due.place
    return {
        "sweep_id": due.sweep_id,
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


def _parse_journal(raw: bytes) -> list[Due]:
    return [
        Due(
            Place(record["sink"], record["name"], record["store_id"], record["capture_hour"]),
            Content(record["rows"], record["files"], record["size"]),
            _instant(record["noted_at"]),
            _instant(record["expires_at"]),
            RetentionClass(record["retention"]),
        )
        for record in json.loads(raw)
    ]


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return found


def _read(lake: Lake, key: str, parse: Callable[[bytes], T], nothing: T, failures: Failures) -> T:
    raw = failures.attempt(key, lambda: lake.objects.read_bytes(key), None)
    if raw is None:
        return nothing
    try:
        return parse(raw)
    except Exception:  # noqa: BLE001 - cut, or anything at all
        failures.add(key, f"could not be read, and lies beside itself as *{SET_ASIDE}")
    failures.attempt(key, lambda: _set_aside(lake, key, raw), None)
    return nothing


def _set_aside(lake: Lake, key: str, raw: bytes) -> None:
    lake.objects.put_bytes(raw, key + SET_ASIDE)
    lake.objects.delete(key)
