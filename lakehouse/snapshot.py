"""One version of a table, seen as cells (combinations of partition values) and their files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable

from lakehouse.admission import Cell
from lakehouse.contract import TableContract
from lakehouse.errors import ContractVersionMismatch
from lakehouse.lake import Lake
from lakehouse.properties import VERSION_PROPERTY


@dataclass(frozen=True)
class DataFile:
    """One live Parquet file. `path` is relative to the table, `size` in bytes."""

    path: str
    size: int
    rows: int


@dataclass(frozen=True)
class Snapshot:
    """A table at a version; -1 and no cells while it does not exist."""

    contract: TableContract
    table: DeltaTable | None
    uri: str
    storage_options: dict[str, str]
    version: int
    cells: dict[Cell, tuple[DataFile, ...]]

    def files(self, cell: Cell) -> tuple[DataFile, ...]:
        """The files of a cell."""
        return self.cells.get(cell, ())

    def rows(self, cells: Iterable[Cell] | None = None) -> pl.LazyFrame:
        """The rows of the given cells, or all, in the contract's schema."""
        schema = self.contract.schema
        chosen = self.cells if cells is None else [cell for cell in cells if cell in self.cells]
        paths = [f"{self.uri}/{file.path}" for cell in chosen for file in self.cells[cell]]
        if not paths:
            return pl.LazyFrame(schema=schema)
        # Not scan_delta: it cannot open a lake below a folder with a space or a Chinese name. The schema of
        # the folder names is given, or a business date would be read as a date.
        return pl.scan_parquet(
            paths,
            glob=False,
            hive_partitioning=bool(self.contract.partition_by),
            hive_schema={name: schema[name] for name in self.contract.partition_by} or None,
            storage_options=self.storage_options or None,
        ).select(list(schema))


def take_snapshot(lake: Lake, contract: TableContract, *, any_version: bool = False) -> Snapshot:
    """The latest version. Raises ContractVersionMismatch if it is of another version of the contract."""
    table = lake.open(contract)
    if table is None:
        return Snapshot(contract, None, lake.uri(contract), lake.options, -1, {})
    found = table_contract_version(table)
    if found != contract.version and not any_version:
        raise ContractVersionMismatch(
            contract.path,
            f"table has contract version {found}, the code has {contract.version}: run its migration",
        )
    cells: dict[Cell, list[DataFile]] = {}
    for action in pl.DataFrame(table.get_add_actions(flatten=True)).iter_rows(named=True):
        cell = tuple(action[f"partition.{name}"] for name in contract.partition_by)
        cells.setdefault(cell, []).append(
            DataFile(unquote(action["path"]), action["size_bytes"], action["num_records"])
        )
    ordered = {cell: tuple(sorted(files, key=lambda file: file.path)) for cell, files in sorted(cells.items())}
    return Snapshot(contract, table, lake.uri(contract), lake.options, table.version(), ordered)


def table_contract_version(table: DeltaTable) -> int:
    """The contract version that a table was last written under; 0 if it says none."""
    return int(table.metadata().configuration.get(VERSION_PROPERTY, "0"))
