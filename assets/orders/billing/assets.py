"""Orders with their lines and review items, and orders from before the platform, as Dagster assets. Any rule of
billing is in the modules beside this one."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import polars as pl

from assets.orders.baskets.netting import net
from assets.orders.billing import checks, history, settlement
from assets.orders.billing.settings import BillingPolicy
from lakehouse.contracts import orders, store_reference, vision
from resources.landing.deliveries import ORDERS_HISTORY
from resources.steps.declare import table_assets
from resources.steps.facts import mean
from resources.steps.metadata import Fact
from resources.steps.partitions import STORE_DAYS, store_day_of
from resources.steps.specs import of_table
from resources.steps.write_path import Report, Tables, TableWrite


@table_assets(
    "orders",
    [
        (
            table,
            [
                vision.SHELF_EVENTS,
                orders.VISITS,
                orders.VISIT_TRACKS,
                orders.BASKETS,
                store_reference.PRICES,
                store_reference.PRODUCTS,
                orders.REVIEW_DECISIONS,
            ],
        )
        for table in (orders.ORDERS, orders.ORDER_LINES, orders.REVIEW_ITEMS)
    ],
    checks=checks.DECLARED,
    partitions_def=STORE_DAYS,
)
def orders_and_review(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """Who pays what, and what a person must judge before anybody pays."""
    day, settings = store_day_of(context), tables.workplace.settings()
    events, stays = tables.read(vision.SHELF_EVENTS, day), tables.read(orders.VISITS, day)
    links = tables.read(orders.VISIT_TRACKS, day)
    netting = net(events, stays, links)
    policy = BillingPolicy(settings.file.review.threshold_prob)
    decisions = tables.read(orders.REVIEW_DECISIONS, day)
    prices = tables.read_store(store_reference.PRICES, day.store_id)
    found = settlement.settle(day, stays, netting, prices, decisions, policy)
    results = checks.check_orders(found.orders, found.order_lines, stays, tables.read(store_reference.PRODUCTS))
    results += checks.check_reconciled(
        events, links, netting.baskets, found.orders, found.order_lines, found.review_items
    )
    waiting = found.review_items.filter(pl.col("state") == "waiting")
    facts: dict[str, Fact] = {
        "value_fen": int(found.orders["amount_fen"].sum()),
        "mean_confidence": mean(found.orders, "confidence_prob"),
    }
    review_facts: dict[str, Fact] = {
        "waiting": waiting.height,
        "waiting_value_fen": int(waiting["amount_fen"].sum()),
        "review_rate": round(waiting["visit_id"].n_unique() / max(1, stays.height), 4),
    }
    yield from tables.write(
        context,
        [
            TableWrite(table, frame, of_table(checks.DECLARED, table.path, results), numbers, may_empty=True)
            for table, frame, numbers in (
                (orders.ORDERS, found.orders, facts),
                (orders.ORDER_LINES, found.order_lines, {"pieces": int(found.order_lines["quantity"].sum())}),
                (orders.REVIEW_ITEMS, found.review_items, review_facts),
            )
        ],
        store_day=day,
    )


@table_assets("order_history", [(orders.HISTORICAL_ORDERS, []), (orders.HISTORICAL_ORDER_LINES, [])])
def order_history(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """Orders from before the platform.

    Their numbers are held against those of the platform's own orders, without standing downstream of them.
    """
    landing, now = tables.workplace.landing(), tables.clock.now()
    batch = landing.read(ORDERS_HISTORY)
    numbers = set(batch.frame["order_no"])
    found = history.from_landing(
        batch.frame,
        tables.read_where(orders.HISTORICAL_ORDERS, "order_no", numbers),
        tables.read_where(orders.HISTORICAL_ORDER_LINES, "order_no", numbers),
        set(tables.read_where(orders.ORDERS, "order_no", numbers)["order_no"]),
    )
    facts: dict[str, Fact] = {
        "lines_refused": len(batch.rejections) + len(found.refused),
        "value_fen": int(found.orders["amount_fen"].sum()),
    }
    yield from tables.write(
        context,
        [
            TableWrite(orders.HISTORICAL_ORDERS, found.orders, facts=facts),
            TableWrite(orders.HISTORICAL_ORDER_LINES, found.lines),
        ],
    )
    landing.consume(batch, now=now, refused=found.refused)
