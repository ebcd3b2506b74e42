"""Rows for the tests of orders: a day, its visits, its shelf events."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from assets.orders.baskets.netting import Netting, net
from assets.orders.billing.settlement import Settlement, settle
from lakehouse.contracts.orders import REVIEW_DECISIONS, VISIT_TRACKS, VISITS
from lakehouse.contracts.store_reference import PRICES
from lakehouse.contracts.vision import SHELF_EVENTS
from lakehouse.store_day import StoreDay, capture_hour

DAY = StoreDay("s001", date(2026, 11, 22))
NOON = DAY.start_at + timedelta(hours=12)
PRICE = {"tea": 350, "milk": 620, "nuts": 1290}


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def visit(visit_id: str, **changes: Any) -> dict[str, object]:
    return {
        "store_id": "s001",
        "business_date": "2026-11-22",
        "visit_id": visit_id,
        "account_id": f"account-{visit_id}",
        "entered_at": at(0),
        "exited_at": at(600),
        "payment_method": "alipay",
        "state": "closed",
        "has_track": True,
        "binding_prob": 1.0,
    } | changes


def event(
    number: int, visit_id: str | None, kind: str, product: str | None = "tea", **changes: Any
) -> dict[str, object]:
    return {
        "store_id": "s001",
        "capture_hour": capture_hour(at(number)),
        "event_id": f"e{number:03d}",
        "happened_at": at(number),
        "started_at": at(number),
        "ended_at": at(number),
        "slot_id": f"slot-{product}",
        "product_id": product,
        "type": kind,
        "quantity": 1,
        "track_id": visit_id and f"t-{visit_id}",
        "event_prob": 1.0,
        "attribution_prob": 1.0 if visit_id else 0.0,
        "camera_count": 2,
    } | changes


def frames(
    visits: list[dict[str, object]], events: list[dict[str, object]]
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    links = [
        {
            "store_id": "s001",
            "capture_hour": capture_hour(at(0)),
            "track_id": f"t-{row['visit_id']}",
            "visit_id": row["visit_id"],
            "started_at": row["entered_at"],
            "binding_prob": row["binding_prob"],
        }
        for row in visits
        if row["has_track"]
    ]
    return (
        pl.DataFrame(events, SHELF_EVENTS.schema),
        pl.DataFrame(visits, VISITS.schema),
        pl.DataFrame(links, VISIT_TRACKS.schema),
    )


def prices() -> pl.DataFrame:
    rows = [
        {"store_id": "s001", "product_id": product, "valid_from": date(2026, 1, 1), "price_fen": fen}
        for product, fen in PRICE.items()
    ]
    return pl.DataFrame(rows, PRICES.schema)


def decision(review_id: str, word: str, lines: dict[str, int] | None = None, minute: int = 30) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "store_id": ["s001"],
            "business_date": ["2026-11-22"],
            "review_id": [review_id],
            "decided_at": [at(60 * minute)],
            "decision": [word],
            "product_ids": [list(lines or {})],
            "quantities": [list((lines or {}).values())],
            "reviewer_id": ["r1"],
            "reason": ["seen on the plan"],
        },
        REVIEW_DECISIONS.schema,
    )


NO_DECISIONS = pl.DataFrame(schema=REVIEW_DECISIONS.schema)


def run(
    visits: list[dict[str, object]], events: list[dict[str, object]], decisions: pl.DataFrame = NO_DECISIONS
) -> tuple[Netting, Settlement]:
    shelf_events, visit_rows, links = frames(visits, events)
    netting = net(shelf_events, visit_rows, links)
    return netting, settle(DAY, visit_rows, netting, prices(), decisions)


def basket(netting: Netting, visit_id: str = "v1") -> dict[str, int]:
    mine = netting.baskets.filter(pl.col("visit_id") == visit_id)
    return dict(mine.select("product_id", "quantity").iter_rows())
