"""Once a day, what no reader of a table's latest version needs goes too: replaced files, leftovers of killed
writes, old log entries. Until then a row that was replaced still lies in a file on disk."""

from __future__ import annotations

from datetime import datetime, timedelta

from lakehouse.contracts import CONTRACTS
from lakehouse.lake import ENGINE_FOLDER, Lake
from lakehouse.upkeep.log_trimming import TrimmedLog, trim_logs

INTERVAL = timedelta(days=1)
_LAST_TRIM = f"{ENGINE_FOLDER}/last_trim"


def trim_daily(lake: Lake, moment: datetime) -> list[TrimmedLog]:
    """Trims every table if a day has passed since the last time; empty otherwise. A new lake is first trimmed when
    it is a day old. Works on one table after the other, under its lease."""
    raw = lake.objects.read_bytes(_LAST_TRIM)
    if raw is not None and moment - datetime.fromisoformat(raw.decode()) < INTERVAL:
        return []
    trimmed = trim_logs(lake, CONTRACTS.values()) if raw is not None else []
    lake.objects.put_bytes(moment.isoformat().encode(), _LAST_TRIM)
    return trimmed
