"""What has to go at a given moment: capture hours of tables, and files of footage folders, each with its size."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from lakehouse import expiry
from lakehouse.contract import RetentionClass, TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.vision import FOOTAGE_SEGMENTS
from lakehouse.lake import Lake
from lakehouse.objects import ObjectStore, StoredObject
from lakehouse.reader import scan
from lakehouse.store_day import capture_hour, hour_start

SWEPT_TABLES: tuple[TableContract, ...] = tuple(
    table for table in CONTRACTS.values() if expiry.limit_of(table) is not None
)
"""Every table with a limited life; a new one is swept from its first row on."""

_HOUR = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}Z")
_STAMP = re.compile(r"(\d{8}T\d{6})\.\d{3}Z")
_CELL = re.compile(r"store_id=([^/]+)/capture_hour=([^/]+)/")


@dataclass(frozen=True)
class FootagePlace:
    """A folder that may hold clips: its store, the folder within it, and its name in the ledger."""

    objects: ObjectStore
    prefix: str
    name: str


@dataclass(frozen=True, order=True)
class Place:
    """One thing that dies at once: a table's or a footage folder's capture hour of a store."""

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


NOTHING = Content(0, 0, 0)


def expired_hours(lake: Lake, table: TableContract, now: datetime) -> dict[Place, Content]:
    """Expired hours of a table with what is in them, files that no version of the table knows included."""
    rows = scan(lake, table).group_by("store_id", "capture_hour").agg(pl.len()).collect()
    counts = {(store_id, hour): count for store_id, hour, count in rows.iter_rows()}
    files: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    for stored in lake.objects.list(table.path):
        if match := _CELL.search(stored.key):
            files[match[1], match[2]] += 1
            sizes[match[1], match[2]] += stored.size
    return {
        Place("table", table.path, *cell): Content(counts.get(cell, 0), files[cell], sizes[cell])
        for cell in sorted({*counts, *files})
        if expiry.is_expired(table, cell[1], now)
    }


def expired_files(place: FootagePlace, now: datetime) -> dict[Place, list[StoredObject]]:
    """Files of a footage folder whose capture hour has expired.

    A file is as old as its path says, so that a clip that no catalogue knows dies with its hour too.
    """
    found: dict[Place, list[StoredObject]] = {}
    for file in place.objects.list(place.prefix):
        hour = hour_of(file.key)
        if hour is not None and expiry.is_expired(FOOTAGE_SEGMENTS, hour, now):
            store_id, camera_id = _owner(file.key)
            found.setdefault(Place("footage", f"{place.name}/{store_id}/{camera_id}", store_id, hour), []).append(file)
    return found


def hour_of(key: str) -> str | None:
    """Capture hour that a path names: a folder such as 2026-11-22T15Z, or the capture time in the file's name."""
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


def past_limit(lake: Lake, footage: tuple[FootagePlace, ...], now: datetime) -> Iterator[tuple[str, int]]:
    """Per swept table and footage folder, the rows or files that are past their limit and still there.

    A place that cannot be looked at raises: unknown is not zero.
    """
    for table in SWEPT_TABLES:
        hours = scan(lake, table).group_by("capture_hour").agg(pl.len()).collect()
        yield table.path, sum(n for hour, n in hours.iter_rows() if now >= expiry.limit_at(table, hour))
    for place in footage:
        hours_of_files = (hour_of(file.key) for file in place.objects.list(place.prefix))
        yield (
            place.name,
            sum(1 for hour in hours_of_files if hour and now >= expiry.limit_at(FOOTAGE_SEGMENTS, hour)),
        )


def movement_hours(lake: Lake) -> set[tuple[str, str]]:
    """Store and capture hour of everything in the movement class."""
    return {
        cell
        for table in SWEPT_TABLES
        if table.retention is RetentionClass.MOVEMENT
        for cell in scan(lake, table).select("store_id", "capture_hour").unique().collect().iter_rows()
    }


def _owner(key: str) -> tuple[str, str]:
    """Store and camera: the two folders before the hour or the file."""
    folders = [part for part in key.split("/")[:-1] if not _HOUR.fullmatch(part)]
    return (folders[-2], folders[-1]) if len(folders) >= 2 else ("unknown", "unknown")
