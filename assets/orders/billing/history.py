"""Orders from before the platform, as the system that made them delivers them."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lakehouse.contracts.orders import HISTORICAL_ORDER_LINES, HISTORICAL_ORDERS
from lakehouse.store_day import business_date_of


@dataclass(frozen=True)
class History:
    """Rows of `historical_orders` and `historical_order_lines`."""

    orders: pl.DataFrame
    lines: pl.DataFrame


def from_landing(landed: pl.DataFrame) -> History:
    """Rows from a landing batch's frame, whose arithmetic the landing format has checked; an order number
    delivered twice counts once, as it came first."""
    dated = (
        landed.with_columns(business_date_of("created_at").alias("business_date"))
        .unique("order_no", keep="first", maintain_order=True)
        .sort("store_id", "created_at", "order_no")
    )
    lines = (
        dated.select("store_id", "business_date", "order_no", "lines")
        .filter(pl.col("lines").list.len() > 0)
        .explode("lines")
        .unnest("lines")
    )
    return History(dated.select(HISTORICAL_ORDERS.schema.names()), lines.select(HISTORICAL_ORDER_LINES.schema.names()))
