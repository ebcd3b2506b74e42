"""Columns and expectations that more than one table has, declared once so that they mean the same everywhere."""

from __future__ import annotations

import polars as pl

from lakehouse.contract import Column, Expectation, Pii, Severity

INSTANT = pl.Datetime("us", "UTC")

STORE_ID = Column("store_id", pl.String, "Store, as in its reference data.")
CAPTURE_HOUR = Column("capture_hour", pl.String, "UTC hour of capture, as 2026-11-22T15Z; the unit of deletion.")
BUSINESS_DATE = Column(
    "business_date", pl.String, "Store-local date (Asia/Shanghai) of the visit's entry, as 2026-11-22."
)
CAMERA_ID = Column("camera_id", pl.String, "Camera within the store.")
CLIP_ID = Column("clip_id", pl.String, "Clip: hash of camera, capture time and content.")
SLOT_ID = Column("slot_id", pl.String, "Shelf slot: one product's lane on one shelf.")
PRODUCT_ID = Column("product_id", pl.String, "Product, as in the reference data.")
TRACK_ID = Column("track_id", pl.String, "One person's trajectory through the store.", pii=Pii.PSEUDONYMOUS)
VISIT_ID = Column("visit_id", pl.String, "One stay of one shopper, from the entry scan on.", pii=Pii.PSEUDONYMOUS)
ACCOUNT_ID = Column(
    "account_id", pl.String, "Shopper's account; empty for a visit without one.", pii=Pii.PSEUDONYMOUS, nullable=True
)
IS_SIMULATED = Column("is_simulated", pl.Boolean, "True for rows that a simulator made; no person stands behind them.")


def instant(name: str, description: str, *, pii: Pii = Pii.NONE, nullable: bool = False) -> Column:
    """A UTC instant with microseconds."""
    return Column(name, INSTANT, description, unit="UTC", pii=pii, nullable=nullable)


def present(column: str) -> Expectation:
    """No value is missing."""
    return Expectation("expect_column_values_to_not_be_null", column)


def between(
    column: str, low: float | None, high: float | None, severity: Severity = Severity.BLOCKING, mostly: float = 1.0
) -> Expectation:
    """At least `mostly` of the values lie in [low, high]."""
    kwargs: dict[str, object] = {"min_value": low, "max_value": high}
    if mostly < 1.0:
        kwargs["mostly"] = mostly
    return Expectation("expect_column_values_to_be_between", column, kwargs, severity)


def one_of(column: str, values: tuple[str, ...]) -> Expectation:
    """Every value is one of a closed list."""
    return Expectation("expect_column_values_to_be_in_set", column, {"value_set": list(values)})


def unique(*columns: str) -> Expectation:
    """No two rows share these columns."""
    if len(columns) == 1:
        return Expectation("expect_column_values_to_be_unique", columns[0])
    return Expectation("expect_compound_columns_to_be_unique", kwargs={"column_list": list(columns)})
