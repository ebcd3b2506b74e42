"""Replaced files, leftovers and old log entries go: what no reader of a table's latest version needs."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from lakehouse.contract import TableContract
from lakehouse.errors import concealed
from lakehouse.lake import Lake
from lakehouse.leases.hold import hold_lease
from lakehouse.tables.commit import NO_HOOKS
from lakehouse.tables.snapshot import take_snapshot

LOG_FOLDER = "_delta_log"
PAUSE_S = 1.1
"""Delta trims what is older than a whole second: less, and the newest entries stay."""


@dataclass(frozen=True)
class TrimmedLog:
    """What a trim removed: data files that no version needs any more, and log entries."""

    table: str
    data_files_removed: int
    log_files_removed: int


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
