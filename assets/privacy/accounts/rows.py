"""Accounts as they land, as rows of the table."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts.privacy import ACCOUNTS


def from_landing(landed: pl.DataFrame) -> pl.DataFrame:
    """One row per account, the line that came last. `landed`: a batch of the accounts format."""
    return (
        landed.unique("account_id", keep="last", maintain_order=True).select(ACCOUNTS.schema.names()).sort("account_id")
    )
