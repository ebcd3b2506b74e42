"""Trajectories as a visit needs them: a row of `tracks` with its points, without what is nobody's visit.

Which camera tracks are one person was settled before, by place, time and clothing
(assets/vision/trajectories/merge.py). Where the cameras lost somebody all the same, the visit is in doubt and a person
judges it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from assets.orders.visits.joint_marginals import Floats
from assets.orders.visits.settings import BindingSettings
from lakehouse.store_day import StoreDay


@dataclass(frozen=True)
class Trajectory:
    """A row of `tracks` with its points: `times_s` (n,) seconds from the day's start, `places_m` (n, 2)."""

    track_id: str
    started_at: datetime
    ended_at: datetime
    ended_in_exit: bool
    times_s: Floats
    places_m: Floats


def read_trajectories(
    store_day: StoreDay,
    tracks: pl.DataFrame,
    track_points: pl.DataFrame,
    floor_m: tuple[float, float],
    settings: BindingSettings,
) -> list[Trajectory]:
    """Trajectories that begin on the day, by their start, from rows of `tracks` and `track_points`.

    `floor_m`: width and depth of the floor. A track that lies mostly outside of it is a reflection or a passer-by
    behind glass, and nobody's visit.
    """
    long_enough = (pl.col("ended_at") - pl.col("started_at")) >= timedelta(seconds=settings.shortest_track_s)
    on_day = pl.col("started_at").is_between(store_day.start_at, store_day.end_at, closed="left")
    seconds = (pl.col("captured_at") - store_day.start_at).dt.total_microseconds() / 1e6
    points = {
        str(track_id): group
        for (track_id,), group in track_points.sort("captured_at")
        .select("track_id", seconds.alias("time_s"), "x_m", "y_m")
        .partition_by("track_id", as_dict=True)
        .items()
    }
    found = []
    columns = ("track_id", "started_at", "ended_at", "ended_in_exit")
    chosen = tracks.filter(long_enough & on_day).select(columns).sort("started_at", "track_id")
    for row in chosen.iter_rows(named=True):
        if (path := points.get(row["track_id"])) is not None:
            times_s = path["time_s"].to_numpy().astype(np.float64)
            places_m = path.select("x_m", "y_m").to_numpy().astype(np.float64)
            if _is_inside(places_m, floor_m, settings):
                found.append(Trajectory(**row, times_s=times_s, places_m=places_m))
    return found


def _is_inside(places_m: Floats, floor_m: tuple[float, float], settings: BindingSettings) -> bool:
    low, high = -settings.floor_margin_m, np.array(floor_m) + settings.floor_margin_m
    return bool(((places_m >= low) & (places_m <= high)).all(axis=1).mean() >= settings.inside_share)
