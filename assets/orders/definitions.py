"""What the orders domain adds to the platform. Resources and policy come from where the domains are merged."""

from __future__ import annotations

import dagster as dg

from assets.orders.baskets.assets import baskets
from assets.orders.billing.assets import order_history, orders_and_review
from assets.orders.reference.assets import reference_tables
from assets.orders.review.assets import review_decisions
from assets.orders.visits.assets import gate_events, visits_and_tracks

ASSETS = (
    reference_tables,
    gate_events,
    visits_and_tracks,
    baskets,
    orders_and_review,
    review_decisions,
    order_history,
)


def definitions() -> dg.Definitions:
    """The domain's assets with their checks."""
    return dg.Definitions(assets=list(ASSETS))
