"""Replaced files, leftovers and old log entries go: what no reader of a table's latest version needs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from lakehouse.contract import TableContract
from lakehouse.errors import TableDamaged
from lakehouse.lake import Lake
from lakehouse.leases.hold import WAIT_S, hold_lease
from lakehouse.tables.commit import NO_HOOKS
from lakehouse.tables.snapshot import take_snapshot

T = TypeVar("T")

LOG_FOLDER = "_delta_log"
PAUSE_S = 1.1
"""Delta trims what is older than a whole second: less, and the newest entries stay."""


@dataclass(frozen=True)
class TrimmedLog:
    """What a trim removed: data files that no version needs any more, and log entries. `failure`: the kind of error
    that ended it; empty if none did."""

    table: str
    data_files_removed: int
    log_files_removed: int
    failure: str = ""


def trim_logs(
    lake: Lake, contracts: Iterable[TableContract], *, pause_s: float = PAUSE_S, wait_s: float = WAIT_S
) -> list[TrimmedLog]:
    """Removes from each table what no reader of its latest version needs: replaced files, leftovers, old log
    entries.

    The order matters: vacuum (under the lease: beside a writer it would delete uncommitted files), wait,
    checkpoint, wait, trim. A checkpoint made first would leave the old Parquet files on disk for ever.
    Readers that opened an older version before may fail and have to open the table again. A damaged table is left
    as it is, and fails: what its log no longer names may be what its repair needs. One table that fails stops no other.
    Each lease is waited for `wait_s` seconds.
    """
    failures: dict[str, str] = {}

    def attempt(contract: TableContract, work: Callable[[Lake, TableContract, float], T]) -> T | None:
        try:
            return work(lake, contract, wait_s) if contract.path not in failures else None
        except Exception as error:  # noqa: BLE001 - of whatever kind: the next table is trimmed all the same
            failures[contract.path] = type(error).__name__
            return None

    vacuumed = [(contract, found) for contract in contracts if (found := attempt(contract, _vacuum))]
    long = [contract for contract, (_, entries) in vacuumed if entries > 1]
    for work in (_checkpoint, _trim):
        time.sleep(pause_s if long else 0.0)
        for contract in long:
            attempt(contract, work)
    trimmed = []
    for contract, (removed, entries) in vacuumed:
        left = attempt(contract, lambda lake, contract, _: _log_entries(lake, contract))
        if left is not None:
            trimmed.append(TrimmedLog(contract.path, removed, max(0, entries - left)))
    return trimmed + [TrimmedLog(path, 0, 0, failure) for path, failure in failures.items()]


def _vacuum(lake: Lake, contract: TableContract, wait_s: float) -> tuple[int, int] | None:
    """Files removed and log entries left; None for what is not there. Raises TableDamaged."""
    found = take_snapshot(lake, contract, any_version=True)
    if found.damage:
        raise TableDamaged(contract.path, found.damage)
    if found.table is None:
        return None
    with hold_lease(lake, contract, wait_s=wait_s):
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


def _checkpoint(lake: Lake, contract: TableContract, wait_s: float) -> None:
    with hold_lease(lake, contract, wait_s=wait_s):
        table = lake.open(contract)
        assert table is not None
        table.create_checkpoint()


def _trim(lake: Lake, contract: TableContract, wait_s: float) -> None:
    with hold_lease(lake, contract, wait_s=wait_s):
        table = lake.open(contract)
        assert table is not None
        table.cleanup_metadata()


def _data_files(lake: Lake, contract: TableContract) -> int:
    log = f"{contract.path}/{LOG_FOLDER}/"
    return sum(not item.key.startswith(log) for item in lake.objects.list(contract.path))


def _log_entries(lake: Lake, contract: TableContract) -> int:
    return sum(item.key.endswith(".json") for item in lake.objects.list(f"{contract.path}/{LOG_FOLDER}"))
