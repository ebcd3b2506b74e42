"""Which price holds on a day."""

from __future__ import annotations

from datetime import date

import polars as pl


def prices_on(prices: pl.DataFrame, store_id: str, day: date) -> pl.DataFrame:
    """Prices of a store that hold on a store-local date: product_id, unit_price_fen; one row a product."""
    return (
        prices.filter((pl.col("store_id") == store_id) & (pl.col("valid_from") <= day))
        .sort("product_id", "valid_from")
        .group_by("product_id", maintain_order=True)
        .agg(pl.col("price_fen").last().alias("unit_price_fen"))
    )
