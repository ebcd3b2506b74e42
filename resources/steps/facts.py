"""Numbers that steps report of a frame."""

from __future__ import annotations

import polars as pl


def mean(frame: pl.DataFrame, column: str) -> float:
    """Mean of a column of numbers or booleans; 0 for no rows."""
    value = frame.select(pl.col(column).cast(pl.Float64).mean()).item()
    return round(float(value), 4) if value is not None else 0.0


def share(frame: pl.DataFrame, condition: pl.Expr) -> float:
    """Share of the rows for which the condition holds; 0 for no rows."""
    return round(frame.filter(condition).height / max(1, frame.height), 4)
