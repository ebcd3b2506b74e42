"""The only way rows get into a table: admitted, counted, sorted, staged as files, committed in one log entry.

All three modes come down to one thing: for every cell (partition) that changes, the new rows become one
Parquet file, and a single commit adds the new files and removes the old. Whatever kills the process, readers
see the old cells or the new ones. Cells whose content stays the same are not touched, and if none changes
nothing is committed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from lakehouse.contract import AppendOnce, ReplacePartition, TableContract, Upsert, WriteMode
from lakehouse.errors import CommitConflict, ContractViolation, EmptyReplacement, LakehouseError, concealed
from lakehouse.lake import Lake
from lakehouse.leases.hold import hold_lease
from lakehouse.life.tombstones import load_tombstones
from lakehouse.tables import admission
from lakehouse.tables.admission import Cell, Partition
from lakehouse.tables.commit import CommitInfo, Steps, commit_cells, no_steps
from lakehouse.tables.snapshot import Snapshot, take_snapshot

__all__ = ["CommitInfo", "WriteReport", "append_once", "replace_partition", "upsert"]

ATTEMPTS = 8
MOST_FILES = 16
"""Appends into a cell of this many files rewrite it as one: small appends stay quick to read."""


@dataclass(frozen=True)
class WriteReport:
    """What a write did: counts only, fit for metadata.

    rows_given = rows_tombstoned + rows_present (append_once: their key was there) + rows_kept;
    `rows_removed` are rows of replaced files. `version` is the table's version afterwards; `committed` is
    False if it held this content already. `cells_healed`: unchanged cells whose file was gone or damaged and
    has been written again.
    """

    table: str
    version: int
    committed: bool
    rows_given: int
    rows_kept: int
    rows_tombstoned: int
    rows_present: int
    rows_removed: int
    cells_changed: int
    bytes_written: int
    cells_healed: int
    ledger_version: int
    attempts: int


@dataclass(frozen=True)
class Plan:
    """The new content of the cells that may change. `added` cells keep their files and get one more."""

    replaced: dict[Cell, pl.DataFrame]
    added: dict[Cell, pl.DataFrame]
    rows_present: int = 0


def replace_partition(
    lake: Lake,
    contract: TableContract,
    frame: pl.DataFrame,
    partition: Partition,
    *,
    commit: CommitInfo,
    now: datetime,
    may_empty: bool = False,
    steps: Steps = no_steps,
) -> WriteReport:
    """Replaces exactly the given partition by the frame's rows.

    `partition`: per partition column the values to replace ({} for an unpartitioned table);
    `StoreDay.partition` makes it. A frame without rows replaces rows only if `may_empty`: a source that was
    consumed is not an empty result.
    """
    _check_mode(contract, ReplacePartition)
    concealed(contract.path, "checking", lambda: _admit(contract, frame, partition))
    cells = admission.cells_of_partition(contract, partition)

    def plan(snapshot: Snapshot, rows: pl.DataFrame) -> Plan:
        if frame.is_empty() and not may_empty and (held := sum(f.rows for c in cells for f in snapshot.files(c))):
            raise EmptyReplacement(contract.path, "an empty frame would replace rows", count=held)
        parted = _by_cell(contract, rows)
        return Plan({cell: parted.get(cell, rows.clear()) for cell in cells}, {})

    return concealed(contract.path, "writing", lambda: _write(lake, contract, frame, cells, plan, commit, now, steps))


def append_once(
    lake: Lake,
    contract: TableContract,
    frame: pl.DataFrame,
    *,
    commit: CommitInfo,
    now: datetime,
    steps: Steps = no_steps,
) -> WriteReport:
    """Adds the rows whose key the table does not hold yet; rows that it holds never change."""
    _check_mode(contract, AppendOnce)

    def plan(snapshot: Snapshot, rows: pl.DataFrame) -> Plan:
        key = list(contract.key)
        known = snapshot.rows().select(key).collect()
        fresh = rows.join(known, on=key, how="anti", nulls_equal=True)
        parted = _by_cell(contract, fresh)
        crowded = {cell for cell in parted if len(snapshot.files(cell)) >= MOST_FILES}
        replaced = {cell: pl.concat([snapshot.rows([cell]).collect(), parted[cell]]) for cell in crowded}
        added = {cell: part for cell, part in parted.items() if cell not in crowded}
        return Plan(replaced, added, rows.height - fresh.height)

    return _write_rows(lake, contract, frame, plan, commit, now, steps)


def upsert(
    lake: Lake,
    contract: TableContract,
    frame: pl.DataFrame,
    *,
    commit: CommitInfo,
    now: datetime,
    steps: Steps = no_steps,
) -> WriteReport:
    """Replaces the rows with the same key, wherever they lie, and adds the others."""
    _check_mode(contract, Upsert)

    def plan(snapshot: Snapshot, rows: pl.DataFrame) -> Plan:
        key = list(contract.key)
        columns = list(dict.fromkeys((*contract.partition_by, *key)))
        old = snapshot.rows().select(columns).collect().join(rows.select(key), on=key, how="semi", nulls_equal=True)
        cells = sorted({*admission.cells_of_rows(contract, rows), *admission.cells_of_rows(contract, old)})
        held = snapshot.rows(cells).collect().join(rows.select(key), on=key, how="anti", nulls_equal=True)
        parted = _by_cell(contract, pl.concat([held, rows]))
        return Plan({cell: parted.get(cell, rows.clear()) for cell in cells}, {})

    return _write_rows(lake, contract, frame, plan, commit, now, steps)


def _admit(contract: TableContract, frame: pl.DataFrame, partition: Partition) -> None:
    admission.check_frame(contract, frame)
    admission.check_partition(contract, frame, partition)


def _write_rows(
    lake: Lake,
    contract: TableContract,
    frame: pl.DataFrame,
    plan: Callable[[Snapshot, pl.DataFrame], Plan],
    commit: CommitInfo,
    now: datetime,
    steps: Steps,
) -> WriteReport:
    def write() -> WriteReport:
        admission.check_frame(contract, frame)
        return _write(lake, contract, frame, admission.cells_of_rows(contract, frame), plan, commit, now, steps)

    return concealed(contract.path, "writing", write)


def _check_mode(contract: TableContract, mode: type[WriteMode]) -> None:
    if not isinstance(contract.write_mode, mode):
        raise ContractViolation(contract.path, f"its write mode is not {mode.__name__}")


def _by_cell(contract: TableContract, rows: pl.DataFrame) -> dict[Cell, pl.DataFrame]:
    if rows.is_empty():
        return {}
    if not contract.partition_by:
        return {(): rows}
    return {
        tuple(str(value) for value in cell): part
        for cell, part in rows.partition_by(list(contract.partition_by), as_dict=True).items()
    }


def _write(
    lake: Lake,
    contract: TableContract,
    frame: pl.DataFrame,
    cells: list[Cell],
    plan: Callable[[Snapshot, pl.DataFrame], Plan],
    commit: CommitInfo,
    now: datetime,
    steps: Steps,
) -> WriteReport:
    steps("admitted")
    with hold_lease(lake, contract) as lease:
        steps("lease held")
        # Seals and tombstones are read under the lease: who adds one waits for it, or sees our commit.
        admission.check_still_open(lake, contract, cells, now)
        tombstones = load_tombstones(lake)
        rows, dropped = tombstones.drop(contract, frame)
        steps("ledger read")
        for attempt in range(1, ATTEMPTS + 1):  # noqa: B007 - reported below
            snapshot = take_snapshot(lake, contract)
            planned = _planned(lake, snapshot, plan, rows)
            done = commit_cells(
                lake, snapshot, planned.replaced, planned.added, lease, commit, tombstones.version, now, steps
            )
            if done is not None:
                break
    steps("lease released")
    if done is None:
        raise CommitConflict(contract.path, "other writers committed first", count=ATTEMPTS)
    return WriteReport(
        table=contract.path,
        version=done.version,
        committed=done.committed,
        rows_given=frame.height,
        rows_kept=rows.height - planned.rows_present,
        rows_tombstoned=dropped,
        rows_present=planned.rows_present,
        rows_removed=done.rows_removed,
        cells_changed=done.cells_changed,
        bytes_written=done.bytes_written,
        cells_healed=done.cells_healed,
        ledger_version=tombstones.version,
        attempts=attempt,
    )


def _planned(
    lake: Lake, snapshot: Snapshot, plan: Callable[[Snapshot, pl.DataFrame], Plan], rows: pl.DataFrame
) -> Plan:
    """The plan. Where making it fails, as the held rows cannot be read, the error says which files are damaged."""
    try:
        return plan(snapshot, rows)
    except LakehouseError:
        raise
    except Exception:
        snapshot.check_files(lake)
        raise
