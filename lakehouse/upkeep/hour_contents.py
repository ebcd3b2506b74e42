"""What lies in a table's partition folders, hour by hour."""

from __future__ import annotations

from lakehouse.contract import TableContract
from lakehouse.files.objects import StoredObject
from lakehouse.lake import Lake
from lakehouse.life.expiry import HOUR_COLUMN
from lakehouse.tables.admission import Cell


def hour_of_cell(contract: TableContract, cell: Cell) -> str:
    """The capture hour among a cell's values."""
    return cell[contract.partition_by.index(HOUR_COLUMN)]


def stored_files(lake: Lake, contract: TableContract) -> dict[Cell, list[StoredObject]]:
    """What lies in the table's partition folders, whether the log knows it or not."""
    found: dict[Cell, list[StoredObject]] = {}
    for item in lake.objects.list(contract.path):
        folders = item.key.removeprefix(f"{contract.path}/").split("/")[:-1]
        names = [folder.partition("=") for folder in folders]
        if tuple(name for name, _, _ in names) == contract.partition_by:
            found.setdefault(tuple(value for _, _, value in names), []).append(item)
    return found
