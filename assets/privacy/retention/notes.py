"""What one sweep leaves for the next: what it was about to remove, so that a sweep that was killed is finished with the
same ledger, and since when files that hide their age have been there.

A note that cannot be read is set aside, beside itself and named, and is never in the way: deletion waits for no note.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
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


def read_first_seen(lake: Lake, failures: Failures) -> FirstSeen | None:
    """First sights by identity; None if they are lost, which is not the same as none."""

    def parse(raw: bytes) -> FirstSeen:
        return {str(name): _instant(at) for name, at in json.loads(raw).items()}

    nothing: FirstSeen = {}
    found, is_whole = _read(lake, FIRST_SEEN, lambda raw: (parse(raw), True), nothing, failures)
    return found if is_whole else None


def write_first_seen(lake: Lake, seen: FirstSeen, known: FirstSeen, failures: Failures) -> bool:
    """Keeps the first sights, if there is anything to keep or to forget. Returns whether they are kept."""
    if seen == known:
        return True

    def keep() -> bool:
        record = {name: at.isoformat() for name, at in sorted(seen.items())}
        lake.objects.put_bytes(json.dumps(record).encode(), FIRST_SEEN)
        return True

    return failures.attempt("notes", keep, False)


def read_journal(lake: Lake, failures: Failures) -> dict[Place, Due]:
    """What earlier sweeps noted and did not enter in the ledger. One note that cannot be read takes no other along."""
    nothing: list[Due] = []
    found, is_whole = _read(lake, JOURNAL, _parse_journal, nothing, failures)
    if found and not is_whole:
        failures.attempt("notes", lambda: write_journal(lake, found), None)
    return {entry.place: entry for entry in found}


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


def _parse_journal(raw: bytes) -> tuple[list[Due], bool]:
    """The notes that can be read, and whether those are all."""
    records = json.loads(raw)
    if not isinstance(records, list):
        raise TypeError("a journal is a list of notes")
    found = []
    for record in records:
        with suppress(ValueError, TypeError, KeyError, OverflowError):
            found.append(_parse_note(record))
    return found, len(found) == len(records)


def _parse_note(record: Mapping[str, object]) -> Due:
    place = Place(*(_text(record[name]) for name in ("sink", "name", "store_id", "capture_hour")))
    return Due(
        place,
        Content(*(_count(record[name]) for name in ("rows", "files", "size"))),
        _instant(_text(record["noted_at"])),
        _instant(_text(record["expires_at"])),
        RetentionClass(_text(record["retention"])),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a note's words are text")
    value.encode()  # Half a surrogate pair is JSON, and no text that the ledger could hold.
    return value


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError("a note's counts are whole numbers")
    return value


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return found


def _read(
    lake: Lake, key: str, parse: Callable[[bytes], tuple[T, bool]], nothing: T, failures: Failures
) -> tuple[T, bool]:
    """What could be read of a note, and whether that is all of it."""
    try:
        raw = lake.objects.read_bytes(key)
    except Exception as error:  # noqa: BLE001 - of whatever kind: no note is worth a late deletion
        failures.add(key, type(error).__name__)
        return nothing, False
    if raw is None:
        return nothing, True
    try:
        found, is_whole = parse(raw)
    except Exception:  # noqa: BLE001 - cut, or anything at all
        found, is_whole = nothing, False
    if not is_whole:
        failures.add(key, f"could not be read, and lies beside itself as *{SET_ASIDE}")
        failures.attempt(key, lambda: _set_aside(lake, key, raw), None)
    return found, is_whole


def _set_aside(lake: Lake, key: str, raw: bytes) -> None:
    # An earlier one may be the only record of something: it is not written over.
    if not lake.objects.create_bytes(raw, key + SET_ASIDE):
        lake.objects.put_bytes(raw, f"{key}.{hashlib.sha256(raw).hexdigest()[:8]}{SET_ASIDE}")
    lake.objects.delete(key)
