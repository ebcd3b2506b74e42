"""One version of a table, seen as cells (combinations of partition values) and their files."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

import polars as pl
from deltalake import DeltaTable
from deltalake.exceptions import DeltaError

from lakehouse.contract import TableContract
from lakehouse.errors import ContractVersionMismatch, LakehouseError, TableDamaged, concealed
from lakehouse.lake import Lake
from lakehouse.tables.admission import Cell
from lakehouse.tables.commit_notes import CommitNote, digest_of, read_note
from lakehouse.tables.properties import VERSION_PROPERTY

_OWN_NAME = re.compile(r"([0-9a-f]{32})-[^/]*\.parquet")
_SECOND_LOOK_S = 0.05
"""A log that is being cut can fail to open once, though nothing is wrong with it."""


@dataclass(frozen=True)
class DataFile:
    """One live Parquet file. `path` is relative to the table, `size` in bytes. `is_counted`: whether the log says how
    many rows it has; `rows` is 0 if it does not."""

    path: str
    size: int
    rows: int
    is_counted: bool = True


@dataclass(frozen=True)
class Snapshot:
    """A table at a version; -1 and no cells while it does not exist.

    `note`: what the engine noted of it. `damage`: in which way the table is not that; empty if it is sound.
    """

    contract: TableContract
    table: DeltaTable | None
    uri: str
    storage_options: dict[str, str]
    version: int
    cells: dict[Cell, tuple[DataFile, ...]]
    note: CommitNote | None = None
    damage: str = ""

    @property
    def paths(self) -> set[str]:
        """The paths of all live files."""
        return {file.path for files in self.cells.values() for file in files}

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

    def check_files(self, lake: Lake) -> None:
        """Reads every live file. Raises TableDamaged if one is gone, or is not what its name or the log says.

        For when reading the rows has failed: it costs as much as reading all of them.
        """
        bad = [file.path for files in self.cells.values() for file in files if not self._is_sound(lake, file)]
        if bad:
            folder = bad[0].rpartition("/")[0]
            where = f", the first in {folder}" if folder else ""
            raise TableDamaged(self.contract.path, f"data files are gone or damaged: {len(bad)}{where}")

    def _is_sound(self, lake: Lake, file: DataFile) -> bool:
        data = lake.objects.read_bytes(f"{self.contract.path}/{file.path}")
        if data is None or len(data) != file.size:
            return False
        own = _OWN_NAME.fullmatch(file.path.rpartition("/")[2])
        return own is None or own[1] == content_digest(data)


def content_digest(data: bytes) -> str:
    """What a data file's name begins with: the hash of its bytes."""
    return hashlib.sha256(data).hexdigest()[:32]


def take_snapshot(lake: Lake, contract: TableContract, *, any_version: bool = False) -> Snapshot:
    """The latest version. Raises TableDamaged if the engine committed something else, and
    ContractVersionMismatch if the table is of another version of the contract.

    `any_version`: raises neither, for deletion waits for no migration and no repair. Of a damaged table it
    shows what the log still says; nothing, if the log cannot be read.
    """
    # The note first: read after the log, it could be of a commit that came between.
    note = read_note(lake, contract)
    table, cells, damage = _look(lake, contract)
    damage = damage or _contradiction(lake, contract, note, table, cells)
    if damage and not any_version:
        raise TableDamaged(contract.path, damage)
    if table is not None and not any_version and (found := table_contract_version(table)) != contract.version:
        raise ContractVersionMismatch(
            contract.path,
            f"table has contract version {found}, the code has {contract.version}: run its migration "
            "(python -m orchestration migrate)",
        )
    version = -1 if table is None else table.version()
    return Snapshot(contract, table, lake.uri(contract), lake.options, version, cells, note, damage)


def _look(lake: Lake, contract: TableContract) -> tuple[DeltaTable | None, dict[Cell, tuple[DataFile, ...]], str]:
    """The table, its cells, and what is wrong with its log."""
    for pause_s in (_SECOND_LOOK_S, 0.0):
        try:
            table = lake.open(contract)
            return table, {} if table is None else _cells(contract, table), ""
        except DeltaError:
            time.sleep(pause_s)
    return None, {}, "its log cannot be read"


def _cells(contract: TableContract, table: DeltaTable) -> dict[Cell, tuple[DataFile, ...]]:
    cells: dict[Cell, list[DataFile]] = {}
    for action in pl.DataFrame(table.get_add_actions(flatten=True)).iter_rows(named=True):
        cell = tuple(action[f"partition.{name}"] for name in contract.partition_by)
        rows = action["num_records"]
        cells.setdefault(cell, []).append(
            DataFile(unquote(action["path"]), action["size_bytes"], rows or 0, is_counted=rows is not None)
        )
    return {cell: tuple(sorted(files, key=lambda file: file.path)) for cell, files in sorted(cells.items())}


def _contradiction(
    lake: Lake,
    contract: TableContract,
    note: CommitNote | None,
    table: DeltaTable | None,
    cells: dict[Cell, tuple[DataFile, ...]],
) -> str:
    """How the table contradicts what the engine committed; empty if it does not."""
    if table is None:
        if note is not None:
            return f"its log is gone, though version {note.version} was committed"
        has_files = any(item.key.endswith(".parquet") for item in lake.objects.list(contract.path))
        return "data files lie there without a log" if has_files else ""
    if note is None or table.version() > note.version:
        return ""
    if table.version() < note.version:
        return f"its log ends at version {table.version()}, though version {note.version} was committed"
    is_noted = note.files == digest_of(file.path for files in cells.values() for file in files)
    return "" if is_noted else f"version {note.version} in its log is not what was committed"


def unusable(lake: Lake, contracts: Iterable[TableContract]) -> dict[str, str]:
    """By table, why it cannot be read as its contract has it: it is damaged, or waits for its migration."""
    found = {}
    for contract in contracts:
        try:
            concealed(contract.path, "reading", lambda c=contract: take_snapshot(lake, c))  # type: ignore[misc]
        except LakehouseError as error:
            found[contract.path] = str(error)
    return found


def table_contract_version(table: DeltaTable) -> int:
    """The contract version that a table was last written under; 0 if it says none."""
    return int(table.metadata().configuration.get(VERSION_PROPERTY, "0"))
