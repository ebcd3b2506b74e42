"""What makes rows really go: expired hours leave log and disk, and the log itself is cut behind them.

Everything here runs under the table's lease. Every step may be killed and repeated: what a crash leaves half
done (removed from the log, still on disk) is found on disk by the next run.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from lakehouse import expiry
from lakehouse.admission import Cell
from lakehouse.commit import NO_HOOKS, CommitInfo, Steps, commit_cells, no_steps
from lakehouse.contract import TableContract
from lakehouse.errors import CommitConflict, concealed
from lakehouse.expiry import HOUR_COLUMN
from lakehouse.lake import Lake
from lakehouse.lease import hold_lease
from lakehouse.objects import StoredObject
from lakehouse.snapshot import take_snapshot

ATTEMPTS = 8
LOG_FOLDER = "_delta_log"
PAUSE_S = 1.1
"""Delta trims what is older than a whole second: less, and the newest entries stay."""


@dataclass(frozen=True)
class DroppedHour:
    """One capture hour of one store that was removed, and what a second look still found there."""

    store_id: str
    capture_hour: str
    expires_at: datetime
    rows_removed: int
    files_removed: int
    bytes_removed: int
    rows_left: int
    files_left: int


@dataclass(frozen=True)
class TrimmedLog:
    """What a trim removed: data files that no version needs any more, and log entries."""

    table: str
    data_files_removed: int
    log_files_removed: int


def drop_expired(
    lake: Lake, contract: TableContract, *, commit: CommitInfo, now: datetime, steps: Steps = no_steps
) -> list[DroppedHour]:
    """Removes every capture hour that `now` has reached the end of, from the log and from the disk.

    Files in an expired hour's folder go too if no version knows them (replaced ones, leftovers of a killed
    write). Works on tables of an older contract version: deletion waits for no migration. Empty for tables
    without a limit.
    """
    if expiry.limit_of(contract) is None or HOUR_COLUMN not in contract.partition_by:
        return []
    return concealed(contract.path, "dropping", lambda: _drop_expired(lake, contract, commit, now, steps))


def _drop_expired(
    lake: Lake, contract: TableContract, commit: CommitInfo, now: datetime, steps: Steps
) -> list[DroppedHour]:
    with hold_lease(lake, contract) as lease:
        steps("lease held")
        for _ in range(ATTEMPTS):
            before = take_snapshot(lake, contract, any_version=True)
            stored = _stored_files(lake, contract)
            expired = sorted(
                c for c in {*before.cells, *stored} if expiry.is_expired(contract, _hour(contract, c), now)
            )
            nothing = {cell: pl.DataFrame(schema=contract.schema) for cell in expired}
            # No rows are added, so no tombstones are consulted: deletion must not wait for a readable ledger.
            done = commit_cells(lake, before, nothing, {}, lease, commit, None, now, steps)
            if done is not None:
                break
        if done is None:
            raise CommitConflict(contract.path, "other writers committed first", count=ATTEMPTS)
        for cell in expired:
            for item in stored.get(cell, ()):
                lake.objects.delete(item.key)
                steps("file unlinked")
        after, left = take_snapshot(lake, contract, any_version=True), _stored_files(lake, contract)
    return [
        DroppedHour(
            store_id=cell[contract.partition_by.index("store_id")],
            capture_hour=_hour(contract, cell),
            expires_at=expiry.limit_at(contract, _hour(contract, cell)),
            rows_removed=sum(file.rows for file in before.files(cell)),
            files_removed=len(stored.get(cell, ())),
            bytes_removed=sum(item.size for item in stored.get(cell, ())),
            rows_left=sum(file.rows for file in after.files(cell)),
            files_left=len(left.get(cell, ())),
        )
        for cell in expired
    ]


def _hour(contract: TableContract, cell: Cell) -> str:
    return cell[contract.partition_by.index(HOUR_COLUMN)]


def _stored_files(lake: Lake, contract: TableContract) -> dict[Cell, list[StoredObject]]:
    """What lies in the table's partition folders, whether the log knows it or not."""
    found: dict[Cell, list[StoredObject]] = {}
    for item in lake.objects.list(contract.path):
        folders = item.key.removeprefix(f"{contract.path}/").split("/")[:-1]
        names = [folder.partition("=") for folder in folders]
        if tuple(name for name, _, _ in names) == contract.partition_by:
            found.setdefault(tuple(value for _, _, value in names), []).append(item)
    return found


def trim_logs(lake: Lake, contracts: Iterable[TableContract], *, pause_s: float = PAUSE_S) -> list[TrimmedLog]:
    """Removes from each table what no reader of its latest version needs: replaced files, leftovers, old log
    entries.

    The order matters: vacuum (under the lease: beside a writer it would delete uncommitted files), wait,
    checkpoint, wait, trim. A checkpoint made first would leave the old Parquet files on disk for ever.
    Readers that opened an older version before may fail and have to open the table again. A damaged table is left
    as it is: what its log no longer names may be what its repair needs.
    """
    vacuumed = []
    for contract in contracts:
        found = take_snapshot(lake, contract, any_version=True)
        if found.table is not None and not found.damage:
            removed, entries = concealed(contract.path, "vacuuming", lambda c=contract: _vacuum(lake, c))  # type: ignore[misc]
            vacuumed.append((contract, removed, entries))
    long = [contract for contract, _, entries in vacuumed if entries > 1]
    time.sleep(pause_s if long else 0.0)
    for contract in long:
        concealed(contract.path, "checkpointing", lambda c=contract: _checkpoint(lake, c))  # type: ignore[misc]
    time.sleep(pause_s if long else 0.0)
    for contract in long:
        concealed(contract.path, "trimming", lambda c=contract: _trim(lake, c))  # type: ignore[misc]
    return [
        TrimmedLog(contract.path, removed, max(0, entries - _log_entries(lake, contract)))
        for contract, removed, entries in vacuumed
    ]


def _vacuum(lake: Lake, contract: TableContract) -> tuple[int, int]:
    with hold_lease(lake, contract):
        table = lake.open(contract)
        assert table is not None
        before = _data_files(lake, contract)
        if table.vacuum(0, enforce_retention_duration=False, full=True):
            table.vacuum(
                0,
                dry_run=False,
                enforce_retention_duration=False,
                full=True,
                post_commithook_properties=NO_HOOKS,
            )
        # Counted on the store: a vacuum also names files that a drop has unlinked before.
        return before - _data_files(lake, contract), _log_entries(lake, contract)


def _checkpoint(lake: Lake, contract: TableContract) -> None:
    with hold_lease(lake, contract):
        table = lake.open(contract)
        assert table is not None
        table.create_checkpoint()


def _trim(lake: Lake, contract: TableContract) -> None:
    with hold_lease(lake, contract):
        table = lake.open(contract)
        assert table is not None
        table.cleanup_metadata()


def _data_files(lake: Lake, contract: TableContract) -> int:
    log = f"{contract.path}/{LOG_FOLDER}/"
    return sum(not item.key.startswith(log) for item in lake.objects.list(contract.path))


def _log_entries(lake: Lake, contract: TableContract) -> int:
    return sum(item.key.endswith(".json") for item in lake.objects.list(f"{contract.path}/{LOG_FOLDER}"))
