"""Promises of the orders tables that need more than one table to check. Results are counts, never a value."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from assets.orders.baskets import MOVING_TYPES
from assets.orders.orders import review_id_of_event
from lakehouse.audit import ExpectationResult, identity_check, no_strangers
from lakehouse.contract import Severity

_BILLED_AS_SEEN = ("none", "accepted")


def check_reference(
    slots: pl.DataFrame,
    slot_views: pl.DataFrame,
    cameras: pl.DataFrame,
    planograms: pl.DataFrame,
    products: pl.DataFrame,
    prices: pl.DataFrame,
) -> list[ExpectationResult]:
    """Reference data names only what it also describes, and every product that stands somewhere has a
    price."""
    planned = planograms.select("store_id", "product_id").unique()
    product_views = slot_views.filter(~pl.col("is_zone"))
    return [
        no_strangers("planogram_slots_known", planograms, slots, ("store_id", "slot_id")),
        no_strangers("planogram_products_known", planograms, products, "product_id"),
        no_strangers("views_show_known_slots", product_views, slots, ("store_id", "slot_id")),
        no_strangers("views_are_of_known_cameras", slot_views, cameras, ("store_id", "camera_id")),
        no_strangers("priced_products_known", prices, products, "product_id"),
        no_strangers("planned_products_priced", planned, prices, ("store_id", "product_id"), severity=Severity.WARNING),
    ]


def check_gate_events(gate_events: pl.DataFrame, stores: pl.DataFrame) -> list[ExpectationResult]:
    """Every scan was made at a gate that the store has."""
    gates = stores.select("store_id", pl.col("gate_ids").alias("gate_id")).explode("gate_id")
    return [no_strangers("gates_known", gate_events, gates, ("store_id", "gate_id"))]


def check_visits(visits: pl.DataFrame, visit_tracks: pl.DataFrame) -> list[ExpectationResult]:
    """A visit ends after it began, has an account unless it is marked so, and a trajectory where it says
    so."""
    backwards = visits.filter(pl.col("exited_at") < pl.col("entered_at")).height
    unmarked = visits.filter((pl.col("state") == "no_account") != pl.col("account_id").is_null()).height
    followed = visits.filter("has_track")
    return [
        identity_check("ends_after_it_began", backwards, visits.height, column="exited_at"),
        identity_check("account_or_marked", unmarked, visits.height, column="account_id"),
        no_strangers("visits_of_tracks_known", visit_tracks, visits, "visit_id"),
        no_strangers("followed_visits_have_tracks", followed, visit_tracks, "visit_id"),
    ]


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


def failed(results: Iterable[ExpectationResult]) -> list[str]:
    """Names of the checks that did not hold."""
    return [result.name for result in results if not result.success]
