"""Trajectories of a store-day, as Dagster assets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl

from assets.vision.floor_picture import floor_picture
from assets.vision.trajectories import checks
from lakehouse.contracts import store_reference, vision
from resources.steps.declare import table_assets
from resources.steps.facts import mean
from resources.steps.partitions import STORE_DAYS, store_day_of
from resources.steps.write_path import Report, Tables, TableWrite

if TYPE_CHECKING:
    from assets.vision.store_view import StorePlan


@table_assets(
    "trajectories",
    [
        (table, [vision.DETECTIONS, store_reference.CAMERAS, store_reference.STORES])
        for table in (vision.SIGHTINGS, vision.TRACK_POINTS, vision.TRACKS, vision.CLOTHING)
    ],
    checks=checks.DECLARED,
    partitions_def=STORE_DAYS,
    kinds=["scipy"],
)
def trajectories(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """One trajectory per person from the detections of all cameras."""
    from assets.vision import store_view
    from assets.vision.trajectories import merge
    from assets.vision.trajectories.camera_agreement import without

    started, day = time.monotonic(), store_day_of(context)
    detections = tables.read(vision.DETECTIONS, day)
    camera_rows = tables.read_store(store_reference.CAMERAS, day.store_id)
    stores = tables.read_store(store_reference.STORES, day.store_id)
    misplaced = misplaced_of_store(detections, camera_rows, stores)
    seen = without(detections, misplaced)
    found = merge.trajectories(seen, store_view.cameras_of(camera_rows), _plan(stores))
    seconds = round(time.monotonic() - started, 2)
    slots = tables.read_store(store_reference.SLOTS, day.store_id)
    picture = floor_picture(day, stores, slots, found.tracks, found.track_points)
    filled = found.sightings.filter("is_filled").height / max(1, found.sightings.height)
    yield from tables.write(
        context,
        [
            TableWrite(
                vision.SIGHTINGS,
                found.sightings,
                [
                    *checks.check_tracks_known(found.sightings, found.tracks),
                    checks.check_cameras_agree(misplaced, detections),
                ],
                {
                    "filled_share": round(filled, 4),
                    **{f"camera_hours_{reason}": count for reason, count in _counts(misplaced, "reason").items()},
                },
                may_empty=True,
            ),
            TableWrite(
                vision.TRACK_POINTS,
                found.track_points,
                checks.check_track_points(found.track_points, found.tracks, stores),
                {"mean_cameras": mean(found.track_points, "camera_count"), "floor_density": picture},
                may_empty=True,
            ),
            TableWrite(
                vision.TRACKS,
                found.tracks,
                checks.check_tracks(found.tracks, found.track_points),
                {
                    "mean_continuity": mean(found.tracks, "continuity_prob"),
                    "started_in_entrance_share": mean(found.tracks, "started_in_entrance"),
                    "ended_in_exit_share": mean(found.tracks, "ended_in_exit"),
                    "seconds": seconds,
                    "floor_density": picture,
                },
                may_empty=True,
            ),
            TableWrite(
                vision.CLOTHING,
                found.clothing,
                checks.check_tracks_known(found.clothing, found.tracks),
                {"mean_upper_share": mean(found.clothing, "upper_prob")},
                may_empty=True,
            ),
        ],
        store_day=day,
    )


def misplaced_of_store(detections: pl.DataFrame, cameras: pl.DataFrame, stores: pl.DataFrame) -> pl.DataFrame:
    """Cameras and capture hours that are left out, from rows of one store."""
    from assets.vision.store_view import cameras_of
    from assets.vision.trajectories.camera_agreement import misplaced_cameras

    floor_m = stores.select("floor_width_m", "floor_depth_m").row(0) if stores.height else (0.0, 0.0)
    return misplaced_cameras(detections, cameras_of(cameras), floor_m)


def _counts(frame: pl.DataFrame, column: str) -> dict[str, int]:
    return dict(frame.group_by(column).len().sort(column).iter_rows())


def _plan(stores: pl.DataFrame) -> StorePlan:
    import numpy as np

    from assets.vision.store_view import StorePlan

    if stores.is_empty():
        raise dg.Failure("the store has no reference data yet: run the job `reference` first", allow_retries=False)
    row = stores.row(0, named=True)
    return StorePlan(row["store_id"], np.asarray(row["entrance_zone_m"]), np.asarray(row["exit_zone_m"]))
