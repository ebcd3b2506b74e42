"""What lies in tables and folders, hour by hour, and what of it has to go at a given moment. Tables are counted from
their logs and listings, folders from their listings: no row is read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from assets.privacy.places import FilePlace
from lakehouse.contract import RetentionClass, TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.retention import DROP_MARGIN
from lakehouse.files.objects import StoredObject
from lakehouse.lake import Lake
from lakehouse.life import expiry
from lakehouse.life.seals import is_sealable
from lakehouse.store_day import StoreDay, capture_hour, hour_start
from lakehouse.tables.admission import Cell
from lakehouse.upkeep.hour_contents import HourContents, TableHours, read_hours
from resources.landing.folder import is_store_id
from resources.landing.footage import MOST_SIDECAR_BYTES, SIDECAR_SUFFIX, declared_skew

SWEPT_TABLES: tuple[TableContract, ...] = tuple(
    table for table in CONTRACTS.values() if expiry.limit_of(table) is not None
)
"""Every table with a limited life; a new one is swept from its first row on."""

CLOCK_TOLERANCE = timedelta(hours=1)
"""A capture time further ahead than this is a wrong clock: it must not prolong anything's life."""

# Of this century, as landing takes them: a far date would outrun the calendar when its limit is added.
_HOUR = re.compile(r"20\d{2}-\d{2}-\d{2}T\d{2}Z")
_STAMP = re.compile(r"(20\d{6}T\d{6})\.\d{3}Z")


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


@dataclass(frozen=True)
class Seen:
    """A table or a folder as one look found it. `limit`: longest life, from capture. `contents` None: it could not be
    looked at, which is not the same as empty. `trouble`: what was odd about it, for people."""

    name: str
    retention: RetentionClass
    limit: timedelta
    contents: Mapping[Place, Content] | None
    trouble: tuple[str, ...] = ()

    def owns(self, place: Place) -> bool:
        """Whether the place is one of this table or folder."""
        return place.name == self.name or place.name.startswith(f"{self.name}/")

    def limit_at(self, place: Place) -> datetime:
        """Moment at which the oldest possible value of the place reaches its limit."""
        return hour_start(place.capture_hour) + self.limit

    def past(self, now: datetime, margin: timedelta = timedelta()) -> dict[Place, Content]:
        """The places whose limit is less than `margin` away, or behind."""
        held = self.contents or {}
        return {place: content for place, content in held.items() if now >= self.limit_at(place) - margin}


FirstSeen = Mapping[str, datetime]
"""When a file that cannot be judged by its path was first seen, by its identity."""


@dataclass(frozen=True)
class Listing:
    """What lies in a folder. `trouble`: the kind of error if part of it could not be listed. `skews`: by path without
    suffix, how far a recorder's clock is ahead of the store's, as the sidecar there declares it."""

    files: tuple[StoredObject, ...]
    trouble: tuple[str, ...] = ()
    skews: Mapping[str, timedelta] = field(default_factory=dict)


@dataclass(frozen=True)
class FolderFiles:
    """The files of a folder by place. `trouble`: kinds of errors met while listing; what could not be listed is in
    neither."""

    files: Mapping[Place, tuple[StoredObject, ...]]
    trouble: tuple[str, ...] = field(default=())


def see_table(table: TableContract, found: TableHours) -> Seen:
    """A table by one reading of its log and its folder."""
    # Part of the folder is unknown, so all of it is: what was there may be there still.
    contents = None if found.unlisted else contents_of(table, found.hours)
    trouble = [found.damage] if found.damage else []
    if found.unlisted:
        trouble.append(f"could not be listed as a whole: {found.unlisted}")
    if found.strange:
        trouble.append(f"{found.strange} folders whose capture hour is none")
    return Seen(table.path, table.retention, expiry.limit_of(table) or timedelta(), contents, tuple(trouble))


def contents_of(table: TableContract, hours: Mapping[Cell, HourContents]) -> dict[Place, Content]:
    """Hours of a table as places. A folder may have any name, in any bytes: one that is no store's is not repeated."""
    store, hour = table.partition_by.index("store_id"), table.partition_by.index(expiry.HOUR_COLUMN)
    found: dict[Place, Content] = {}
    for cell, held in hours.items():
        store_id = cell[store] if is_store_id(cell[store]) else "unknown"
        place = Place("table", table.path, store_id, cell[hour])
        before = found.get(place, Content(0, 0, 0))
        found[place] = Content(before.rows + held.rows, before.files + len(held.files), before.size + held.size)
    return found


def see_folder(place: FilePlace, found: FolderFiles) -> Seen:
    """A folder by one listing."""
    contents = {where: count_files(files) for where, files in found.files.items()}
    # Part of it is unknown, so all of it is: what was there may be there still.
    return Seen(place.name, place.retention, place.limit, None if found.trouble else contents, found.trouble)


def count_files(files: Collection[StoredObject]) -> Content:
    """Files as content. What has another name elsewhere keeps its bytes, so they are not counted."""
    return Content(0, len(files), sum(file.size for file in files if not file.other_names))


def see_everything(lake: Lake, places: Iterable[FilePlace], seen: FirstSeen) -> tuple[Seen, ...]:
    """Every swept table and folder, each looked at by itself."""
    found = []
    for table in SWEPT_TABLES:
        try:
            found.append(see_table(table, read_hours(lake, table)))
        except Exception as error:  # noqa: BLE001 - of whatever kind: its text could quote a path
            found.append(unseen(table, type(error).__name__))
    return (*found, *(see_folder(place, sort_files(place, list_folder(place), seen)) for place in places))


def unseen(table: TableContract, kind: str) -> Seen:
    """A table that could not be looked at, for the kind of error."""
    return Seen(table.path, table.retention, expiry.limit_of(table) or timedelta(), None, (kind,))


def list_folder(place: FilePlace) -> Listing:
    """Lists a folder once, as far as it can be listed."""
    files: list[StoredObject] = []
    trouble = []
    try:
        files.extend(place.files())
    except Exception as error:  # noqa: BLE001 - a folder in it that may not be listed
        trouble.append(f"could not be listed as a whole: {type(error).__name__}")
    skews = {}
    if place.is_named_by_recorder:
        for file in files:
            if file.key.endswith(SIDECAR_SUFFIX) and not file.is_link and 0 < file.size <= MOST_SIDECAR_BYTES:
                with suppress(OSError):
                    skews[_stem(file.key)] = declared_skew(place.objects.read_bytes(file.key) or b"")
    return Listing(tuple(files), tuple(trouble), skews)


def sort_files(place: FilePlace, found: Listing, seen: FirstSeen) -> FolderFiles:
    """Every listed file with an age, by the place that it dies with.

    A file is as old as its path says, so that a clip that no catalogue knows dies with its hour too; older, if its
    sidecar says that the recorder's clock was ahead.
    """
    files: dict[Place, list[StoredObject]] = {}
    for file in found.files:
        hour = effective_hour(file, seen, found.skews.get(_stem(file.key), timedelta()))
        if hour is not None:
            store_id, folder = _owner(place, file.key)
            files.setdefault(Place("footage", folder, store_id, hour), []).append(file)
    return FolderFiles({where: tuple(held) for where, held in files.items()}, found.trouble)


def _stem(key: str) -> str:
    return key.rpartition(".")[0]


def expired_files(place: FilePlace, found: FolderFiles, now: datetime) -> dict[Place, tuple[StoredObject, ...]]:
    """Those of a folder's files whose time is up."""
    return {
        where: files
        for where, files in found.files.items()
        if now >= hour_start(where.capture_hour) + place.limit - DROP_MARGIN
    }


def effective_hour(file: StoredObject, seen: FirstSeen, skew: timedelta = timedelta()) -> str | None:
    """Capture hour that a file's life counts from: the hour of the first sight where its path is no help.
    None if its path is no help and nobody has seen it before. `skew`: how far the clock that named it was ahead; one
    that was behind prolongs nothing."""
    first_seen, stamp = seen.get(identity(file)), _stamp_of(file.key)
    hour = hour_of(file.key) if first_seen is None else capture_hour(first_seen)
    if hour is None or stamp is None or skew <= timedelta():
        return hour
    return min(hour, capture_hour(stamp - skew))


def identity(file: StoredObject) -> str:
    """What a file is known by: its name and size, so that moving it (to the rejected files, say) starts no
    new life. Hashed: a name may say anything, and may be no text at all."""
    name = file.key.rsplit("/", 1)[-1]
    return hashlib.sha256(f"{name}\x1f{file.size}".encode("utf-8", "surrogateescape")).hexdigest()[:24]


def look_at_undated(
    listings: Iterable[Listing], known: FirstSeen, now: datetime, *, is_forgetful: bool = False
) -> dict[str, datetime]:
    """First sight of every file that is there and cannot be judged by its path: it names no capture time,
    or one that is still to come. What is gone is forgotten, unless part of a folder could not be listed.

    `is_forgetful`: earlier sights are lost or cannot be kept. Then a file is as old as the disk says: to see everything
    for the first time would give it a second life.
    """
    seen: dict[str, datetime] = {}
    for found in listings:
        for file in found.files:
            name, hour = identity(file), hour_of(file.key)
            if name in known or hour is None or hour_start(hour) > now + CLOCK_TOLERANCE:
                written_at = file.modified_at if is_forgetful and file.modified_at else now
                seen[name] = min(known.get(name, written_at), seen.get(name, now), now)
        if found.trouble:
            seen = {**known, **seen}
    return seen


def hour_of(key: str) -> str | None:
    """Capture hour that a path names: a folder such as 2026-11-22T15Z, or the capture time in the file's
    name."""
    folders = key.split("/")[:-1]
    try:
        if hours := [part for part in folders if _HOUR.fullmatch(part)]:
            hour_start(hours[-1])
            return hours[-1]
    except ValueError:
        return None
    stamp = _stamp_of(key)
    return None if stamp is None else capture_hour(stamp)


def _stamp_of(key: str) -> datetime | None:
    """The instant that a file's name tells."""
    match = _STAMP.search(key.rsplit("/", 1)[-1])
    try:
        return datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def known_days(table: TableContract, cells: Iterable[Cell]) -> set[StoreDay]:
    """Store-days that some cells of a table are of; none for a table that belongs to no store-day. What names no day is
    passed over."""
    days: set[StoreDay] = set()
    if not is_sealable(table):
        return days
    for cell in cells:
        values = dict(zip(table.partition_by, cell, strict=True))
        if not is_store_id(values["store_id"]):
            continue
        try:
            if expiry.HOUR_COLUMN in values:
                days.add(StoreDay.of_hour(values["store_id"], values[expiry.HOUR_COLUMN]))
            else:
                day = datetime.strptime(values["business_date"], "%Y-%m-%d").replace(tzinfo=UTC).date()
                days.add(StoreDay(values["store_id"], day))
        except (ValueError, OverflowError):
            continue
    return days


def _owner(place: FilePlace, key: str) -> tuple[str, str]:
    """Store, and the folder for the ledger: place, store and camera, the two folders before the hour or
    the file. What lies elsewhere may have any name, so none of it is repeated."""
    inside = key.removeprefix(place.prefix).strip("/").split("/")[:-1]
    folders = [part for part in inside if not _HOUR.fullmatch(part)]
    if place.only_unfinished or len(folders) != 2 or not all(is_store_id(folder) for folder in folders):
        return "unknown", place.name
    return folders[0], f"{place.name}/{folders[0]}/{folders[1]}"
