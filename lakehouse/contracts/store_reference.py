"""What a store is made of, whoever walks in: floor plan, cameras, shelf slots, planograms, products and prices.

Delivered by the stores and kept; nothing here is about a person. The tables belong to the orders domain, which reads
the deliveries, and every domain reads them.
"""

from __future__ import annotations

import polars as pl

from lakehouse.contract import Column, Layer, RetentionClass, TableContract, Upsert
from lakehouse.contracts.columns import CAMERA_ID, IS_SIMULATED, PRODUCT_ID, SLOT_ID, STORE_ID, present, unique

_VALID_FROM = Column("valid_from", pl.Date, "First store-local date on which the row holds.")
_POLYGON_M = pl.List(pl.List(pl.Float64))


def _reference(
    name: str,
    description: str,
    columns: tuple[Column, ...],
    key: tuple[str, ...],
) -> TableContract:
    return TableContract(
        domain="orders",
        name=name,
        layer=Layer.BRONZE,
        version=1,
        description=description,
        columns=columns,
        key=key,
        write_mode=Upsert(),
        retention=RetentionClass.REFERENCE,
        purposes=("transaction",),
        expectations=(unique(*key), *(present(column) for column in key)),
    )


STORES = _reference(
    "stores",
    "Stores with their floor plans.",
    (
        STORE_ID,
        Column("name", pl.String, "Name of the store."),
        Column("timezone", pl.String, "IANA time zone."),
        Column("region", pl.String, "Region in which its data must stay."),
        Column("opens_at", pl.String, "Opening time, store-local HH:MM."),
        Column("closes_at", pl.String, "Closing time, store-local HH:MM."),
        Column("floor_width_m", pl.Float64, "Extent along x.", "m"),
        Column("floor_depth_m", pl.Float64, "Extent along y.", "m"),
        Column("gondola_ids", pl.List(pl.String), "Gondolas, in the order of gondola_polygons_m."),
        Column("gondola_polygons_m", pl.List(_POLYGON_M), "Outlines of the gondolas.", "m"),
        Column("entrance_zone_m", _POLYGON_M, "Outline of the entrance zone.", "m"),
        Column("exit_zone_m", _POLYGON_M, "Outline of the exit zone.", "m"),
        Column(
            "gate_ids",
            pl.List(pl.String),
            "Gates, in the order of gate_positions_m; those that were taken away come last.",
        ),
        Column("gate_positions_m", _POLYGON_M, "Positions of the gates.", "m"),
        IS_SIMULATED,
    ),
    ("store_id",),
)

CAMERAS = _reference(
    "cameras",
    "Cameras with intrinsics and pose (OpenCV axes: x_cam = R x_world + t).",
    (
        STORE_ID,
        CAMERA_ID,
        Column("kind", pl.String, "ceiling or shelf."),
        Column("width_px", pl.Int32, "Width of a frame.", "px"),
        Column("height_px", pl.Int32, "Height of a frame.", "px"),
        Column("fps", pl.Float64, "Nominal frame rate.", "1/s"),
        Column("matrix", pl.List(pl.Float64), "3x3 intrinsics, row by row.", "px"),
        Column("distortion", pl.List(pl.Float64), "k1, k2, p1, p2, k3."),
        Column("rotation", pl.List(pl.Float64), "3x3 world to camera, row by row."),
        Column("translation_m", pl.List(pl.Float64), "World to camera.", "m"),
    ),
    ("store_id", "camera_id"),
)

SLOTS = _reference(
    "slots",
    "Shelf slots: where each stands in the store.",
    (
        STORE_ID,
        SLOT_ID,
        Column("gondola_id", pl.String, "Gondola it belongs to."),
        Column("shelf_index", pl.Int16, "Shelf, from the bottom, from 0."),
        Column("x_m", pl.Float64, "Centre of the slot's front.", "m"),
        Column("y_m", pl.Float64, "Centre of the slot's front.", "m"),
        Column("z_m", pl.Float64, "Centre of the slot's front.", "m"),
        Column("width_m", pl.Float64, "Width of the lane.", "m"),
        Column(
            "normal_deg",
            pl.Float64,
            "Direction in which the shopper stands, counter-clockwise from +x.",
            "deg",
        ),
    ),
    ("store_id", "slot_id"),
)

SLOT_VIEWS = _reference(
    "slot_views",
    "Which camera sees which slot or zone, and where in its picture.",
    (
        STORE_ID,
        CAMERA_ID,
        SLOT_ID,
        Column("is_zone", pl.Boolean, "True for a zone that only tells touches."),
        Column("polygon_px", pl.List(pl.List(pl.Float64)), "Outline in the picture.", "px"),
    ),
    ("store_id", "camera_id", "slot_id"),
)

PLANOGRAMS = _reference(
    "planograms",
    "What should stand where, from when on.",
    (
        STORE_ID,
        SLOT_ID,
        _VALID_FROM,
        PRODUCT_ID,
        Column("facings", pl.Int16, "Products side by side and behind.", "pieces"),
    ),
    ("store_id", "slot_id", "valid_from"),
)

PRODUCTS = _reference(
    "products",
    "Goods on sale.",
    (
        PRODUCT_ID,
        Column("name", pl.String, "Name on the receipt."),
        Column("category", pl.String, "Category."),
        Column("weight_g", pl.Float64, "Weight of one piece.", "g"),
    ),
    ("product_id",),
)

PRICES = _reference(
    "prices",
    "Unit prices per store, from when on.",
    (STORE_ID, PRODUCT_ID, _VALID_FROM, Column("price_fen", pl.Int64, "Price of one piece.", "fen")),
    ("store_id", "product_id", "valid_from"),
)

TABLES = (STORES, CAMERAS, SLOTS, SLOT_VIEWS, PLANOGRAMS, PRODUCTS, PRICES)
