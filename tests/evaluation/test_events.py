"""The events scorer, and the shelf measure on the real clips it was made for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.vision.single_video.shelf import watch_areas, watch_frames
from assets.vision.store_view import SlotView
from evaluation import events
from evaluation.events import InputError, ShelfEvent, read_slots, read_truth, score

HERE = Path(__file__).parent
SHARED = HERE.parents[2] / "shared" / "data"
BOTTLES = SHARED / "clips" / "bottle-shelf-a.mp4"
STORE = SHARED / "autocheckout" / "video" / "cps-test-01-nodepth-cam3.mp4"


def event(time_s: float, slot_id: str = "a", kind: str = "pick", quantity: int = 1) -> ShelfEvent:
    return ShelfEvent(time_s, slot_id, kind, quantity)


def test_pairs_by_slot_and_type_within_the_tolerance() -> None:
    truth = [event(10), event(20), event(30, "b"), event(40, kind="put_back")]
    found = [event(10.9), event(21.2), event(30, "a"), event(40.5, kind="put_back")]
    result = score(found, truth, 1.0)
    assert result.pairs == ((0, 0), (3, 3))
    assert (result.precision, result.recall, result.f1) == (0.5, 0.5, 0.5)


def test_prefers_the_pairing_with_most_pairs() -> None:
    truth = [event(10.0), event(10.9)]
    found = [event(10.8), event(11.7)]
    assert score(found, truth, 1.0).true_positives == 2


def test_nothing_found_and_nothing_true_is_perfect_and_either_alone_is_not() -> None:
    assert score([], [], 1.0).f1 == 1.0
    assert score([event(1)], [], 1.0).precision == 0.0
    assert score([], [event(1)], 1.0).recall == 0.0


MANY = st.lists(
    st.builds(event, st.floats(0, 20), st.sampled_from("ab"), st.sampled_from(events.EVENT_TYPES)), max_size=8
)


@given(MANY, MANY, st.floats(0.1, 3))
def test_pairs_are_one_to_one_and_swapping_sides_swaps_precision_and_recall(
    found: list[ShelfEvent], truth: list[ShelfEvent], tolerance_s: float
) -> None:
    ours, theirs = score(found, truth, tolerance_s), score(truth, found, tolerance_s)
    assert len({f for f, _ in ours.pairs}) == len({t for _, t in ours.pairs}) == ours.true_positives
    assert ours.true_positives == theirs.true_positives
    assert (ours.precision, ours.recall) == (theirs.recall, theirs.precision)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("slots: 3", "`slots` must be a list"),
        ("{}", "neither a slot nor a zone"),
        ("slots: [{id: a}]", "slots[0]"),
        ("slots: [{id: a, polygon: [[0, 0], [1, 1]]}]", "slots[0].polygon"),
        ("slots: [{id: a, polygon: [[0, 0], [1, x], [2, 2]]}]", "slots[0].polygon"),
        ("slots: [{id: a, polygon: [[0, 0], [1, 0], [1, 1]], facings: 0}]", "slots[0].facings"),
        (
            "slots: [{id: a, polygon: [[0,0],[1,0],[1,1]]}]\nzones: [{id: a, polygon: [[0,0],[1,0],[1,1]]}]",
            "more than once",
        ),
        ("slots: [", "not valid YAML"),
    ],
)
def test_a_wrong_slots_file_is_named_with_its_field(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "slots.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read_slots(path)
    assert place in str(error.value)
    assert "slots.yaml" in str(error.value)


def test_a_wrong_truth_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("time_s,slot_id,type,quantity\n1.0,a,pick,1\n2.0,a,grab,1\n")
    with pytest.raises(InputError, match=r"events\.csv:3: type must be one of"):
        read_truth(path)
    path.write_text("time_s,slot_id,type,quantity\nsoon,a,pick,1\n")
    with pytest.raises(InputError, match=":2: time_s"):
        read_truth(path)


def test_quantity_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text("time_s,slot_id,type\n1.0,a,pick\n2.0,z,touch\n")
    assert [e.quantity for e in read_truth(path)] == [1, 0]


def test_command_refuses_a_missing_or_empty_video(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    shelf, truth = HERE / "bottle_shelf_a" / "slots.yaml", HERE / "bottle_shelf_a" / "events.csv"
    for video in (tmp_path / "absent.mp4", empty):
        with pytest.raises(SystemExit) as stop:
            events.main(["--video", str(video), "--slots", str(shelf), "--truth", str(truth)], watch_areas)
        assert stop.value.code == 2
        assert video.name in capsys.readouterr().err


def test_command_prints_every_event_and_the_score_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video = tmp_path / "v.mp4"
    video.write_bytes(b"x")
    shelf, truth = HERE / "bottle_shelf_a" / "slots.yaml", HERE / "bottle_shelf_a" / "events.csv"
    seen = [event(6.9, "left"), event(3.0, "right")]
    status = events.main(
        ["--video", str(video), "--slots", str(shelf), "--truth", str(truth), "--json"],
        lambda path, areas: seen,
    )
    summary = json.loads(capsys.readouterr().out)
    assert status == 0
    assert (summary["precision"], summary["recall"]) == (0.5, 0.25)
    assert [e["is_true"] for e in summary["events"]] == [False, True]
    assert len(summary["missed"]) == 3


needs_bottles = pytest.mark.skipif(
    not BOTTLES.exists(), reason="shared clip bottle-shelf-a.mp4 is not beside the repository"
)


@needs_bottles
def test_command_finds_the_four_events_of_the_bottle_clip(capsys: pytest.CaptureFixture[str]) -> None:
    folder = HERE / "bottle_shelf_a"
    given_files = ["--slots", str(folder / "slots.yaml"), "--truth", str(folder / "events.csv")]
    assert events.main(["--video", str(BOTTLES), *given_files, "--json"], watch_areas) == 0
    summary = json.loads(capsys.readouterr().out)
    assert (summary["precision"], summary["recall"], summary["f1"]) == (1.0, 1.0, 1.0)
    assert summary["mean_error_s"] < 0.5


@pytest.fixture(scope="module")
def bottle_frames() -> list[tuple[float, np.ndarray]]:
    """Every third frame of the clip: the rate at which slots are sampled."""
    capture = cv2.VideoCapture(str(BOTTLES))
    frames = []
    for index in range(600):
        if not capture.grab():
            break
        if index % 3 == 0:
            frames.append((index / 29.97, capture.retrieve()[1]))
    return frames


def perturbed(frames: list[tuple[float, np.ndarray]], how: str) -> Iterator[tuple[float, np.ndarray]]:
    rng = np.random.default_rng(7)
    for index, (time_s, original) in enumerate(frames):
        frame = original
        if how == "drift":
            frame = cv2.convertScaleAbs(frame, alpha=1.0 + 0.2 * np.sin(index / 15.0))
        elif how == "steps":
            frame = cv2.convertScaleAbs(frame, alpha=0.8 if (index // 40) % 2 else 1.2)
        elif how == "noise":
            noise = rng.normal(0.0, 6.0, frame.shape).astype(np.float32)
            frame = np.clip(frame + noise, 0, 255).astype(np.uint8)
        elif how == "half":
            frame = cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        elif how == "mirrored":
            frame = np.ascontiguousarray(frame[:, ::-1])
        elif (how == "late" and time_s < 3.1) or (how == "empty-at-start" and time_s < 8.5):
            continue
        yield time_s, frame


@needs_bottles
@pytest.mark.parametrize(
    "how",
    [
        "plain",
        "drift",
        "steps",
        "noise",
        "half",
        "mirrored",
        "late",
        "empty-at-start",
        "in",
        "out",
        "right",
        "down",
    ],
)
def test_bottle_events_survive_light_noise_size_and_drawing(
    bottle_frames: list[tuple[float, np.ndarray]], how: str
) -> None:
    shelf = read_slots(HERE / "bottle_shelf_a" / "slots.yaml")
    truth = read_truth(HERE / "bottle_shelf_a" / "events.csv")
    shift = {"right": (10, 0), "down": (0, 10)}.get(how, (0, 0))
    grow = {"in": -10, "out": 10}.get(how, 0)
    views = []
    for area in shelf.slots:
        polygon = np.asarray(area.polygon_px) + shift
        polygon += grow * np.sign(polygon - polygon.mean(axis=0))
        polygon = polygon * (0.5 if how == "half" else 1.0)
        if how == "mirrored":
            polygon = np.stack([639 - polygon[:, 0], polygon[:, 1]], axis=1)
        views.append(SlotView(area.area_id, polygon, area.facings))
    if how == "empty-at-start":
        truth = truth[1:]
    found = watch_frames(perturbed(bottle_frames, how), views, [])
    result = score(found, truth, 1.0)
    assert (result.true_positives, result.found) == (len(truth), len(truth)), found


@pytest.mark.skipif(
    not STORE.exists(),
    reason="shared cps-test-01 footage (no licence, not shipped) is not beside the repository",
)
def test_reaches_over_the_shelf_edge_of_the_real_store_are_touches() -> None:
    shelf = read_slots(HERE / "cps_test_01" / "slots.yaml")
    truth = read_truth(HERE / "cps_test_01" / "events.csv")
    result = score(watch_areas(STORE, shelf), truth, 1.0)
    assert (result.precision, result.recall) == (1.0, 1.0)
