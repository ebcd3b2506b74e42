"""Checks of vision/shelf_events. Counts only, never a value."""

from __future__ import annotations

import polars as pl

from lakehouse.audit import ExpectationResult, identity_check, no_strangers
from resources.steps.specs import DomainCheck

DECLARED: dict[str, tuple[DomainCheck, ...]] = {
    "vision/shelf_events": (
        DomainCheck("slots_known", "Every event names a slot of the store."),
        DomainCheck("tracks_known", "Every event names a track that exists, or none."),
        DomainCheck("ends_after_it_began", "started_at, happened_at and ended_at follow one another."),
    ),
}


def check_shelf_events(events: pl.DataFrame, slots: pl.DataFrame, tracks: pl.DataFrame) -> list[ExpectationResult]:
    """Results for vision/shelf_events."""
    named = events.filter(pl.col("track_id").is_not_null())
    disordered = events.filter(
        (pl.col("happened_at") < pl.col("started_at")) | (pl.col("ended_at") < pl.col("happened_at"))
    ).height
    return [
        no_strangers("slots_known", events, slots, "slot_id"),
        no_strangers("tracks_known", named, tracks, "track_id"),
        identity_check("ends_after_it_began", disordered, events.height, column="ended_at"),
    ]
