"""What was refused of deliveries, and what is stuck, for whoever ran it."""

from __future__ import annotations

import polars as pl
from rich.console import Console
from rich.table import Table

from lakehouse.contracts.privacy import REFUSED_DELIVERIES
from lakehouse.lake import Lake
from lakehouse.tables.reader import scan

MOST_ROWS = 12


def show(console: Console, lake: Lake) -> None:
    """Prints what was refused or is stuck by delivery, store and reason; one line if that is nothing."""
    found = scan(lake, REFUSED_DELIVERIES).collect()
    if found.is_empty():
        console.print("deliveries: nothing was refused, nothing is stuck")
        return
    files = dict(found.group_by("state").agg(pl.col("file_key").n_unique()).iter_rows())
    console.print(f"deliveries: {files.get('refused', 0)} files refused, {files.get('stuck', 0)} stuck")
    counted = (
        found.group_by("delivery", "store_id", "state", "reason", "field")
        .agg(
            pl.col("file_key").n_unique().alias("files"),
            pl.col("lines").sum(),
            pl.col("file_name").filter(pl.col("file_name") != "").min().alias("one_of_them"),
        )
        .sort("files", "delivery", "store_id", "reason", "field", descending=[True, False, False, False, False])
    )
    table = Table(title="Deliveries to look at", title_justify="left", header_style="bold")
    for heading in ("delivery", "store", "reason", "field", "files", "lines", "one of them"):
        table.add_column(heading, justify="right" if heading in ("files", "lines") else "left")
    for row in counted.head(MOST_ROWS).iter_rows(named=True):
        reason = row["reason"] or "stuck"
        name = row["one_of_them"] or "(a name of its own)"
        table.add_row(
            row["delivery"], row["store_id"], reason, row["field"], str(row["files"]), str(row["lines"]), name
        )
    console.print(table)
    if counted.height > MOST_ROWS:
        console.print(f"and {counted.height - MOST_ROWS} kinds more, in the table privacy/refused_deliveries")
    console.print("What is allowed: docs/landing.md. The files lie below landing/rejected, with their reasons.")
