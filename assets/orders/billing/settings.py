"""Settings of the orders: what is billed without a person having looked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BillingPolicy:
    """When a basket becomes an order by itself."""

    least_order_prob: float = 0.5
    """A basket is billed unseen only if it is at least this likely, 0 to 1, to be right as a whole. The store's own
    threshold (`review.threshold_prob` of the settings file) takes its place; 0.5: more likely right than wrong."""
