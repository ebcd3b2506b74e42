"""A store as the cameras see it: its cameras, its slots and zones in their pictures, the planogram, entrance and
exit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.vision.arrays import Array
from assets.vision.camera import Camera


def cameras_of(rows: pl.DataFrame) -> dict[str, Camera]:
    """Cameras by id, from rows of orders/cameras of one store."""
    return {
        str(row["camera_id"]): Camera(
            camera_id=str(row["camera_id"]),
            width_px=row["width_px"],
            height_px=row["height_px"],
            matrix=np.asarray(row["matrix"], dtype=np.float64).reshape(3, 3),
            distortion=np.asarray(row["distortion"], dtype=np.float64),
            rotation=np.asarray(row["rotation"], dtype=np.float64).reshape(3, 3),
            translation_m=np.asarray(row["translation_m"], dtype=np.float64),
            kind=str(row["kind"]),
        )
        for row in rows.sort("camera_id").iter_rows(named=True)
    }


def views_of(slot_views: pl.DataFrame, planogram: pl.DataFrame) -> dict[str, tuple[list[SlotView], list[SlotView]]]:
    """Per camera its slots and its zones, from rows of orders/slot_views of one store and the day's planogram."""
    facings: Mapping[str, int] = dict(planogram.select("slot_id", "facings").iter_rows())
    found: dict[str, tuple[list[SlotView], list[SlotView]]] = {}
    for row in slot_views.sort("camera_id", "slot_id").iter_rows(named=True):
        polygon = np.asarray(row["polygon_px"], dtype=np.float64)
        view = SlotView(row["slot_id"], polygon, max(1, facings.get(row["slot_id"], 1)))
        found.setdefault(row["camera_id"], ([], []))[int(row["is_zone"])].append(view)
    return found


def planogram_on(planograms: pl.DataFrame, day: date) -> pl.DataFrame:
    """Planogram rows of one store that hold on a store-local date: slot_id, product_id, facings; one row a slot."""
    return (
        planograms.filter(pl.col("valid_from") <= day)
        .sort("slot_id", "valid_from")
        .group_by("slot_id", maintain_order=True)
        .agg(pl.col("product_id").last(), pl.col("facings").last())
    )


@dataclass(frozen=True)
class StorePlan:
    """What of a store's floor plan the trajectories need; polygons (n, 2) in metres."""

    store_id: str
    entrance_zone_m: Array
    exit_zone_m: Array


@dataclass(frozen=True)
class SlotView:
    """A slot (or a zone) in one camera's picture: `polygon_px` (n, 2), clockwise or not, in frame pixels."""

    slot_id: str
    polygon_px: npt.NDArray[np.floating]
    facings: int = 1
