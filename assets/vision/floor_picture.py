"""The picture that a step reports: how many people were where."""

from __future__ import annotations

import polars as pl

from lakehouse.contracts import vision
from lakehouse.store_day import StoreDay
from resources.steps.metadata import Picture


def floor_picture(
    day: StoreDay,
    stores: pl.DataFrame,
    slots: pl.DataFrame,
    tracks: pl.DataFrame,
    points: pl.DataFrame,
    events: pl.DataFrame | None = None,
) -> Picture:
    """Nobody's way in particular: Dagster's event log outlives movement data."""
    from resources.floor_pictures.density import density_of, floor_density_png
    from resources.floor_pictures.plan import Plan

    drawn = vision.SHELF_EVENTS.schema.to_frame() if events is None else events
    plan, density = Plan.of_store(stores, day.store_id), density_of(slots, tracks, points, drawn)
    return Picture(floor_density_png(plan, density, title=f"{day.store_id}  {day.business_date}"))
