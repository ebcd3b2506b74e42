"""A process that writes into a bucket, as one of many, or dies in the middle of it.

`python -m tests.lakehouse.bucket_process ROOT OPTIONS_JSON WHAT`; WHAT is a writer's number, or "killed".
"""

from __future__ import annotations

import json
import os
import signal
import sys

from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.writer import append_once, replace_partition
from tests.lakehouse.small_tables import DAY, INFO, LEDGER, NOW, TOTALS, totals


def main(lake: Lake, what: str) -> None:
    if what == "killed":

        def kill(step: str) -> None:
            if step == "file written":
                os.kill(os.getpid(), signal.SIGKILL)

        replace_partition(lake, TOTALS, totals({1: 11}), DAY.partition(TOTALS), commit=INFO, now=NOW, steps=kill)
    number = int(what)
    own = StoreDay(f"s{number:03d}", DAY.business_date)
    for round_number in range(3):
        rows = {number * 10: round_number, number * 10 + 1: round_number}
        replace_partition(lake, TOTALS, totals(rows, own), own.partition(TOTALS), commit=INFO, now=NOW)
        # Everybody appends everybody's rows: each must be there once in the end.
        append_once(lake, LEDGER, totals({n: n for n in range(8)}), commit=INFO, now=NOW)


if __name__ == "__main__":
    main(Lake(sys.argv[1], json.loads(sys.argv[2])), sys.argv[3])
