"""Trajectories as a visit needs them: the tracks of one person in a row, mended where the cameras lost them
for a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.orders.association import Floats, associate
from lakehouse.store_day import StoreDay


@dataclass(frozen=True)
class MendingSettings:
    """When one track goes on where another broke off. Lengths in metres, times in seconds.

    `distance_m` and `walk_m_s`: spread of the new beginning around the old end, at once and per second of
    gap; `gap_s`: mean gap; `longest_gap_s`: none is longer; `overlap_s`: by how much both may be seen at
    once; `shortest_track_s`: shorter ones are nobody; `gate_m`: who is lost this near to a gate has left, who
    is found there has come, for at the gate people hide each other.
    """

    distance_m: float = 0.6
    walk_m_s: float = 1.0
    gap_s: float = 3.0
    longest_gap_s: float = 10.0
    overlap_s: float = 1.0
    shortest_track_s: float = 2.0
    gate_m: float = 2.5
    margin_m: float = 0.3
    window_s: float = 60.0


@dataclass(frozen=True)
class Track:
    """A row of `tracks` with its points: `times_s` (n,) seconds from the day's start, `places_m` (n, 2)."""

    track_id: str
    started_at: datetime
    ended_at: datetime
    started_in_entrance: bool
    ended_in_exit: bool
    times_s: Floats
    places_m: Floats


@dataclass(frozen=True)
class Trajectory:
    """The tracks of one person, in the order of time. `mended_prob`: that they are one person's."""

    parts: tuple[Track, ...]
    mended_prob: float
    times_s: Floats
    places_m: Floats

    @property
    def started_at(self) -> datetime:
        """First sight."""
        return self.parts[0].started_at

    @property
    def ended_at(self) -> datetime:
        """Last sight."""
        return self.parts[-1].ended_at

    @property
    def ended_in_exit(self) -> bool:
        """Whether it ends in the exit zone."""
        return self.parts[-1].ended_in_exit


def read_trajectories(
    store_day: StoreDay,
    tracks: pl.DataFrame,
    track_points: pl.DataFrame,
    floor_m: tuple[float, float],
    gates_m: Floats,
    settings: MendingSettings | None = None,
) -> list[Trajectory]:
    """Trajectories that begin on the day, by their start, from rows of `tracks` and `track_points`.

    `floor_m`: width and depth of the floor; `gates_m` (g, 2): the gates. A track that lies mostly outside of
    the floor is a reflection or a passer-by behind glass, and nobody's visit.
    """
    settings = settings or MendingSettings()
    single = [
        track for track in _tracks(store_day, tracks, track_points, settings) if _is_inside(track, floor_m, settings)
    ]
    found = associate(_continuations(single, floor_m[0] * floor_m[1], gates_m, settings))
    follows = {
        int(before): (int(after), float(prob))
        for (before, after), prob in zip(found.pairs, found.pair_prob, strict=True)
    }
    continued = {after for after, _ in follows.values()}
    chains = []
    for first in (index for index in range(len(single)) if index not in continued):
        chain, prob, last = [single[first]], 1.0, first
        while last in follows:
            last, link_prob = follows[last]
            chain.append(single[last])
            prob *= link_prob
        chains.append(_joined(tuple(chain), prob))
    return chains


def _tracks(
    store_day: StoreDay, tracks: pl.DataFrame, track_points: pl.DataFrame, settings: MendingSettings
) -> list[Track]:
    long_enough = (pl.col("ended_at") - pl.col("started_at")) >= timedelta(seconds=settings.shortest_track_s)
    on_day = pl.col("started_at").is_between(store_day.start_at, store_day.end_at, closed="left")
    columns = ("track_id", "started_at", "ended_at", "started_in_entrance", "ended_in_exit")
    seconds = (pl.col("captured_at") - store_day.start_at).dt.total_microseconds() / 1e6
    points = {
        str(track_id): group
        for (track_id,), group in track_points.sort("captured_at")
        .select("track_id", seconds.alias("time_s"), "x_m", "y_m")
        .partition_by("track_id", as_dict=True)
        .items()
    }
    found = []
    chosen = tracks.filter(long_enough & on_day).select(columns).sort("started_at", "track_id")
    for row in chosen.iter_rows(named=True):
        if (path := points.get(row["track_id"])) is not None:
            times_s = path["time_s"].to_numpy().astype(np.float64)
            places_m = path.select("x_m", "y_m").to_numpy().astype(np.float64)
            found.append(Track(**row, times_s=times_s, places_m=places_m))
    return found


def _is_inside(track: Track, floor_m: tuple[float, float], settings: MendingSettings) -> bool:
    low, high = -settings.margin_m, np.array(floor_m) + settings.margin_m
    return bool(((track.places_m >= low) & (track.places_m <= high)).all(axis=1).mean() >= 0.5)


def _continuations(tracks: Sequence[Track], area_m2: float, gates_m: Floats, settings: MendingSettings) -> Floats:
    """(n, n): log-likelihood that the column's track goes on where the row's broke off, over that of two
    people."""
    count = len(tracks)
    if not count:
        return np.empty((0, 0))
    begin_s = np.array([track.times_s[0] for track in tracks])
    end_s = np.array([track.times_s[-1] for track in tracks])
    begin_m = np.array([track.places_m[0] for track in tracks])
    end_m = np.array([track.places_m[-1] for track in tracks])
    broke_off = np.array([not track.ended_in_exit for track in tracks])
    broke_off &= _far(end_m, gates_m, settings.gate_m)
    from_nowhere = np.array([not track.started_in_entrance for track in tracks])
    from_nowhere &= _far(begin_m, gates_m, settings.gate_m)
    gap_s = begin_s[None, :] - end_s[:, None]
    distance2 = np.sum((begin_m[None, :] - end_m[:, None]) ** 2, axis=2)
    spread = np.hypot(settings.distance_m, settings.walk_m_s * gap_s)
    near = -distance2 / (2 * spread**2) - np.log(2 * np.pi * spread**2)
    soon = -np.abs(gap_s) / settings.gap_s - np.log(settings.gap_s)
    possible = (gap_s >= -settings.overlap_s) & (gap_s <= settings.longest_gap_s)
    possible &= broke_off[:, None] & from_nowhere[None, :] & (begin_s[:, None] < begin_s[None, :])
    ratio: Floats = np.where(possible, near + soon + np.log(area_m2 * settings.window_s), -np.inf)
    return ratio


def _far(places_m: Floats, gates_m: Floats, limit_m: float) -> npt.NDArray[np.bool_]:
    """(n,) whether a place is farther than the limit from every gate."""
    distances = np.linalg.norm(places_m[:, None, :] - gates_m.reshape(1, -1, 2), axis=2)
    return np.asarray((distances > limit_m).all(axis=1))


def _joined(parts: tuple[Track, ...], prob: float) -> Trajectory:
    times_s = np.concatenate([part.times_s for part in parts])
    places_m = np.concatenate([part.places_m for part in parts])
    order = np.argsort(times_s, kind="stable")
    return Trajectory(parts, prob, times_s[order], places_m[order])
