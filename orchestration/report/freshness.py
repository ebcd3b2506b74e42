"""When each store was last heard of, and what is missing of it, for whoever ran it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
from rich.console import Console
from rich.table import Table

from lakehouse.contracts.privacy import STORE_FRESHNESS
from lakehouse.lake import Lake
from lakehouse.store_day import STORE_ZONE
from lakehouse.tables.reader import scan

MOST_STORES = 12
MOST_NAMED = 6
SOUND = ("fresh", "simulated")
"""States of which nothing is missing."""


def show(console: Console, lake: Lake) -> None:
    """Prints a line per store, those first of which most is missing. Times are the store's."""
    found = scan(lake, STORE_FRESHNESS).collect()
    if found.is_empty():
        console.print("stores: none has reference data")
        return
    late = ~pl.col("state").is_in(SOUND)
    missing = found.group_by("store_id").agg(late.sum().alias("missing"))
    order = missing.sort("missing", "store_id", descending=[True, False])["store_id"].to_list()
    table = Table(title="When stores were last heard of", title_justify="left", header_style="bold")
    for heading in ("store", "cameras", "last clip", "last scan", "last day computed", "missing"):
        table.add_column(heading, overflow="fold")
    for store_id in order[:MOST_STORES]:
        table.add_row(store_id, *_cells(found.filter(pl.col("store_id") == store_id)))
    console.print(table)
    if len(order) > MOST_STORES:
        console.print(f"and {len(order) - MOST_STORES} stores more, in the table privacy/store_freshness")
    if found.filter(late).height:
        console.print("What counts as missing, and what to do: the checks of privacy/store_freshness.")


def _cells(rows: pl.DataFrame) -> Iterator[str]:
    footage, scans, orders = (rows.filter(pl.col("delivery") == name) for name in ("footage", "gate_events", "orders"))
    is_simulated = "simulated" in rows["state"]
    heard = footage.filter(pl.col("state") == "fresh").height
    yield f"{footage.height}, simulated" if is_simulated else f"{heard} of {footage.height}"
    for part in (footage, scans):
        last = part["last_at"].max()
        yield f"{last.astimezone(ZoneInfo(STORE_ZONE)):%m-%d %H:%M}" if isinstance(last, datetime) else "none"
    computed = orders.filter(pl.col("last_at").is_not_null())["business_date"].max()
    yield str(computed or "none")
    late = rows.filter(~pl.col("state").is_in(SOUND))
    names = [_name(row) for row in late.head(MOST_NAMED).iter_rows(named=True)]
    yield ", ".join([*names, *([f"and {late.height - MOST_NAMED} more"] if late.height > MOST_NAMED else [])])


def _name(row: dict[str, str]) -> str:
    what = row["camera_id"] or row["business_date"] or {"gate_events": "scans"}.get(row["delivery"], row["delivery"])
    return f"{what} {row['state'].replace('_', ' ')}"
