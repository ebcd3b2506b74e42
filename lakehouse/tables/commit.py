"""Files first, then one log entry: the step at which new content becomes visible, all of it at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl
from deltalake import CommitProperties, DeltaTable, PostCommitHookProperties
from deltalake.exceptions import CommitFailedError
from deltalake.transaction import AddAction, RemoveAction

from lakehouse.contract import TableContract
from lakehouse.errors import LeaseLost, TableDamaged
from lakehouse.lake import Lake
from lakehouse.leases.attempts import Lease
from lakehouse.tables.admission import Cell
from lakehouse.tables.commit_notes import CommitNote, digest_of, write_note
from lakehouse.tables.properties import arrow_schema, encode_parquet, file_statistics, table_properties
from lakehouse.tables.snapshot import DataFile, Snapshot, content_digest, take_snapshot

Steps = Callable[[str], None]
"""Called with a name after each step of a write; the fault-injection tests kill the process in it."""

NO_HOOKS = PostCommitHookProperties(create_checkpoint=False, cleanup_expired_logs=False)
"""Checkpoints and trimming have an order of their own: maintenance.trim_logs."""


def no_steps(_step: str) -> None:
    """No hook."""


@dataclass(frozen=True)
class CommitInfo:
    """Who wrote this, by what: goes into the table's log. Run ids and versions, never a person."""

    run_id: str
    code_version: str
    model_version: str = ""
    planogram_version: str = ""

    def properties(self, contract: TableContract, ledger_version: int | None) -> CommitProperties:
        """For Delta, without retries of its own: who comes second must read again before trying again."""
        metadata: dict[str, str | int] = {
            "run_id": self.run_id,
            "code_version": self.code_version,
            "model_version": self.model_version,
            "planogram_version": self.planogram_version,
            "contract_version": contract.version,
        }
        if ledger_version is not None:
            metadata["ledger_version"] = ledger_version
        return CommitProperties(custom_metadata=metadata, max_commit_retries=0)


@dataclass(frozen=True)
class Committed:
    """What a commit changed. `cells_healed`: their rows were the same, their file was not what the log says."""

    version: int
    committed: bool
    cells_changed: int
    rows_removed: int
    bytes_written: int
    cells_healed: int = 0


@dataclass(frozen=True)
class NewFile:
    """One Parquet file to be. `path` is relative to the table; `statistics` as Delta's log wants them."""

    cell: Cell
    path: str
    data: bytes
    statistics: str

    def add_action(self, contract: TableContract, stamp_ms: int) -> AddAction:
        """Its entry in the log."""
        values = cell_values(contract, self.cell)
        return AddAction(self.path, len(self.data), values, stamp_ms, True, self.statistics)


def commit_cells(
    lake: Lake,
    snapshot: Snapshot,
    replaced: dict[Cell, pl.DataFrame],
    added: dict[Cell, pl.DataFrame],
    lease: Lease,
    info: CommitInfo,
    ledger_version: int | None,
    now: datetime,
    steps: Steps,
) -> Committed | None:
    """Gives the `replaced` cells their new rows and the `added` cells more rows, in one commit.

    `ledger_version`: the tombstones that the rows were checked against; None for a commit that adds no row.
    Returns None if somebody else committed since the snapshot; then nothing has changed and no file is left
    behind.
    """
    contract = snapshot.contract
    # A table that is not there yet is created by the commit before ours.
    target = max(snapshot.version, 0) + 1
    new: list[NewFile] = []
    old: list[tuple[Cell, DataFile]] = []
    healed = 0
    for cell, rows in sorted(replaced.items()):
        files = snapshot.files(cell)
        made = encode_cell(contract, cell, rows, lease.mark) if rows.height else None
        if made is not None and len(files) == 1 and _digest(files[0].path) == _digest(made.path):
            healed += _heal(lake, contract, files[0], made.data, lease)
            continue
        new += [made] if made is not None else []
        old += [(cell, file) for file in files]
    new += [encode_cell(contract, cell, rows, lease.mark) for cell, rows in sorted(added.items()) if rows.height]
    if not new and not old:
        renew_note(lake, snapshot)
        return Committed(snapshot.version, False, 0, 0, 0, healed)

    stamp = int(now.timestamp() * 1000)
    adds = [file.add_action(contract, stamp) for file in new]
    removes = [RemoveAction(f.path, True, stamp, f.size, dict(cell_values(contract, cell))) for cell, f in old]
    if snapshot.damage:
        _carry_damage_on(lake, snapshot)
    try:
        table = snapshot.table
        if table is None:
            table = _create(lake, contract, info, ledger_version)
            steps("table created")
        for file in new:
            lake.objects.put_bytes(file.data, f"{contract.path}/{file.path}")
            steps("file written")
        lease.check()
        steps("lease checked")
        table.create_write_transaction(
            [*adds, *removes],
            "append",
            table.schema(),
            list(contract.partition_by),
            commit_properties=info.properties(contract, ledger_version),
            post_commithook_properties=NO_HOOKS,
        )
    except LeaseLost:
        _take_back(lake, contract, new)
        raise
    except CommitFailedError:
        # Read again: a store that repeats a request by itself can refuse a commit that it has made.
        found = take_snapshot(lake, contract, any_version=True)
        if new and found.damage:
            # Unknown is not refused: the files may be live, and stay. If they are not, the next trim takes them.
            raise TableDamaged(contract.path, found.damage) from None
        if not any(file.path in found.paths for file in new):
            _take_back(lake, contract, new)
            return None
    steps("committed")
    if not snapshot.damage:
        lake.objects.make_durable(f"{contract.path}/_delta_log/{target:020d}.json")
        live = snapshot.paths - {file.path for _, file in old} | {file.path for file in new}
        write_note(lake, contract, CommitNote(target, digest_of(live)))
        steps("noted")
    return Committed(
        version=target,
        committed=True,
        cells_changed=len({f.cell for f in new} | {cell for cell, _ in old}),
        rows_removed=sum(file.rows for _, file in old),
        bytes_written=sum(len(f.data) for f in new),
        cells_healed=healed,
    )


def _heal(lake: Lake, contract: TableContract, file: DataFile, data: bytes, lease: Lease) -> int:
    """Puts the bytes back that the file's name promises, if they are not there. Returns 1 if it did."""
    key = f"{contract.path}/{file.path}"
    if lake.objects.read_bytes(key) == data:
        return 0
    lease.check()
    lake.objects.put_bytes(data, key)
    return 1


def renew_note(lake: Lake, snapshot: Snapshot) -> None:
    """Notes a version that a process committed and was killed before it could note it."""
    if snapshot.table is None or snapshot.damage or (snapshot.note and snapshot.note.version >= snapshot.version):
        return
    write_note(lake, snapshot.contract, CommitNote(snapshot.version, digest_of(snapshot.paths)))


def _carry_damage_on(lake: Lake, snapshot: Snapshot) -> None:
    """A drop commits to a damaged table, too. The note moves on with it, and before it, so that the log never
    catches up with a note that it contradicts."""
    if snapshot.table is not None and snapshot.note is not None:
        moved = CommitNote(snapshot.note.version + 1, snapshot.note.files)
        write_note(lake, snapshot.contract, moved)


def _take_back(lake: Lake, contract: TableContract, files: list[NewFile]) -> None:
    """Removes files that no commit made live. Their names bear this holder's mark, so nobody else's go."""
    for file in files:
        lake.objects.delete(f"{contract.path}/{file.path}")


def create_if_absent(lake: Lake, contract: TableContract, info: CommitInfo) -> None:
    """Gives readers that need a table's log, as DuckDB does, an empty table. Does nothing if it is there.

    Raises TableDamaged, ContractVersionMismatch: such a reader would not notice either.
    """
    if take_snapshot(lake, contract).table is None:
        _create(lake, contract, info, None, mode="ignore")


def _create(
    lake: Lake,
    contract: TableContract,
    info: CommitInfo,
    ledger_version: int | None,
    mode: Literal["error", "ignore"] = "error",
) -> DeltaTable:
    return DeltaTable.create(
        lake.uri(contract),
        arrow_schema(contract),
        mode=mode,
        partition_by=list(contract.partition_by),
        name=contract.path,
        description=contract.description,
        configuration=table_properties(contract),
        storage_options=lake.options,
        commit_properties=info.properties(contract, ledger_version),
        raise_if_key_not_exists=False,
    )


def encode_cell(contract: TableContract, cell: Cell, rows: pl.DataFrame, mark: str) -> NewFile:
    """One cell's rows as a file, named by the hash of its bytes and the mark of who holds the lease."""
    ordered = rows.sort(contract.key, maintain_order=True)
    data = encode_parquet(contract, ordered)
    folder = "".join(f"{name}={value}/" for name, value in zip(contract.partition_by, cell, strict=True))
    path = f"{folder}{content_digest(data)}-{mark}.parquet"
    return NewFile(cell, path, data, file_statistics(contract, ordered))


def _digest(path: str) -> str:
    return path.rsplit("/", 1)[-1].split("-", 1)[0]


def cell_values(contract: TableContract, cell: Cell) -> dict[str, str | None]:
    return dict(zip(contract.partition_by, cell, strict=True))
