"""Visits: which scan at the gate belongs to which trajectory, who came in without one, who is staff.

Scans and trajectories are assigned jointly by place and time: a shopper stands at the gate when the account is scanned,
the trajectory begins there and then, and ends at the exit scan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from assets.orders.ids import instant_text, short_hash
from assets.orders.visits.joint_marginals import Floats, associate
from assets.orders.visits.settings import BindingSettings
from assets.orders.visits.trajectories import Trajectory, read_trajectories
from lakehouse.contracts.orders import VISIT_TRACKS, VISITS
from lakehouse.store_day import StoreDay, capture_hour

_NO_TRACK_PROB = 0.0
"""Binding probability of a visit without a track."""


@dataclass(frozen=True)
class Floor:
    """What binding needs of a store: its extent and its gates, (2,) metres each."""

    width_m: float
    depth_m: float
    gates: Mapping[str, Floats]

    @property
    def area_m2(self) -> float:
        """Area of the floor."""
        return self.width_m * self.depth_m

    @classmethod
    def of_store(cls, stores: pl.DataFrame, store_id: str) -> Floor:
        """From the `stores` table. Raises ValueError for a store that is not in it."""
        rows = stores.filter(pl.col("store_id") == store_id).rows(named=True)
        if not rows:
            raise ValueError(f"store {store_id} has no reference data")
        row = rows[0]
        positions = (np.asarray(position, dtype=np.float64) for position in row["gate_positions_m"])
        gates = dict(zip(row["gate_ids"], positions, strict=True))
        return cls(row["floor_width_m"], row["floor_depth_m"], gates)


@dataclass(frozen=True)
class Binding:
    """Rows of `visits` and `visit_tracks`."""

    visits: pl.DataFrame
    visit_tracks: pl.DataFrame


@dataclass(frozen=True)
class _Scan:
    gate_event_id: str
    account_id: str
    gate_id: str
    scanned_at: datetime
    payment_method: str


@dataclass(frozen=True)
class _Stay:
    """A pair of scans of one account; one of them may be missing."""

    entry: _Scan | None
    exit: _Scan | None

    @property
    def first(self) -> _Scan:
        scan = self.entry or self.exit
        assert scan is not None
        return scan


def bind(
    store_day: StoreDay,
    gate_events: pl.DataFrame,
    tracks: pl.DataFrame,
    track_points: pl.DataFrame,
    floor: Floor,
    settings: BindingSettings | None = None,
) -> Binding:
    """Visits of a store-day.

    `gate_events`, `tracks`, `track_points`: rows of those tables for the day; scans of the day before and
    after may be among them (a stay over midnight), only visits that begin on the day come out. The order of
    rows does not matter.
    """
    settings = settings or BindingSettings()
    stays = _stays(gate_events, settings)
    followed = read_trajectories(store_day, tracks, track_points, (floor.width_m, floor.depth_m), settings)
    found = associate(_log_ratios(store_day.start_at, stays, followed, floor, settings))
    bound = {
        int(row): (int(column), float(prob)) for (row, column), prob in zip(found.pairs, found.pair_prob, strict=True)
    }
    rows: list[dict[str, object]] = []
    links: list[dict[str, object]] = []
    for index, stay in enumerate(stays):
        column, prob = bound.get(index, (None, _NO_TRACK_PROB))
        trajectory = None if column is None else followed[column]
        prob *= _whole_prob(store_day.start_at, stay, trajectory, floor, settings)
        row = _visit(store_day, stay, trajectory, prob)
        if StoreDay.of_instant(store_day.store_id, row["entered_at"]) == store_day:  # type: ignore[arg-type]
            rows.append(row)
            links += _links(store_day, trajectory, row)
    taken = {column for column, _ in bound.values()}
    same_moment: dict[datetime, int] = {}
    for column, trajectory in enumerate(followed):
        if column in taken:
            continue
        moment = trajectory.started_at
        same_moment[moment] = same_moment.get(moment, -1) + 1
        row = _unscanned(store_day, trajectory, same_moment[moment], float(found.column_alone_prob[column]))
        rows.append(row)
        links += _links(store_day, trajectory, row)
    return Binding(
        pl.DataFrame(rows, VISITS.schema).sort("entered_at", "visit_id"),
        pl.DataFrame(links, VISIT_TRACKS.schema).sort("started_at", "track_id"),
    )


def _stays(gate_events: pl.DataFrame, settings: BindingSettings) -> list[_Stay]:
    """Entry and exit scans in pairs: an exit closes the account's oldest open stay, so that one account may
    bring in several people."""
    open_stays: dict[str, list[_Scan]] = {}
    last_scan: dict[tuple[str, str, str], datetime] = {}
    stays: list[_Stay] = []
    columns = ("gate_event_id", "account_id", "gate_id", "scanned_at", "payment_method", "direction")
    for *fields, direction in gate_events.select(columns).sort("scanned_at", "gate_event_id").iter_rows():
        scan = _Scan(*fields)
        key = (scan.account_id, scan.gate_id, direction)
        before = last_scan.get(key)
        last_scan[key] = scan.scanned_at
        if before is not None and scan.scanned_at - before <= timedelta(seconds=settings.rescan_s):
            continue
        waiting = open_stays.setdefault(scan.account_id, [])
        if direction == "entry":
            waiting.append(scan)
        else:
            stays.append(_Stay(waiting.pop(0) if waiting else None, scan))
    stays += [_Stay(scan, None) for waiting in open_stays.values() for scan in waiting]
    return sorted(stays, key=lambda stay: (stay.first.scanned_at, stay.first.gate_event_id))


def _log_ratios(
    origin: datetime,
    stays: Sequence[_Stay],
    tracks: Sequence[Trajectory],
    floor: Floor,
    settings: BindingSettings,
) -> Floats:
    """(stays, tracks): log of how much likelier it is that they belong together than that the scan has no trajectory
    and the trajectory no scan. What does not belong together is found anywhere on the floor, any time in the window."""
    alone = np.log(settings.untracked_prob) + np.log(settings.without_scan_prob)
    ratio = np.full((len(stays), len(tracks)), -alone)
    for side, is_start, stray in (
        ("entry", True, settings.entry_stray_prob),
        ("exit", False, settings.exit_stray_prob),
    ):
        scans = [(row, scan) for row, stay in enumerate(stays) if (scan := getattr(stay, side)) is not None]
        if not scans:
            continue
        rows = np.array([row for row, _ in scans])
        times_s = np.array([(scan.scanned_at - origin).total_seconds() for _, scan in scans])
        gates = np.array([_gate(floor, scan.gate_id) for _, scan in scans])
        for column, track in enumerate(tracks):
            ratio[rows, column] += _scan_log_ratio(track, times_s, gates, is_start, stray, floor, settings)
    return np.where(_possible(origin, stays, tracks, settings), ratio, -np.inf)


def _possible(
    origin: datetime, stays: Sequence[_Stay], tracks: Sequence[Trajectory], settings: BindingSettings
) -> NDArray[np.bool_]:
    """(stays, tracks): whether the trajectory begins (or, for a lone exit scan, ends) within the window."""
    first_s = np.array([(stay.first.scanned_at - origin).total_seconds() for stay in stays])
    has_entry = np.array([stay.entry is not None for stay in stays], dtype=bool)
    begin = np.array([track.times_s[0] for track in tracks])
    end = np.array([track.times_s[-1] for track in tracks])
    lag_s = first_s[:, None] - np.where(has_entry[:, None], begin[None, :], end[None, :])
    possible: NDArray[np.bool_] = np.abs(lag_s) <= settings.window_s
    return possible


def _scan_log_ratio(
    track: Trajectory,
    times_s: Floats,
    gates: Floats,
    is_start: bool,
    stray: float,
    floor: Floor,
    settings: BindingSettings,
) -> Floats:
    """(n,) of scans at `times_s` (n,) and `gates` (n, 2): log of how much better the track explains each than chance
    does."""
    begin, end = track.times_s[0], track.times_s[-1]
    seen_s = np.clip(times_s, begin, end)
    place = np.stack([np.interp(seen_s, track.times_s, track.places_m[:, axis]) for axis in (0, 1)], axis=1)
    spread = np.hypot(settings.gate_distance_m, settings.walk_m_s * np.abs(times_s - seen_s))
    distance2 = np.sum((place - gates) ** 2, axis=1)
    lag_s = np.abs(times_s - (begin if is_start else end))
    near = np.exp(-distance2 / (2 * spread**2)) / (2 * np.pi * spread**2)
    soon = np.exp(-lag_s / settings.start_lag_s) / (2 * settings.start_lag_s)
    chance = 1.0 / (floor.area_m2 * settings.window_s)
    return np.log((1.0 - stray) * near * soon / chance + stray)  # type: ignore[no-any-return]


def _gate(floor: Floor, gate_id: str) -> Floats:
    if gate_id not in floor.gates:
        raise ValueError("a scan names a gate that the store does not have")
    return floor.gates[gate_id]


def _visit(store_day: StoreDay, stay: _Stay, track: Trajectory | None, prob: float) -> dict[str, object]:
    entered_at = stay.entry.scanned_at if stay.entry else None
    if entered_at is None:
        entered_at = track.started_at if track else stay.first.scanned_at
    exited_at = stay.exit.scanned_at if stay.exit else _left_at(track)
    is_staff = stay.first.payment_method == "staff"
    return {
        "store_id": store_day.store_id,
        "business_date": StoreDay.of_instant(store_day.store_id, entered_at).business_date.isoformat(),
        "visit_id": short_hash("visit", store_day.store_id, stay.first.gate_event_id),
        "account_id": stay.first.account_id,
        "entered_at": entered_at,
        "exited_at": exited_at,
        "payment_method": stay.first.payment_method,
        "state": "staff" if is_staff else "open" if exited_at is None else "closed",
        "has_track": track is not None,
        "binding_prob": prob,
    }


def _unscanned(store_day: StoreDay, track: Trajectory, ordinal: int, prob: float) -> dict[str, object]:
    """The visit of somebody without a scan. Its id comes from the moment of first sight, not from the track's id, which
    dies with the trajectory."""
    moment = instant_text(track.started_at)
    return {
        "store_id": store_day.store_id,
        "business_date": store_day.business_date.isoformat(),
        "visit_id": short_hash("unscanned", store_day.store_id, moment, str(ordinal)),
        "account_id": None,
        "entered_at": track.started_at,
        "exited_at": _left_at(track),
        "payment_method": None,
        "state": "no_account",
        "has_track": True,
        "binding_prob": prob,
    }


def _whole_prob(
    origin: datetime, stay: _Stay, track: Trajectory | None, floor: Floor, settings: BindingSettings
) -> float:
    """Probability that the trajectory shows the whole stay: nobody saw what happened after it broke off or went on with
    somebody else."""
    if track is None:
        return 1.0
    prob = 1.0
    for scan in (stay.entry, stay.exit):
        if scan is not None and _misses(track, scan, origin, floor, settings):
            prob *= 1.0 - settings.broken_prob
    return prob


def _misses(track: Trajectory, scan: _Scan, origin: datetime, floor: Floor, settings: BindingSettings) -> bool:
    """Whether the trajectory was not at the gate when the account was scanned."""
    scanned_s = (scan.scanned_at - origin).total_seconds()
    seen_s = min(max(scanned_s, float(track.times_s[0])), float(track.times_s[-1]))
    place = [np.interp(seen_s, track.times_s, track.places_m[:, axis]) for axis in (0, 1)]
    away_m = float(np.hypot(*(np.array(place) - _gate(floor, scan.gate_id))))
    gap_s = abs(scanned_s - seen_s)
    return gap_s > settings.longest_gap_s or away_m > settings.farthest_m + settings.walk_m_s * gap_s


def _left_at(track: Trajectory | None) -> datetime | None:
    return track.ended_at if track is not None and track.ended_in_exit else None


def _links(store_day: StoreDay, track: Trajectory | None, visit: Mapping[str, object]) -> list[dict[str, object]]:
    if track is None:
        return []
    return [
        {
            "store_id": store_day.store_id,
            "capture_hour": capture_hour(track.started_at),
            "track_id": track.track_id,
            "visit_id": visit["visit_id"],
            "started_at": track.started_at,
            "binding_prob": visit["binding_prob"],
        }
    ]
