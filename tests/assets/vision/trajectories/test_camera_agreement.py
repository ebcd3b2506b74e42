"""A camera that was knocked is found out by where its people stand, and is left out alone."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from assets.vision.camera import Camera
from assets.vision.trajectories.camera_agreement import misplaced_cameras, without
from assets.vision.trajectories.merge import trajectories
from tests.assets.vision.trajectories.test_merge import CAMERAS, PLAN, START, detections, errors_m, looking_at

FLOOR_M = (8.0, 6.0)
WALKERS = [(0.0, (0.0, 0.0)), (6.0, (0.3, 0.4))]
HOUR = START.strftime("%Y-%m-%dT%HZ")


@pytest.fixture(scope="module")
def seen() -> pl.DataFrame:
    """Boxes as the cameras see them, each where it was calibrated to be."""
    return detections(WALKERS)


def believing(camera_id: str, camera: Camera) -> dict[str, Camera]:
    """The cameras with one calibration that does not hold any more."""
    return {**CAMERAS, camera_id: replace(camera, camera_id=camera_id)}


def test_cameras_in_place_agree(seen: pl.DataFrame) -> None:
    assert misplaced_cameras(seen, CAMERAS, FLOOR_M).is_empty()


def test_a_turned_camera_stands_alone_and_the_others_go_on(seen: pl.DataFrame) -> None:
    cameras = believing("c3", looking_at("c3", (7.7, 5.7, 2.9), (5.5, 1.0, 0.8)))
    found = misplaced_cameras(seen, cameras, FLOOR_M)
    assert found.rows() == [("c3", HOUR, "alone")]
    kept = without(seen, found)
    assert set(kept["camera_id"]) == {"c1", "c2"}
    assert kept.equals(seen.filter(pl.col("camera_id") != "c3"))
    assert max(errors_m(trajectories(kept, cameras, PLAN), WALKERS)) < 0.3
    later = seen.with_columns(capture_hour=pl.lit("2026-11-22T03Z"))
    assert without(later, found).height == later.height, "an hour in which it was right again counts"


def test_a_camera_whose_people_stand_off_the_floor_needs_no_other_to_be_found_out(seen: pl.DataFrame) -> None:
    alone = seen.filter(pl.col("camera_id") == "c1")
    cameras = {"c1": looking_at("c1", (7.7, 0.3, 2.9), (14.0, -6.0, 0.8))}
    assert misplaced_cameras(alone, cameras, FLOOR_M).rows() == [("c1", HOUR, "off_floor")]


def test_two_cameras_that_contradict_each_other_are_said_and_both_kept(seen: pl.DataFrame) -> None:
    two = seen.filter(pl.col("camera_id").is_in(["c1", "c3"]))
    cameras = believing("c3", looking_at("c3", (7.7, 5.7, 2.9), (5.5, 1.0, 0.8)))
    found = misplaced_cameras(two, {name: cameras[name] for name in ("c1", "c3")}, FLOOR_M)
    assert found["reason"].unique().to_list() == ["undecided"]
    assert without(two, found).height == two.height


def test_few_people_say_nothing(seen: pl.DataFrame) -> None:
    cameras = believing("c3", looking_at("c3", (7.7, 5.7, 2.9), (5.5, 1.0, 0.8)))
    assert misplaced_cameras(seen.head(30), cameras, FLOOR_M).is_empty()
    assert misplaced_cameras(seen.clear(), cameras, FLOOR_M).is_empty()
