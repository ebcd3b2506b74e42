"""Shelf events, as a Dagster asset."""

from __future__ import annotations

import time
from collections.abc import Iterator

import dagster as dg
import polars as pl

from assets.vision.floor_picture import floor_picture
from assets.vision.shelf_events import checks
from assets.vision.trajectories.assets import misplaced_of_store
from lakehouse.contracts import orders, store_reference, vision
from lakehouse.store_day import StoreDay, capture_hour_of, rows_within
from resources.steps.declare import table_assets
from resources.steps.facts import mean
from resources.steps.metadata import Digest, Fact
from resources.steps.partitions import STORE_DAYS, store_day_of
from resources.steps.write_path import Report, Tables, TableWrite


@table_assets(
    "shelf_events",
    [
        (
            vision.SHELF_EVENTS,
            [
                vision.SLOT_EPISODES,
                vision.DETECTIONS,
                store_reference.CAMERAS,
                store_reference.STORES,
                vision.SIGHTINGS,
                vision.TRACK_POINTS,
                vision.TRACKS,
                store_reference.SLOTS,
                store_reference.PLANOGRAMS,
                orders.VISITS,
                orders.VISIT_TRACKS,
            ],
        )
    ],
    checks=checks.DECLARED,
    partitions_def=STORE_DAYS,
    kinds=["scipy"],
)
def shelf_events(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """Slot episodes of all cameras as events, each given to the person who stood there, or to nobody."""
    from assets.vision.basis import frame_digest
    from assets.vision.shelf_events import attribution
    from assets.vision.store_view import planogram_on
    from assets.vision.trajectories.camera_agreement import without

    started, day = time.monotonic(), store_day_of(context)
    planograms = tables.read_store(store_reference.PLANOGRAMS, day.store_id)
    planogram = planogram_on(planograms, day.business_date)
    slots = tables.read_store(store_reference.SLOTS, day.store_id)
    tracks, points = tables.read(vision.TRACKS, day), tables.read(vision.TRACK_POINTS, day)
    stores = tables.read_store(store_reference.STORES, day.store_id)
    cameras = tables.read_store(store_reference.CAMERAS, day.store_id)
    # A camera that does not look where it should sees other slots than those whose names it gives.
    misplaced = misplaced_of_store(tables.read(vision.DETECTIONS, day), cameras, stores)
    episodes = tables.read(vision.SLOT_EPISODES, day)
    kept = without(episodes, misplaced)
    found = attribution.attribute(
        kept,
        tables.read(vision.SIGHTINGS, day),
        points,
        slots,
        planogram,
        store_id=day.store_id,
        staff_tracks=_staff_tracks(tables, day),
    )
    # An event belongs to the hour in which it began, so that it is never kept longer than its own first
    # moment allows.
    events, _ = rows_within(day, found.with_columns(capture_hour=capture_hour_of("started_at")))
    moving = events.filter(pl.col("type") != "touch")
    facts: dict[str, Fact] = {
        f"{kind}_events": events.filter(pl.col("type") == kind).height for kind in vision.EVENT_TYPES
    }
    facts |= {
        "unmatched_rate": round(moving["track_id"].null_count() / max(1, moving.height), 4),
        "mean_event_confidence": mean(moving, "event_prob"),
        "mean_attribution_confidence": mean(moving, "attribution_prob"),
        "mean_cameras": mean(moving, "camera_count"),
        "episodes_left_out": episodes.height - kept.height,
        "seconds": round(time.monotonic() - started, 2),
        "planogram": Digest(frame_digest(planogram)),
    }
    facts["floor_density"] = floor_picture(day, stores, slots, tracks, points, events)
    yield from tables.write(
        context,
        [
            TableWrite(
                vision.SHELF_EVENTS,
                events,
                checks.check_shelf_events(events, slots, tracks),
                facts,
                may_empty=True,
            )
        ],
        store_day=day,
        planogram_version=frame_digest(planogram),
    )


def _staff_tracks(tables: Tables, day: StoreDay) -> frozenset[str]:
    staff = tables.read(orders.VISITS, day).filter(pl.col("state") == "staff")
    links = tables.read(orders.VISIT_TRACKS, day)
    return frozenset(links.join(staff.select("visit_id"), "visit_id")["track_id"])
