"""Once a day, what no reader of a table's latest version needs goes too: replaced files, leftovers of killed
writes, old log entries. Until then a row that was replaced still lies in a file on disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from assets.privacy.retention.notes import Failures
from lakehouse.contracts import CONTRACTS
from lakehouse.lake import ENGINE_FOLDER, Lake
from lakehouse.upkeep.log_trimming import TrimmedLog, trim_logs

INTERVAL = timedelta(days=1)
LEASE_WAIT_S = 30.0
"""How long a trim waits for one table: what a sweep waits, which enters its ledger afterwards."""
LAST_TRIM = f"{ENGINE_FOLDER}/last_trim"


@dataclass(frozen=True)
class Trimmed:
    """The tables that were trimmed, and what went wrong with others."""

    tables: tuple[TrimmedLog, ...] = ()
    failures: tuple[str, ...] = ()


def trim_daily(lake: Lake, moment: datetime) -> Trimmed:
    """Trims every table if a day has passed since the last time; nothing otherwise. A new lake is first trimmed when
    it is a day old. Works on one table after the other, under its lease; if one fails, every sweep tries again. When
    the last time was is a note like any other: if it cannot be read, the tables are trimmed, and it is written anew."""
    failures = Failures()
    is_new, is_due = failures.attempt("last trim", lambda: _due(lake, moment), (False, True))
    if not is_due:
        return Trimmed()
    found: list[TrimmedLog] = []
    if not is_new:
        found = failures.attempt("trimming", lambda: trim_logs(lake, CONTRACTS.values(), wait_s=LEASE_WAIT_S), found)
    failed = [table for table in found if table.failure]
    for table in failed:
        failures.add(f"trimming {table.table}", table.failure)
    if not failed:
        failures.attempt("last trim", lambda: lake.objects.put_bytes(moment.isoformat().encode(), LAST_TRIM), None)
    return Trimmed(tuple(table for table in found if not table.failure), tuple(failures.found))


def _due(lake: Lake, moment: datetime) -> tuple[bool, bool]:
    """Whether the lake was never trimmed, and whether it is time."""
    raw = lake.objects.read_bytes(LAST_TRIM)
    if raw is None:
        return True, True
    return False, moment - datetime.fromisoformat(raw.decode()) >= INTERVAL
