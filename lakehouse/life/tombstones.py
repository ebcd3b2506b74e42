"""Rows of people who were erased do not come back: by a rerun, a late file or a restored backup.

The ledger is the table privacy/tombstones: `subject_id`, and `received_at` of the request. A row is dropped
when its subject is on the ledger and it was captured before the request, so that somebody who returns is not
locked out.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lakehouse.contract import TableContract
from lakehouse.errors import concealed
from lakehouse.lake import Lake

TABLE = "privacy/tombstones"
NO_LEDGER = -1
"""Ledger version while the table does not exist: zero tombstones, and known to be zero."""


@dataclass(frozen=True)
class Tombstones:
    """The ledger at one version. `rows` has the columns subject_id and received_at."""

    version: int
    rows: pl.DataFrame

    def drop(self, contract: TableContract, frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
        """The frame without rows of erased subjects, and how many those were."""
        subject = contract.subject_column
        if subject is None or self.rows.is_empty():
            return frame, 0
        ledger = self.rows.group_by("subject_id").agg(pl.col("received_at").max().alias("__received_at"))
        marked = frame.join(ledger, left_on=subject, right_on="subject_id", how="left", maintain_order="left")
        erased = pl.col("__received_at").is_not_null()
        if contract.clock_column is not None:
            erased &= pl.col(contract.clock_column) < pl.col("__received_at")
        kept = marked.filter(~erased).drop("__received_at").select(frame.columns)
        return kept, frame.height - kept.height


def load_tombstones(lake: Lake) -> Tombstones:
    """The ledger as of now. A ledger that exists and cannot be read is an error, never an empty one."""
    return concealed(TABLE, "reading the ledger", lambda: _load(lake))


def _load(lake: Lake) -> Tombstones:
    table = lake.open_path(TABLE)
    if table is None:
        empty = {"subject_id": pl.String(), "received_at": pl.Datetime("us", "UTC")}
        return Tombstones(NO_LEDGER, pl.DataFrame(schema=empty))
    rows = pl.DataFrame(table.to_pyarrow_table(columns=["subject_id", "received_at"]))
    return Tombstones(table.version(), rows)
