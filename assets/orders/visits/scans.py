"""Landed gate scans as rows of `gate_events`."""

from __future__ import annotations

import polars as pl

from assets.orders.ids import instant_text, short_hash
from lakehouse.contracts.orders import GATE_EVENTS
from lakehouse.store_day import business_date_of


def from_landing(landed: pl.DataFrame) -> pl.DataFrame:
    """Rows of `gate_events` from a landing batch's frame; the same scan delivered twice is one row."""
    ids = [
        short_hash(store_id, gate_id, account_id, direction, instant_text(scanned_at))
        for store_id, gate_id, account_id, direction, scanned_at in landed.select(
            "store_id", "gate_id", "account_id", "direction", "scanned_at"
        ).iter_rows()
    ]
    return (
        landed.with_columns(
            pl.Series("gate_event_id", ids, dtype=pl.String),
            business_date_of("scanned_at").alias("business_date"),
        )
        .select(GATE_EVENTS.schema.names())
        .pipe(_one_row_each)
    )


def with_known(known: pl.DataFrame, arriving: pl.DataFrame) -> pl.DataFrame:
    """A partition's new content: what it holds and what has arrived. An empty arrival changes nothing, so a
    rerun after the landing files were consumed does not empty the table."""
    return pl.concat([known.select(arriving.columns), arriving]).pipe(_one_row_each)


def business_dates(events: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    """Store-days that the rows belong to: (store_id, business_date), sorted."""
    return tuple(events.select("store_id", "business_date").unique().sort("store_id", "business_date").iter_rows())


def _one_row_each(events: pl.DataFrame) -> pl.DataFrame:
    return events.unique("gate_event_id", keep="first", maintain_order=True).sort("scanned_at", "gate_event_id")
