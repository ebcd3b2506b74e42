"""What lies in a table's partition folders, hour by hour: by its log, and on the disk, known to the log or not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lakehouse.contract import TableContract
from lakehouse.files.objects import StoredObject
from lakehouse.lake import Lake
from lakehouse.life.expiry import HOUR_COLUMN
from lakehouse.store_day import hour_start
from lakehouse.tables.admission import Cell
from lakehouse.tables.snapshot import Snapshot, take_snapshot

# Of this century: when a limit is added to a far date, the calendar ends.
_LABEL = re.compile(r"20\d{2}-\d{2}-\d{2}T\d{2}Z")


@dataclass(frozen=True)
class HourContents:
    """One capture hour of one store. `rows` by the log; `files` as they lie there."""

    rows: int = 0
    files: tuple[StoredObject, ...] = ()

    @property
    def size(self) -> int:
        """Bytes that go with the files; what has another name elsewhere stays, and does not count."""
        return sum(item.size for item in self.files if not item.other_names)


@dataclass(frozen=True)
class TableHours:
    """A table at one moment. `strange`: partition folders whose hour is none, so that nothing says when they die.

    `unlisted`: the kind of error met while listing the folder; what could not be listed is not in `hours`.
    """

    snapshot: Snapshot
    hours: Mapping[Cell, HourContents]
    strange: int
    unlisted: str = ""

    @property
    def damage(self) -> str:
        """In which way the log is not what was committed; what it says of rows is not to be relied on then."""
        return self.snapshot.damage


def hour_of_cell(contract: TableContract, cell: Cell) -> str:
    """The capture hour among a cell's values."""
    return cell[contract.partition_by.index(HOUR_COLUMN)]


def read_hours(lake: Lake, contract: TableContract) -> TableHours:
    """Opens the log once and lists the folder once. Works on a table that waits for its migration or its repair, and on
    one whose log cannot be opened for whatever reason: the folders are there all the same."""
    try:
        snapshot = take_snapshot(lake, contract, any_version=True)
    except Exception as error:  # noqa: BLE001 - no permission, a folder as log, nulls for hours: its text could quote a path
        damage = f"its log cannot be read: {type(error).__name__}"
        snapshot = Snapshot(contract, None, lake.uri(contract), lake.options, -1, {}, damage=damage)
    stored, unlisted = _stored_files(lake, contract)
    hours, strange = {}, 0
    for cell in sorted({*snapshot.cells, *stored}):
        if not _is_hour(hour_of_cell(contract, cell)):
            strange += 1
            continue
        rows = sum(file.rows for file in snapshot.files(cell))
        hours[cell] = HourContents(rows, tuple(stored.get(cell, ())))
    return TableHours(snapshot, hours, strange, unlisted)


def _is_hour(label: str) -> bool:
    if not _LABEL.fullmatch(label):
        return False
    try:
        hour_start(label)
    except ValueError:
        return False
    return True


def _stored_files(lake: Lake, contract: TableContract) -> tuple[dict[Cell, list[StoredObject]], str]:
    """The files that could be listed, and the kind of error if some could not."""
    found: dict[Cell, list[StoredObject]] = {}
    try:
        for item in lake.objects.list(contract.path):
            folders = item.key.removeprefix(f"{contract.path}/").split("/")[:-1]
            names = [folder.partition("=") for folder in folders]
            if tuple(name for name, _, _ in names) == contract.partition_by:
                found.setdefault(tuple(value for _, _, value in names), []).append(item)
    except Exception as error:  # noqa: BLE001 - one folder may be closed: what was listed goes all the same
        return found, type(error).__name__
    return found, ""
