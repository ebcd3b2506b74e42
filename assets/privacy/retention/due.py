"""What has to go at a given moment: capture hours of tables, and files of folders that may hold footage,
each with its size. Tables are counted from their logs and folders from their listings: no row is read."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from assets.privacy.places import FilePlace
from lakehouse.contract import TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.retention import DROP_MARGIN
from lakehouse.files.objects import StoredObject
from lakehouse.lake import Lake
from lakehouse.life import expiry
from lakehouse.life.seals import is_sealable
from lakehouse.store_day import StoreDay, capture_hour, hour_start
from lakehouse.tables.snapshot import take_snapshot

SWEPT_TABLES: tuple[TableContract, ...] = tuple(
    table for table in CONTRACTS.values() if expiry.limit_of(table) is not None
)
"""Every table with a limited life; a new one is swept from its first row on."""

CLOCK_TOLERANCE = timedelta(hours=1)
"""A capture time further ahead than this is a wrong clock: it must not prolong anything's life."""

# Of this century, as landing takes them: a far date would outrun the calendar when its limit is added.
_HOUR = re.compile(r"20\d{2}-\d{2}-\d{2}T\d{2}Z")
_STAMP = re.compile(r"(20\d{6}T\d{6})\.\d{3}Z")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_CELL = re.compile(r"store_id=([^/]+)/capture_hour=([^/]+)/")

Cell = tuple[str, str]
"""Store and capture hour."""


@dataclass(frozen=True, order=True)
class Place:
    """One thing that dies at once: a table's or a folder's capture hour of a store."""

    sink: str
    name: str
    store_id: str
    capture_hour: str


@dataclass(frozen=True)
class Content:
    """What lies in a place. `size` in bytes."""

    rows: int
    files: int
    size: int


FirstSeen = Mapping[str, datetime]
"""When a file that cannot be judged by its path was first seen, by its identity."""


def table_cells(lake: Lake, table: TableContract) -> dict[Cell, Content]:
    """What a table holds per store and capture hour, files that no version of it knows included. Works on
    a table that waits for its migration: deletion does not wait."""
    snapshot = take_snapshot(lake, table, any_version=True)
    names = table.partition_by
    rows: Counter[Cell] = Counter()
    for cell, files in snapshot.cells.items():
        key = cell[names.index("store_id")], cell[names.index(expiry.HOUR_COLUMN)]
        rows[key] += sum(file.rows for file in files)
    files_on_disk: Counter[Cell] = Counter()
    sizes: Counter[Cell] = Counter()
    for stored in lake.objects.list(table.path):
        if match := _CELL.search(stored.key):
            files_on_disk[match[1], match[2]] += 1
            sizes[match[1], match[2]] += stored.size
    return {key: Content(rows[key], files_on_disk[key], sizes[key]) for key in sorted({*rows, *files_on_disk})}


def expired_hours(lake: Lake, table: TableContract, now: datetime) -> dict[Place, Content]:
    """Hours of a table whose time is up, with what is in them."""
    return {
        Place("table", table.path, *cell): content
        for cell, content in table_cells(lake, table).items()
        if expiry.is_expired(table, cell[1], now)
    }


def expired_files(place: FilePlace, seen: FirstSeen, now: datetime) -> dict[Place, list[StoredObject]]:
    """Files of a folder whose time is up.

    A file is as old as its path says, so that a clip that no catalogue knows dies with its hour too.
    """
    found: dict[Place, list[StoredObject]] = {}
    for file in place.files():
        hour = effective_hour(file, seen)
        if hour is not None and now >= limit_at(place, hour) - DROP_MARGIN:
            store_id, folder = _owner(place, file.key)
            found.setdefault(Place("footage", folder, store_id, hour), []).append(file)
    return found


def limit_at(place: FilePlace, hour: str) -> datetime:
    """Moment at which the oldest possible picture of that hour reaches its limit."""
    return hour_start(hour) + place.limit


def effective_hour(file: StoredObject, seen: FirstSeen) -> str | None:
    """Capture hour that a file's life counts from: the hour of the first sight where its path is no help.
    None if its path is no help and nobody has seen it before."""
    first_seen = seen.get(identity(file))
    return hour_of(file.key) if first_seen is None else capture_hour(first_seen)


def identity(file: StoredObject) -> str:
    """What a file is known by: its name and size, so that moving it (to the rejected files, say) starts no
    new life. Hashed: a name may say anything."""
    name = file.key.rsplit("/", 1)[-1]
    return hashlib.sha256(f"{name}\x1f{file.size}".encode()).hexdigest()[:24]


def look_at_undated(places: tuple[FilePlace, ...], known: FirstSeen, now: datetime) -> dict[str, datetime]:
    """First sight of every file that is there and cannot be judged by its path: it names no capture time,
    or one that is still to come. What is gone is forgotten."""
    seen: dict[str, datetime] = {}
    for place in places:
        for file in place.files():
            name, hour = identity(file), hour_of(file.key)
            if name in known or hour is None or hour_start(hour) > now + CLOCK_TOLERANCE:
                seen[name] = min(known.get(name, now), now)
    return seen


def hour_of(key: str) -> str | None:
    """Capture hour that a path names: a folder such as 2026-11-22T15Z, or the capture time in the file's
    name."""
    folders, name = key.split("/")[:-1], key.rsplit("/", 1)[-1]
    try:
        if hours := [part for part in folders if _HOUR.fullmatch(part)]:
            hour_start(hours[-1])
            return hours[-1]
        if match := _STAMP.search(name):
            return capture_hour(datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC))
    except ValueError:
        return None
    return None


def past_limit(lake: Lake, places: tuple[FilePlace, ...], seen: FirstSeen, now: datetime) -> Iterator[tuple[str, int]]:
    """Per swept table and folder, the rows or files that are past their limit and still there.

    A place that cannot be looked at raises: unknown is not zero.
    """
    for table in SWEPT_TABLES:
        cells = table_cells(lake, table).items()
        late = [content for (_, hour), content in cells if now >= expiry.limit_at(table, hour)]
        yield table.path, sum(max(content.rows, content.files) for content in late)
    for place in places:
        hours = (effective_hour(file, seen) for file in place.files())
        yield place.name, sum(1 for hour in hours if hour is not None and now >= limit_at(place, hour))


def ahead_of_time(lake: Lake, now: datetime) -> int:
    """Rows of swept tables that claim to be captured in the future: they would outlive their limit."""
    return sum(
        content.rows
        for table in SWEPT_TABLES
        for (_, hour), content in table_cells(lake, table).items()
        if hour_start(hour) > now + CLOCK_TOLERANCE
    )


def known_days(lake: Lake) -> set[StoreDay]:
    """Store-days of which any table holds anything."""
    days: set[StoreDay] = set()
    for table in CONTRACTS.values():
        if not is_sealable(table):
            continue
        names = table.partition_by
        for cell in take_snapshot(lake, table, any_version=True).cells:
            values = dict(zip(names, cell, strict=True))
            if expiry.HOUR_COLUMN in values:
                days.add(StoreDay.of_hour(values["store_id"], values[expiry.HOUR_COLUMN]))
            else:
                day = datetime.strptime(values["business_date"], "%Y-%m-%d").replace(tzinfo=UTC).date()
                days.add(StoreDay(values["store_id"], day))
    return days


def _owner(place: FilePlace, key: str) -> Cell:
    """Store, and the folder for the ledger: place, store and camera, the two folders before the hour or
    the file. What lies elsewhere may have any name, so none of it is repeated."""
    inside = key.removeprefix(place.prefix).strip("/").split("/")[:-1]
    folders = [part for part in inside if not _HOUR.fullmatch(part)]
    if place.only_unfinished or len(folders) != 2 or not all(_ID.fullmatch(folder) for folder in folders):
        return "unknown", place.name
    return folders[0], f"{place.name}/{folders[0]}/{folders[1]}"
