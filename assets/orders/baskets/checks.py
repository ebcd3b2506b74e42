"""Promises of orders/baskets that need more than one table. Results are counts, never a value."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from lakehouse.audit import ExpectationResult, identity_check, no_strangers
from resources.steps.specs import DomainCheck

DECLARED: Mapping[str, tuple[DomainCheck, ...]] = {
    "orders/baskets": (
        DomainCheck("visits_known_and_not_staff", "Every basket belongs to a visit that is not staff."),
        DomainCheck("products_known", "Every product is in orders/products."),
        DomainCheck("events_known", "Every event behind a line is in vision/shelf_events."),
        DomainCheck("event_billed_at_most_once", "No event is behind two lines."),
    ),
}


def check_baskets(
    baskets: pl.DataFrame, visits: pl.DataFrame, shelf_events: pl.DataFrame, products: pl.DataFrame
) -> list[ExpectationResult]:
    """Baskets belong to visits that are not staff, name known products, and use every event at most once."""
    used = baskets.select(pl.col("event_ids").alias("event_id")).explode("event_id").drop_nulls()
    payers = visits.filter(pl.col("state") != "staff")
    return [
        no_strangers("visits_known_and_not_staff", baskets, payers, "visit_id"),
        no_strangers("products_known", baskets, products, "product_id"),
        no_strangers("events_known", used, shelf_events, "event_id"),
        identity_check("event_billed_at_most_once", used.height - used["event_id"].n_unique(), used.height),
    ]
