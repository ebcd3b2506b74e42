"""What makes rows really go: expired hours leave log and disk, and the log itself is cut behind them.

Everything here runs under the table's lease. Every step may be killed and repeated: what a crash leaves half
done (removed from the log, still on disk) is found on disk by the next run.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from lakehouse.contract import TableContract
from lakehouse.errors import CommitConflict, concealed
from lakehouse.lake import Lake
from lakehouse.leases.hold import hold_lease
from lakehouse.life import expiry
from lakehouse.life.expiry import HOUR_COLUMN
from lakehouse.tables.commit import CommitInfo, Steps, commit_cells, no_steps
from lakehouse.tables.snapshot import take_snapshot
from lakehouse.upkeep.hour_contents import hour_of_cell, stored_files

ATTEMPTS = 8


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
            stored = stored_files(lake, contract)
            expired = sorted(
                c for c in {*before.cells, *stored} if expiry.is_expired(contract, hour_of_cell(contract, c), now)
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
        after, left = take_snapshot(lake, contract, any_version=True), stored_files(lake, contract)
    return [
        DroppedHour(
            store_id=cell[contract.partition_by.index("store_id")],
            capture_hour=hour_of_cell(contract, cell),
            expires_at=expiry.limit_at(contract, hour_of_cell(contract, cell)),
            rows_removed=sum(file.rows for file in before.files(cell)),
            files_removed=len(stored.get(cell, ())),
            bytes_removed=sum(item.size for item in stored.get(cell, ())),
            rows_left=sum(file.rows for file in after.files(cell)),
            files_left=len(left.get(cell, ())),
        )
        for cell in expired
    ]
