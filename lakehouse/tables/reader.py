"""Reading tables: always through the log, so that what was deleted stays deleted."""

from __future__ import annotations

import polars as pl

from lakehouse.contract import TableContract
from lakehouse.errors import OutsidePartition, StorageFailed, concealed
from lakehouse.lake import Lake
from lakehouse.tables.admission import Partition
from lakehouse.tables.snapshot import take_snapshot


def scan(lake: Lake, contract: TableContract, partition: Partition | None = None) -> pl.LazyFrame:
    """The table's rows, or those of a partition (any of its columns with the wanted values), in the
    contract's schema.

    Empty while the table does not exist. Raises TableDamaged, ContractVersionMismatch.
    """
    for column in partition or {}:
        if column not in contract.partition_by:
            raise OutsidePartition(contract.path, "is no partition column", column=column)
    snapshot = concealed(contract.path, "reading", lambda: take_snapshot(lake, contract))
    chosen = dict(partition or {})
    wanted = [(i, set(chosen[name])) for i, name in enumerate(contract.partition_by) if name in chosen]
    return snapshot.rows(cell for cell in snapshot.cells if all(cell[index] in values for index, values in wanted))


def table_version(lake: Lake, contract: TableContract) -> int | None:
    """The table's latest version, None while it does not exist."""
    found = concealed(contract.path, "reading its version", lambda: take_snapshot(lake, contract))
    return None if found.table is None else found.version


def collect(lake: Lake, contract: TableContract, rows: pl.LazyFrame) -> pl.DataFrame:
    """The rows of a scan of that table. Where reading fails, every file is looked at, so that the error says
    what to do. Raises TableDamaged, StorageFailed."""
    try:
        return concealed(contract.path, "reading", rows.collect)
    except StorageFailed:
        concealed(contract.path, "reading", lambda: take_snapshot(lake, contract).check_files(lake))
        raise
