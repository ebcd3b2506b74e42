"""What reviewers decided, as a Dagster asset."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import dagster as dg
import polars as pl

from assets.orders.review import decisions
from lakehouse.contracts import orders, store_reference
from lakehouse.lake import Lake
from lakehouse.life import seals
from lakehouse.store_day import StoreDay
from resources.landing.deliveries import REVIEWS
from resources.steps.declare import table_assets
from resources.steps.metadata import Fact
from resources.steps.store_digests import digests_of
from resources.steps.write_path import Report, Tables, TableWrite


@table_assets("review_decisions", [(orders.REVIEW_DECISIONS, [store_reference.PRICES])])
def review_decisions(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """What reviewers decided, and what closed because nobody did in time.

    Decisions are about items of earlier runs, so this reads orders/review_items without standing downstream
    of it.
    """
    landing, lake, now = tables.workplace.landing(), tables.workplace.lake(), tables.now()
    batch = landing.read(REVIEWS)
    items, known = tables.read(orders.REVIEW_ITEMS), tables.read(orders.REVIEW_DECISIONS)
    found = decisions.resolve(batch.frame, items, known, tables.read(store_reference.PRICES))
    undecided = decisions.expire(items, pl.concat([known, found.decisions]), now)
    rows = _of_open_days(lake, pl.concat([found.decisions, undecided]))
    facts: dict[str, Fact] = {
        "decided": found.decisions.height,
        "closed_undecided": undecided.height,
        "refused": len(batch.rejections) + len(found.refused),
        # Who decided, and why, changes no order, and a person stays out of what outlives the rows.
        **digests_of(pl.concat([known, rows]).drop("reviewer_id", "reason")),
    }
    yield from tables.write(context, [TableWrite(orders.REVIEW_DECISIONS, rows, facts=facts)])
    landing.consume(batch, now=now, refused=found.refused)


def _of_open_days(lake: Lake, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of days that are not sealed: what is frozen takes no more decisions."""
    places = rows.select("store_id", "business_date").unique()
    is_open = [
        not seals.is_sealed(lake, StoreDay(store_id, date.fromisoformat(day))) for store_id, day in places.iter_rows()
    ]
    return rows.join(places.filter(pl.Series(is_open, dtype=pl.Boolean)), on=["store_id", "business_date"], how="semi")
