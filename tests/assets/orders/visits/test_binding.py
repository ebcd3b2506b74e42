"""Binding of gate scans to trajectories."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from assets.orders.visits import scans
from assets.orders.visits.binding import Binding, Floor, bind
from lakehouse.contracts.orders import VISIT_TRACKS, VISITS
from lakehouse.contracts.vision import TRACK_POINTS, TRACKS
from lakehouse.store_day import StoreDay, capture_hour

DAY = StoreDay("s001", date(2026, 11, 22))
NOON = DAY.start_at + timedelta(hours=12)
FLOOR = Floor(8.0, 6.0, {"gate-1": np.array([1.0, 0.5])})
GATE = (1.0, 0.5)


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def scan(account: str, seconds: float, direction: str = "entry", method: str = "alipay") -> dict[str, object]:
    return {
        "store_id": "s001",
        "account_id": account,
        "gate_id": "gate-1",
        "scanned_at": at(seconds),
        "direction": direction,
        "payment_method": method,
    }


def gate_frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    schema = {
        "store_id": pl.String,
        "account_id": pl.String,
        "gate_id": pl.String,
        "scanned_at": pl.Datetime("us", "UTC"),
        "direction": pl.String,
        "payment_method": pl.String,
    }
    return scans.from_landing(pl.DataFrame(rows, schema))


def walk(track_id: str, start: float, end: float, *, via: tuple[float, float] = (4.0, 4.0), leaves: bool = True):
    """A trajectory from the gate to `via` and back; without `leaves` it stays there."""
    stops = [GATE, via, GATE] if leaves else [GATE, via, via]
    times = np.arange(start, end, 0.5)
    phase = (times - start) / (end - start) * 2
    xs, ys = (np.interp(phase, [0, 1, 2], [stop[axis] for stop in stops]) for axis in (0, 1))
    points = pl.DataFrame(
        {
            "store_id": "s001",
            "capture_hour": [capture_hour(at(t)) for t in times],
            "track_id": track_id,
            "captured_at": [at(t) for t in times],
            "x_m": xs.astype(np.float32),
            "y_m": ys.astype(np.float32),
            "speed_m_s": np.ones(len(times), np.float32),
            "camera_count": np.ones(len(times), np.int8),
        },
        TRACK_POINTS.schema,
    )
    track = pl.DataFrame(
        {
            "store_id": "s001",
            "capture_hour": [capture_hour(at(start))],
            "track_id": track_id,
            "started_at": [at(times[0])],
            "ended_at": [at(times[-1])],
            "length_m": [10.0],
            "point_count": [len(times)],
            "started_in_entrance": True,
            "ended_in_exit": leaves,
            "continuity_prob": [0.9],
        },
        TRACKS.schema,
    )
    return track, points


def run(gate_rows: list[dict[str, object]], walks: list[tuple[pl.DataFrame, pl.DataFrame]]) -> Binding:
    tracks = pl.concat([track for track, _ in walks]) if walks else pl.DataFrame(schema=TRACKS.schema)
    points = pl.concat([path for _, path in walks]) if walks else pl.DataFrame(schema=TRACK_POINTS.schema)
    return bind(DAY, gate_frame(gate_rows), tracks, points, FLOOR)


def account_of(binding: Binding) -> dict[str, str | None]:
    joined = binding.visit_tracks.join(binding.visits, "visit_id")
    return dict(joined.select("track_id", "account_id").iter_rows())


def test_three_shoppers_in_a_row_are_told_apart() -> None:
    binding = run(
        [
            scan("a", 0),
            scan("b", 5),
            scan("c", 9),
            scan("a", 60, "exit"),
            scan("b", 80, "exit"),
            scan("c", 70, "exit"),
        ],
        [walk("t1", 0.5, 60), walk("t2", 5.5, 80), walk("t3", 9.5, 70)],
    )
    assert account_of(binding) == {"t1": "a", "t2": "b", "t3": "c"}
    assert set(binding.visits["state"]) == {"closed"}
    assert binding.visits["binding_prob"].min() > 0.9
    assert binding.visits.schema == VISITS.schema
    assert binding.visit_tracks.schema == VISIT_TRACKS.schema


def test_two_who_enter_together_are_separated_by_their_exits() -> None:
    binding = run(
        [scan("a", 0), scan("b", 0.4), scan("a", 40, "exit"), scan("b", 90, "exit")],
        [walk("t1", 0.4, 90), walk("t2", 0.5, 40)],
    )
    assert account_of(binding) == {"t1": "b", "t2": "a"}


def test_two_who_cannot_be_told_apart_are_in_doubt() -> None:
    binding = run([scan("a", 0), scan("b", 0)], [walk("t1", 0.5, 60, leaves=False), walk("t2", 0.5, 60, leaves=False)])
    assert binding.visits["binding_prob"].to_list() == pytest.approx([0.5, 0.5], abs=0.05)


def test_tailgater_has_no_account_and_takes_nobody_elses() -> None:
    binding = run([scan("a", 0), scan("a", 60, "exit")], [walk("t1", 0.5, 60), walk("t2", 2.5, 55)])
    assert account_of(binding) == {"t1": "a", "t2": None}
    unscanned = binding.visits.filter(pl.col("account_id").is_null())
    assert unscanned["state"].to_list() == ["no_account"]
    assert unscanned["binding_prob"].item() > 0.9
    assert unscanned["exited_at"].item() is not None


def test_scan_without_trajectory_is_a_visit_without_one() -> None:
    binding = run([scan("a", 0)], [])
    assert binding.visits.select("state", "has_track", "binding_prob").row(0) == ("open", False, 0.0)


def test_far_trajectory_is_not_taken_for_a_scan() -> None:
    binding = run([scan("a", 0)], [walk("t1", 500, 600)])
    assert account_of(binding) == {"t1": None}


def test_a_trajectory_that_breaks_off_before_the_exit_scan_is_in_doubt() -> None:
    whole = run([scan("a", 0), scan("a", 60, "exit")], [walk("t1", 0.5, 58)])
    broken = run([scan("a", 0), scan("a", 60, "exit")], [walk("t1", 0.5, 30, leaves=False)])
    late = run([scan("a", 0), scan("a", 60, "exit")], [walk("t1", 20, 60)])
    assert whole.visits["binding_prob"].item() > 0.9
    for binding in (broken, late):
        assert account_of(binding) == {"t1": "a"}
        assert 0.2 < binding.visits["binding_prob"].item() < 0.5


def part(whole: tuple[pl.DataFrame, pl.DataFrame], name: str, start: float, end: float) -> tuple[pl.DataFrame, ...]:
    """A piece of a trajectory as if the cameras had seen only that."""
    track, points = whole
    seen = points.filter(pl.col("captured_at").is_between(at(start), at(end)))
    lone = track.with_columns(
        pl.lit(name).alias("track_id"),
        pl.lit(seen["captured_at"].min()).alias("started_at"),
        pl.lit(seen["captured_at"].max()).alias("ended_at"),
        (pl.col("started_in_entrance") & (pl.col("started_at") == seen["captured_at"].min())),
        (pl.col("ended_in_exit") & (pl.col("ended_at") == seen["captured_at"].max())),
    )
    return lone, seen.with_columns(pl.lit(name).alias("track_id"))


def test_a_visit_of_which_the_cameras_lost_a_part_is_in_doubt_and_the_rest_is_not_forgotten() -> None:
    a = walk("a", 0.5, 60)
    pieces = [part(a, "a1", 0, 31), part(a, "a2", 33, 60)]
    binding = run([scan("a", 0), scan("a", 60, "exit")], pieces)
    assert account_of(binding) == {"a1": "a", "a2": None}
    by_state = dict(binding.visits.select("state", "binding_prob").iter_rows())
    assert by_state["closed"] < 0.5, "below the threshold of review"
    assert set(by_state) == {"closed", "no_account"}


def test_two_people_one_after_the_other_are_not_one() -> None:
    binding = run(
        [scan("a", 0), scan("b", 41), scan("b", 80, "exit")],
        [walk("t1", 0.5, 40, leaves=False), walk("t2", 41, 80)],
    )
    assert account_of(binding) == {"t1": "a", "t2": "b"}


def test_a_reflection_behind_the_wall_is_nobodys_visit() -> None:
    track, points = walk("t1", 0, 60)
    binding = run([], [(track, points.with_columns((pl.col("y_m") + 7.0).alias("y_m")))])
    assert binding.visits.is_empty()


def test_staff_is_staff_and_who_stays_is_open() -> None:
    binding = run([scan("s", 0, method="staff"), scan("a", 30)], [walk("t1", 0, 50), walk("t2", 30, 90, leaves=False)])
    assert dict(binding.visits.select("account_id", "state").iter_rows()) == {"s": "staff", "a": "open"}


def test_second_scan_of_a_hesitating_shopper_is_no_second_visit() -> None:
    binding = run([scan("a", 0), scan("a", 2), scan("a", 60, "exit")], [walk("t1", 1, 60)])
    assert binding.visits.height == 1


def test_order_of_rows_does_not_matter_and_reruns_agree() -> None:
    gate = [scan("a", 0), scan("b", 5), scan("a", 60, "exit"), scan("b", 80, "exit")]
    walks = [walk("t1", 0.5, 60), walk("t2", 5.5, 80), walk("t3", 20, 50)]
    expected = run(gate, walks)
    for seed in range(5):
        shuffled = random.Random(seed)
        shuffled.shuffle(gate)
        shuffled.shuffle(walks)
        again = run(gate, walks)
        assert again.visits.equals(expected.visits)
        assert again.visit_tracks.equals(expected.visit_tracks)


def test_same_scan_delivered_twice_is_one_row_and_an_empty_arrival_changes_nothing() -> None:
    once = gate_frame([scan("a", 0)])
    assert gate_frame([scan("a", 0), scan("a", 0)]).equals(once)
    assert scans.with_known(once, gate_frame([])).equals(once)
    assert scans.with_known(once, gate_frame([scan("b", 3), scan("a", 0)])).height == 2
