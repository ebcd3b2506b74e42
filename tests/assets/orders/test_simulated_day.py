"""The whole way from landing files to scored receipts, with events as true as cameras could see them."""

from __future__ import annotations

import polars as pl
import pytest

from assets.orders.baskets.checks import check_baskets
from assets.orders.billing.checks import check_orders, check_reconciled
from assets.orders.reference.checks import check_reference
from assets.orders.visits.checks import check_visits
from evaluation import receipts
from lakehouse.audit import failed
from resources.floor_pictures.density import CELL_M, density_of, floor_density_png
from resources.floor_pictures.plan import MAX_BYTES, Plan
from resources.floor_pictures.trajectories import floor_trajectories_png
from tests.assets.orders.simulated import SimulatedDay, simulate


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> SimulatedDay:
    return simulate(tmp_path_factory.mktemp("home"), seed=7)


def test_every_trajectory_is_bound_to_its_own_account(day: SimulatedDay) -> None:
    joined = day.binding.visit_tracks.join(day.binding.visits, "visit_id")
    assert dict(joined.select("track_id", "account_id").iter_rows()) == day.true_account
    assert joined["binding_prob_right"].min() > 0.8


def test_receipts_are_right_but_for_what_no_camera_sees(day: SimulatedDay) -> None:
    found = receipts.StoreDayRows(
        day.settlement.orders, day.settlement.order_lines, day.settlement.review_items, day.binding.visits
    )
    summary = receipts.report(found, receipts.read_truth(day.truth))
    by_scenario = summary["by_scenario"]
    wrong = {name for name, row in by_scenario.items() if row["exact_match"] < 1.0}
    assert wrong <= {"hand_over", "wrong_slot"}
    assert summary["precision"] >= 0.9
    assert summary["pieces_without_account"] == 1
    assert "no_account" in day.settlement.review_items["reason"].to_list()


def test_all_checks_hold(day: SimulatedDay) -> None:
    frames, settled = day.reference.frames, day.settlement
    visits, links = day.binding.visits, day.binding.visit_tracks
    results = [
        *check_reference(*(frames[n] for n in ("slots", "slot_views", "cameras", "planograms", "products", "prices"))),
        *check_visits(visits, links),
        *check_baskets(day.netting.baskets, visits, day.shelf_events, frames["products"]),
        *check_orders(settled.orders, settled.order_lines, visits, frames["products"]),
        *check_reconciled(
            day.shelf_events,
            links,
            day.netting.baskets,
            settled.orders,
            settled.order_lines,
            settled.review_items,
        ),
    ]
    assert failed(results) == []


def test_the_ways_are_a_small_picture(day: SimulatedDay) -> None:
    import cv2
    import numpy as np

    plan = Plan.of_store(day.reference.frames["stores"], day.store_day.store_id)
    drawn = floor_trajectories_png(
        plan, day.reference.frames["slots"], day.track_points, day.shelf_events, title="a day"
    )
    assert len(drawn) <= MAX_BYTES
    picture = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR)
    blank = floor_trajectories_png(
        plan, day.reference.frames["slots"], day.track_points.clear(), day.shelf_events.clear(), title="a day"
    )
    empty = cv2.imdecode(np.frombuffer(blank, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == empty.shape
    assert (picture != empty).any(axis=2).mean() > 0.01, "trajectories are on it"
    again = floor_trajectories_png(
        plan, day.reference.frames["slots"], day.track_points, day.shelf_events, title="a day"
    )
    assert again == drawn


def test_a_day_fills_the_density_and_the_quiet_corners_stay_blank(day: SimulatedDay) -> None:
    slots = day.reference.frames["slots"]
    density = density_of(slots, day.tracks, day.track_points, day.shelf_events)
    visited = day.track_points.select((pl.col("x_m", "y_m") / CELL_M).floor()).unique().height
    assert visited / 10 < density.cells.height < visited
    assert density.cells["person_s"].sum() <= day.track_points.height / 10
    assert "pick" in density.handled["type"].to_list()
    plan = Plan.of_store(day.reference.frames["stores"], day.store_day.store_id)
    assert len(floor_density_png(plan, density, title="a day")) <= MAX_BYTES
