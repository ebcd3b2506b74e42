"""Promises of the reference tables to one another. Results are counts, never a value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import PurePosixPath

import polars as pl

from assets.orders.reference.settings import ReferenceSettings
from lakehouse.audit import ExpectationResult, identity_check, no_strangers
from lakehouse.contract import Severity
from resources.landing.folder import Rejection
from resources.steps.specs import DomainCheck

_WAITS = (
    "No {} waits in landing for what it names. It is taken once that has come, and refused after "
    f"{ReferenceSettings().patience / timedelta(hours=1):g} h; `make land-check FOLDER=`, with the landing folder, "
    "says which line or field it is."
)

DECLARED: Mapping[str, tuple[DomainCheck, ...]] = {
    "orders/slot_views": (
        DomainCheck("no_view_waits", _WAITS.format("camera file"), Severity.WARNING),
        DomainCheck("views_show_known_slots", "Every slot that a camera sees is in orders/slots."),
        DomainCheck("views_are_of_known_cameras", "Every view belongs to a camera in orders/cameras."),
    ),
    "orders/planograms": (
        DomainCheck("no_planogram_row_waits", _WAITS.format("row of a planogram"), Severity.WARNING),
        DomainCheck("planogram_slots_known", "Every planned slot is in orders/slots."),
        DomainCheck("planogram_products_known", "Every planned product is in orders/products."),
        DomainCheck("planned_products_priced", "Every planned product has a price.", Severity.WARNING),
    ),
    "orders/prices": (
        DomainCheck("no_price_waits", _WAITS.format("price"), Severity.WARNING),
        DomainCheck("priced_products_known", "Every priced product is in orders/products."),
    ),
}


def check_waiting(waiting: Collection[Rejection]) -> list[ExpectationResult]:
    """Nothing that landed names what is not known yet. Counts rows, of a YAML file the file."""
    kinds = Counter(PurePosixPath(rejection.file).name for rejection in waiting)
    return [
        identity_check(name, kinds[kind], kinds[kind], severity=Severity.WARNING)
        for name, kind in (
            ("no_view_waits", "cameras.yaml"),
            ("no_planogram_row_waits", "planogram.csv"),
            ("no_price_waits", "prices.csv"),
        )
    ]


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
