"""Promises of orders, their lines and review items that need more than one table. Results are counts, never a value."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from assets.orders.baskets.netting import MOVING_TYPES
from assets.orders.ids import review_id_of_event
from lakehouse.audit import ExpectationResult, identity_check, no_strangers
from resources.steps.specs import DomainCheck

DECLARED: Mapping[str, tuple[DomainCheck, ...]] = {
    "orders/orders": (
        DomainCheck("lines_sum_to_amount", "The lines of an order sum to its amount."),
        DomainCheck("order_numbers_unique", "No two orders share a number."),
        DomainCheck("visit_billed_at_most_once", "No visit has two orders."),
        DomainCheck("payer_is_of_the_visit", "The account that pays is the visit's."),
    ),
    "orders/order_lines": (
        DomainCheck("line_is_quantity_times_price", "A line's amount is quantity times unit price."),
        DomainCheck("products_known", "Every product is in orders/products."),
    ),
    "orders/review_items": (
        DomainCheck("pieces_on_orders_or_in_review", "Every piece of a basket is on an order or in review."),
        DomainCheck("events_of_nobody_in_review", "Every event of nobody is in review."),
        DomainCheck("not_billed_while_undecided", "No visit is billed while its review is undecided."),
    ),
}

_BILLED_AS_SEEN = ("none", "accepted")


def check_orders(
    orders: pl.DataFrame, order_lines: pl.DataFrame, visits: pl.DataFrame, products: pl.DataFrame
) -> list[ExpectationResult]:
    """The arithmetic of the orders, and that they name visits, accounts and products that exist."""
    sums = order_lines.group_by("order_no").agg(pl.col("amount_fen").sum().alias("lines_fen"))
    unequal = (
        orders.select("order_no", "amount_fen")
        .join(sums, "order_no", how="full", coalesce=True)
        .filter(pl.col("amount_fen").ne_missing(pl.col("lines_fen")))
        .height
    )
    wrong_lines = order_lines.filter(
        pl.col("quantity").cast(pl.Int64) * pl.col("unit_price_fen") != pl.col("amount_fen")
    ).height
    payers = visits.filter(pl.col("account_id").is_not_null() & (pl.col("state") != "staff"))
    return [
        identity_check("lines_sum_to_amount", unequal, orders.height, column="amount_fen"),
        identity_check("line_is_quantity_times_price", wrong_lines, order_lines.height, column="amount_fen"),
        identity_check("order_numbers_unique", orders.height - orders["order_no"].n_unique(), orders.height),
        identity_check("visit_billed_at_most_once", orders.height - orders["visit_id"].n_unique(), orders.height),
        no_strangers("payer_is_of_the_visit", orders, payers, ("visit_id", "account_id")),
        no_strangers("products_known", order_lines, products, "product_id"),
    ]


def check_reconciled(
    shelf_events: pl.DataFrame,
    visit_tracks: pl.DataFrame,
    baskets: pl.DataFrame,
    orders: pl.DataFrame,
    order_lines: pl.DataFrame,
    review_items: pl.DataFrame,
) -> list[ExpectationResult]:
    """Nothing is lost between events and receipts: every piece of a basket is on an order or in review,
    every event of nobody is in review, and no visit is both billed as seen and waiting."""
    billed = (
        orders.filter(pl.col("review_state").is_in(_BILLED_AS_SEEN))
        .join(order_lines, "order_no")
        .select("visit_id", "product_id", "quantity")
    )
    waiting = review_items.filter(
        pl.col("visit_id").is_not_null() & ~pl.col("visit_id").is_in(billed["visit_id"].implode())
    )
    in_review = waiting.select(
        "visit_id", pl.col("product_ids").alias("product_id"), pl.col("quantities").alias("quantity")
    )
    accounted = pl.concat([billed, in_review.explode("product_id", "quantity").drop_nulls()])
    key = ("visit_id", "product_id")
    lost = (
        baskets.group_by(key)
        .agg(pl.col("quantity").sum())
        .join(
            accounted.group_by(key).agg(pl.col("quantity").sum().alias("found")),
            key,
            how="full",
            coalesce=True,
        )
        .filter(pl.col("quantity").cast(pl.Int64).ne_missing(pl.col("found").cast(pl.Int64)))
    )
    nobodys = shelf_events.filter(pl.col("type").is_in([word for word in MOVING_TYPES if word != "restock"])).join(
        visit_tracks, "track_id", how="anti"
    )
    raised = set(review_items.filter(pl.col("visit_id").is_null())["review_id"])
    not_raised = sum(review_id_of_event(event_id) not in raised for event_id in nobodys["event_id"])
    of_no_event = len(raised - {review_id_of_event(event_id) for event_id in shelf_events["event_id"]})
    undecided = review_items.filter(pl.col("state").is_in(["waiting", "rejected", "unbilled"]))
    both = undecided.join(orders, "visit_id", how="semi").height
    return [
        identity_check("pieces_on_orders_or_in_review", lost.height, baskets.height, column="quantity"),
        identity_check("events_of_nobody_in_review", not_raised + of_no_event, max(nobodys.height, len(raised))),
        identity_check("not_billed_while_undecided", both, review_items.height, column="visit_id"),
    ]
