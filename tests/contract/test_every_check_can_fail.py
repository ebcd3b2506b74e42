"""Every check is fed a violation and sees it; on good rows it holds. A check that cannot fail says nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from assets.orders.baskets import checks as baskets_checks
from assets.orders.baskets.checks import check_baskets
from assets.orders.billing import checks as billing_checks
from assets.orders.billing.checks import check_orders, check_reconciled
from assets.orders.reference import checks as reference_checks
from assets.orders.reference.checks import check_reference, check_waiting
from assets.orders.visits import checks as visits_checks
from assets.orders.visits.checks import check_gate_events, check_visits
from assets.vision.clip_analysis import checks as clip_analysis_checks
from assets.vision.clip_analysis.checks import check_detections, check_slot_episodes
from assets.vision.footage import checks as footage_checks
from assets.vision.footage.checks import check_footage_segments
from assets.vision.shelf_events import checks as shelf_events_checks
from assets.vision.shelf_events.checks import check_shelf_events
from assets.vision.trajectories import checks as trajectories_checks
from assets.vision.trajectories.checks import check_cameras_agree, check_track_points, check_tracks, check_tracks_known
from lakehouse.audit import ExpectationResult, run_expectations
from lakehouse.contract import Expectation, TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.store_reference import CAMERAS, SLOT_VIEWS, SLOTS, STORES
from lakehouse.contracts.vision import (
    CLOTHING,
    DETECTIONS,
    FOOTAGE_SEGMENTS,
    SHELF_EVENTS,
    SIGHTINGS,
    SLOT_EPISODES,
    TRACK_POINTS,
    TRACKS,
)
from resources.steps.write_path import TableWrite, _contract_result, checked
from tests.assets.orders.test_checks import day as orders_day  # noqa: F401 - a fixture

NOW = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)
VISION_DECLARED = {
    **footage_checks.DECLARED,
    **clip_analysis_checks.DECLARED,
    **trajectories_checks.DECLARED,
    **shelf_events_checks.DECLARED,
}
ORDERS_DECLARED = {
    **reference_checks.DECLARED,
    **visits_checks.DECLARED,
    **baskets_checks.DECLARED,
    **billing_checks.DECLARED,
}
PROMISES = [(contract, promise) for contract in CONTRACTS.values() for promise in contract.expectations]


def rows_of(contract: TableContract, *rows: dict[str, object]) -> pl.DataFrame:
    """Rows in the contract's schema; columns that are not named hold something harmless of their type."""
    filled = [{name: _harmless(name, kind) for name, kind in contract.schema.items()} | row for row in rows]
    return pl.DataFrame(filled, schema=contract.schema)


def _harmless(name: str, kind: pl.DataType) -> object:
    if isinstance(kind, pl.List):
        return []
    if name == "capture_hour":
        return "2026-11-22T04Z"
    if name == "business_date":
        return "2026-11-22"
    values = {
        pl.String: "a",
        pl.Boolean: False,
        pl.Binary: b"",
        pl.Date: date(2026, 11, 22),
        pl.Datetime: NOW,
    }
    return values.get(type(kind), 1)


def _rows_for(contract: TableContract, promise: Expectation, holds: bool) -> pl.DataFrame:
    columns = [promise.column] if promise.column else list(promise.kwargs["column_list"])  # type: ignore[call-overload]
    match promise.type:
        case "expect_column_values_to_not_be_null":
            values = [_harmless(columns[0], contract.schema[columns[0]]) if holds else None] * 2
            return rows_of(contract, *({columns[0]: value} for value in values))
        case "expect_column_values_to_be_between":
            low, high = promise.kwargs.get("min_value"), promise.kwargs.get("max_value")
            inside = low if low is not None else high
            outside = high + 1 if high is not None else low - 1  # type: ignore[operator]
            return rows_of(contract, *({columns[0]: inside if holds else outside} for _ in range(2)))
        case "expect_column_values_to_be_in_set":
            good = promise.kwargs["value_set"][0]  # type: ignore[index]
            return rows_of(contract, *({columns[0]: good if holds else "something else"} for _ in range(2)))
        case "expect_column_values_to_be_unique" | "expect_compound_columns_to_be_unique":
            frame = rows_of(contract, *({} for _ in range(2)))
            last = columns[-1]
            if not holds:
                return frame
            other = _another(contract.schema[last])
            return rows_of(contract, {}, {last: other})
    pytest.fail(f"no violation is known for {promise.type}: teach this test")


def _another(kind: pl.DataType) -> object:
    values = {pl.String: "b", pl.Date: date(2026, 11, 23), pl.Datetime: NOW + timedelta(seconds=1)}
    return values.get(type(kind), 2)


@pytest.mark.parametrize(("contract", "promise"), PROMISES, ids=[f"{c.path}-{p.name}" for c, p in PROMISES])
def test_expectation(contract: TableContract, promise: Expectation) -> None:
    good = run_expectations(contract, _rows_for(contract, promise, holds=True), (promise,))[0]
    bad = run_expectations(contract, _rows_for(contract, promise, holds=False), (promise,))[0]
    assert good.success
    assert not good.error
    assert not bad.success
    assert not bad.error
    assert bad.unexpected_count == 2
    assert bad.severity is promise.severity


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.path)
def test_rows_match_contract(contract: TableContract) -> None:
    good = rows_of(contract, {})
    assert _contract_result(TableWrite(contract, good), None).success
    broken = good.rename({contract.columns[-1].name: "stranger"})
    assert _contract_result(TableWrite(contract, broken), None).blocks
    assert _contract_result(TableWrite(contract, pl.concat([good, good])), None).unexpected_count == 1


LATER, EARLIER = NOW + timedelta(seconds=5), NOW - timedelta(seconds=5)
CAMERA = rows_of(CAMERAS, {"camera_id": "c1", "width_px": 640, "height_px": 480})
SEGMENT = rows_of(FOOTAGE_SEGMENTS, {"camera_id": "c1", "clip_id": "k1", "status": "ok", "reason": ""})
TRACK = rows_of(TRACKS, {"track_id": "t1", "started_at": NOW, "ended_at": LATER, "point_count": 1})
POINT = rows_of(TRACK_POINTS, {"track_id": "t1", "x_m": 1.0, "y_m": 1.0})
STORE = rows_of(STORES, {"store_id": "a", "floor_width_m": 8.0, "floor_depth_m": 6.0})
SLOT, VIEW = rows_of(SLOTS, {"slot_id": "g1"}), rows_of(SLOT_VIEWS, {"camera_id": "c1", "slot_id": "g1"})
BOX = {
    "camera_id": "c1",
    "clip_id": "k1",
    "left_px": 10.0,
    "top_px": 10.0,
    "width_px": 50.0,
    "height_px": 100.0,
}
EVENT = {"slot_id": "g1", "track_id": "t1", "started_at": NOW, "happened_at": NOW, "ended_at": LATER}
EPISODE = {"camera_id": "c1", "slot_id": "g1", "started_at": NOW, "ended_at": LATER}

Judge = Callable[[], list[ExpectationResult]]


def segments(**changes: object) -> Judge:
    row = {
        "camera_id": "c1",
        "clip_id": "k1",
        "status": "ok",
        "reason": "",
        "width_px": 640,
        "height_px": 480,
    } | changes
    return lambda: check_footage_segments(rows_of(FOOTAGE_SEGMENTS, row), CAMERA)


def detections(left_out: int = 0, **changes: object) -> Judge:
    return lambda: check_detections(rows_of(DETECTIONS, BOX | changes), CAMERA, SEGMENT, left_out)


def agreement(*reasons: str) -> Judge:
    misplaced = pl.DataFrame({"camera_id": ["c1" for _ in reasons], "reason": list(reasons)})
    return lambda: [check_cameras_agree(misplaced, rows_of(DETECTIONS, BOX))]


def episodes(**changes: object) -> Judge:
    return lambda: check_slot_episodes(rows_of(SLOT_EPISODES, EPISODE | changes), VIEW)


def points(**changes: object) -> Judge:
    row = {"track_id": "t1", "x_m": 1.0, "y_m": 1.0} | changes
    return lambda: check_track_points(rows_of(TRACK_POINTS, row), TRACK, STORE)


def tracks(**changes: object) -> Judge:
    row = {"track_id": "t1", "started_at": NOW, "ended_at": LATER, "point_count": 1} | changes
    return lambda: check_tracks(rows_of(TRACKS, row), POINT)


def events(**changes: object) -> Judge:
    return lambda: check_shelf_events(rows_of(SHELF_EVENTS, EVENT | changes), SLOT, TRACK)


def of_tracks(contract: TableContract, track_id: str) -> Judge:
    return lambda: check_tracks_known(rows_of(contract, {"track_id": track_id}), TRACK)


VISION: dict[tuple[str, str], tuple[Judge, Judge]] = {
    ("vision/footage_segments", "clips_usable"): (segments(), segments(status="truncated")),
    ("vision/footage_segments", "hash_is_promised"): (segments(), segments(reason="not the file (hash)")),
    ("vision/footage_segments", "cameras_known"): (segments(), segments(camera_id="c9")),
    ("vision/footage_segments", "cameras_cover_hours"): (segments(), segments(status="empty")),
    ("vision/footage_segments", "pictures_fit_cameras"): (segments(), segments(width_px=480)),
    ("vision/detections", "clips_looked_through"): (detections(), detections(left_out=1)),
    ("vision/sightings", "cameras_agree"): (agreement(), agreement("alone")),
    ("vision/detections", "box_inside_frame"): (detections(), detections(left_px=600.0)),
    ("vision/detections", "clips_known"): (detections(), detections(clip_id="k9")),
    ("vision/slot_episodes", "slots_known"): (episodes(), episodes(slot_id="g9")),
    ("vision/slot_episodes", "ends_after_it_began"): (episodes(), episodes(ended_at=EARLIER)),
    ("vision/sightings", "tracks_known"): (of_tracks(SIGHTINGS, "t1"), of_tracks(SIGHTINGS, "t9")),
    ("vision/clothing", "tracks_known"): (of_tracks(CLOTHING, "t1"), of_tracks(CLOTHING, "t9")),
    ("vision/track_points", "tracks_known"): (points(), points(track_id="t9")),
    ("vision/track_points", "points_on_floor"): (points(), points(x_m=30.0)),
    ("vision/tracks", "ends_after_it_began"): (tracks(), tracks(ended_at=EARLIER)),
    ("vision/tracks", "points_counted"): (tracks(), tracks(point_count=7)),
    ("vision/shelf_events", "slots_known"): (events(), events(slot_id="g9")),
    ("vision/shelf_events", "tracks_known"): (events(), events(track_id="t9")),
    ("vision/shelf_events", "ends_after_it_began"): (events(), events(ended_at=EARLIER)),
}


@pytest.mark.parametrize("check", VISION, ids="-".join)
def test_vision_check(check: tuple[str, str]) -> None:
    path, name = check
    declared = {one.name: one for one in VISION_DECLARED[path]}[name]
    good, bad = ({r.name: r for r in judge()}[name] for judge in VISION[check])
    assert good.success
    assert not bad.success
    assert bad.unexpected_count == 1
    assert bad.severity is declared.severity


def test_every_vision_check_is_tried() -> None:
    declared = {(path, check.name) for path, found in VISION_DECLARED.items() for check in found}
    assert declared == set(VISION)


def test_every_orders_check_is_counted(orders_day: dict[str, pl.DataFrame]) -> None:  # noqa: F811 - the fixture
    """Their violations are in tests/assets/orders/test_checks.py; here: what is declared is what is counted, as
    severe."""
    found = orders_day
    results = {
        "orders/gate_events": check_gate_events(found["gate_events"], found["stores"]),
        "orders/visits": check_visits(found["visits"], found["visit_tracks"]),
        "orders/baskets": check_baskets(found["baskets"], found["visits"], found["shelf_events"], found["products"]),
        "orders/orders": [
            *check_orders(found["orders"], found["order_lines"], found["visits"], found["products"]),
            *check_reconciled(
                *(
                    found[n]
                    for n in (
                        "shelf_events",
                        "visit_tracks",
                        "baskets",
                        "orders",
                        "order_lines",
                        "review_items",
                    )
                )
            ),
        ],
        "orders/planograms": [
            *check_waiting(()),
            *check_reference(
                *(found[n] for n in ("slots", "slot_views", "cameras", "planograms", "products", "prices"))
            ),
        ],
    }
    counted = {result.name: result.severity for group in results.values() for result in group}
    declared = {check.name: check.severity for group in ORDERS_DECLARED.values() for check in group}
    assert counted == declared


def test_a_check_that_raised_is_an_error_and_not_bad_data() -> None:
    def judge() -> ExpectationResult:
        raise ValueError("a value of a row")

    result = checked("broken", judge)
    assert (result.success, result.error, result.unexpected_count) == (False, "ValueError", None)
    assert result.blocks
    assert "row" not in repr(result)
