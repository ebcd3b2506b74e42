"""What makes rows really go: expired hours leave log and disk.

Everything here runs under the table's lease. Every step may be killed and repeated: what a crash leaves half
done (removed from the log, still on disk) is found on disk by the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from lakehouse.contract import TableContract
from lakehouse.errors import CommitConflict, concealed
from lakehouse.lake import Lake
from lakehouse.leases.attempts import Lease
from lakehouse.leases.hold import WAIT_S, hold_lease
from lakehouse.life import expiry
from lakehouse.life.expiry import HOUR_COLUMN
from lakehouse.tables.admission import Cell
from lakehouse.tables.commit import CommitInfo, Steps, commit_cells, no_steps
from lakehouse.upkeep.hour_contents import HourContents, TableHours, hour_of_cell, read_hours

ATTEMPTS = 8

Noted = Callable[[Mapping[Cell, HourContents]], object]
"""Hears what is about to go, before anything does."""
Waits = Callable[[Cell], bool]
"""Whether an hour that is due is to stay for now."""


@dataclass(frozen=True)
class DroppedHour:
    """One capture hour of one store that was to be removed, and what a second look still found there."""

    store_id: str
    capture_hour: str
    expires_at: datetime
    rows_removed: int
    files_removed: int
    bytes_removed: int
    rows_left: int
    files_left: int


@dataclass(frozen=True)
class Dropped:
    """What a drop did. `due`: the hours that it was to remove, with what was in them. `left`: the table as a second
    look found it. `failures`: what went wrong on the way, kinds of errors only; the drop went on as far as it could."""

    due: Mapping[Cell, HourContents]
    left: TableHours
    failures: tuple[str, ...] = ()

    @property
    def hours(self) -> list[DroppedHour]:
        """The hours that were due, one by one."""
        contract, nothing = self.left.snapshot.contract, HourContents()
        found = []
        for cell, before in sorted(self.due.items()):
            after, label = self.left.hours.get(cell, nothing), hour_of_cell(contract, cell)
            found.append(
                DroppedHour(
                    store_id=cell[contract.partition_by.index("store_id")],
                    capture_hour=label,
                    expires_at=expiry.limit_at(contract, label),
                    rows_removed=before.rows,
                    files_removed=len(before.files),
                    bytes_removed=before.size,
                    rows_left=after.rows,
                    files_left=len(after.files),
                )
            )
        return found


@dataclass
class _Attempt:
    """One drop on its way."""

    lake: Lake
    contract: TableContract
    commit: CommitInfo
    now: datetime
    waits: Waits
    noted: Noted
    steps: Steps
    failures: list[str] = field(default_factory=list)

    def due(self, found: TableHours, *, pressing_only: bool = False) -> dict[Cell, HourContents]:
        is_due = expiry.is_pressing if pressing_only else expiry.is_expired
        return {
            cell: contents
            for cell, contents in found.hours.items()
            if is_due(self.contract, hour_of_cell(self.contract, cell), self.now) and not self.waits(cell)
        }


def drop_expired(
    lake: Lake,
    contract: TableContract,
    *,
    commit: CommitInfo,
    now: datetime,
    waits: Waits = lambda _: False,
    noted: Noted = lambda _: None,
    found: TableHours | None = None,
    wait_s: float = WAIT_S,
    steps: Steps = no_steps,
) -> Dropped:
    """Removes every capture hour that `now` has reached the end of, from the log and from the disk.

    Files in an expired hour's folder go too if no version knows them (replaced ones, leftovers of a killed write).
    Deletion waits for no migration and no repair: where the log cannot be read or committed to, the folders go all the
    same, and the log follows once it can. Nor does it wait for ever for the table's lease: an hour whose limit is near
    loses its files without. One file that cannot be unlinked stops no other.

    `found`: the table as the caller has just read it, if it has.

    Raises LakehouseError if nothing was done for want of the lease.
    """
    if expiry.limit_of(contract) is None or HOUR_COLUMN not in contract.partition_by:
        raise ValueError(f"{contract.path}: no capture hour of it expires")
    attempt = _Attempt(lake, contract, commit, now, waits, noted, steps)
    return concealed(contract.path, "dropping", lambda: _drop(attempt, found, wait_s))


def _drop(attempt: _Attempt, found: TableHours | None, wait_s: float) -> Dropped:
    found = found or read_hours(attempt.lake, attempt.contract)
    due = attempt.due(found)
    if not due:
        return Dropped({}, found)
    with ExitStack() as stack:
        lease: Lease | None = None
        try:
            lease = stack.enter_context(hold_lease(attempt.lake, attempt.contract, wait_s=wait_s))
        except Exception as error:
            due = attempt.due(found, pressing_only=True)
            if not due:
                raise
            attempt.failures.append(f"lease: {type(error).__name__}")
        attempt.steps("lease held")
        attempt.noted(due)
        uncounted = sum(not file.is_counted for cell in due for file in found.snapshot.files(cell))
        if uncounted:
            attempt.failures.append(f"{uncounted} files whose rows its log does not count, entered as 0 rows")
        if lease is not None:
            due = _forget(attempt, found, due, lease)
        _unlink(attempt, due)
        return Dropped(due, read_hours(attempt.lake, attempt.contract), tuple(attempt.failures))


def _forget(
    attempt: _Attempt, found: TableHours, due: dict[Cell, HourContents], lease: Lease
) -> dict[Cell, HourContents]:
    """Takes the hours out of the log. Returns what is due by the log as it is then: others may have committed."""
    try:
        for _ in range(ATTEMPTS):
            nothing = {cell: pl.DataFrame(schema=attempt.contract.schema) for cell in due}
            # No rows are added, so no tombstones are consulted: deletion must not wait for a readable ledger.
            done = commit_cells(
                attempt.lake, found.snapshot, nothing, {}, lease, attempt.commit, None, attempt.now, attempt.steps
            )
            if done is not None:
                return due
            found = read_hours(attempt.lake, attempt.contract)
            due = attempt.due(found)
            attempt.noted(due)
        raise CommitConflict(attempt.contract.path, "other writers committed first", count=ATTEMPTS)
    except Exception as error:  # noqa: BLE001 - a full disk, a broken log: the files go all the same
        attempt.failures.append(f"log: {type(error).__name__}")
    return due


def _unlink(attempt: _Attempt, due: Mapping[Cell, HourContents]) -> None:
    kept: dict[str, int] = {}
    for contents in due.values():
        for item in contents.files:
            try:
                attempt.lake.objects.delete(item.key)
            except Exception as error:  # noqa: BLE001 - the next file goes all the same
                kept[type(error).__name__] = kept.get(type(error).__name__, 0) + 1
            attempt.steps("file unlinked")
    attempt.failures.extend(f"{count} files not unlinked: {kind}" for kind, count in sorted(kept.items()))
