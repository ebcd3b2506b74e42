"""The slot measure on drawn scenes: what happens to a slot must come out, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from assets.vision.clip_analysis.decode_pass import episode_frame
from assets.vision.footage.clip import Clip
from assets.vision.single_video.shelf import watch_frames
from assets.vision.slots.episodes import SlotEpisode
from assets.vision.slots.judgement import colours_of_goods, judge
from assets.vision.slots.observer import SlotObserver, zone_tiles
from assets.vision.slots.settings import SlotSettings
from assets.vision.slots.signal import Atlas, gains_to, ordered_quad, patch_coordinates, patches_of, thumbnail
from assets.vision.slots.stitching import stitched_change
from assets.vision.store_view import SlotView
from lakehouse.contracts.vision import SLOT_EPISODES

HEIGHT, WIDTH = 120, 200
SETTINGS = SlotSettings()


def quad(x: int, y: int = 40, width: int = 30, height: int = 40) -> np.ndarray:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], dtype=float)


VIEWS = [SlotView("a", quad(30)), SlotView("b", quad(120))]
Paint = Callable[[np.ndarray, float], None]


def product(frame: np.ndarray, x: int, y: int = 44) -> None:
    cv2.rectangle(frame, (x + 6, y), (x + 24, y + 34), (40, 60, 200), -1)
    cv2.rectangle(frame, (x + 9, y + 8), (x + 21, y + 16), (230, 230, 230), -1)
    cv2.line(frame, (x + 8, y + 24), (x + 22, y + 30), (20, 200, 220), 2)


def hand(frame: np.ndarray, x: int, depth: float) -> None:
    """A forearm from the top, its end `depth` pixels into the picture, never quite still."""
    cv2.rectangle(frame, (x + 8, 0), (x + 22, int(depth)), (120, 150, 205), -1)
    cv2.circle(frame, (x + 15, int(depth)), 9, (125, 158, 215), -1)


def reach(frame: np.ndarray, x: int, time_s: float, from_s: float, to_s: float) -> None:
    if from_s <= time_s <= to_s:
        middle = 0.5 * (from_s + to_s)
        part = 1.0 - abs(time_s - middle) / (middle - from_s)
        hand(frame, x, 15 + 55 * part)


def scene(paint: Paint, seconds: float = 8.0, start_s: float = 0.0) -> Iterator[tuple[float, np.ndarray]]:
    rng = np.random.default_rng(3)
    wall = np.full((HEIGHT, WIDTH, 3), 170, np.uint8)
    wall[80:] = 200
    for index in range(int(seconds * 10)):
        time_s = start_s + index / 10.0
        frame = wall.copy()
        paint(frame, time_s)
        noise = rng.normal(0.0, 2.0, frame.shape)
        yield time_s, np.clip(frame + noise, 0, 255).astype(np.uint8)


def seen(paint: Paint, **options: float) -> list[tuple[str, str]]:
    return [(s.slot_id, s.type) for s in watch_frames(scene(paint, **options), VIEWS, [])]


def moves(slot_x: int, here_before: bool, here_after: bool, at_s: float = 4.0) -> Paint:
    def paint(frame: np.ndarray, time_s: float) -> None:
        if here_before if time_s < at_s else here_after:
            product(frame, slot_x)
        reach(frame, slot_x, time_s, at_s - 1.0, at_s + 1.0)

    return paint


@pytest.mark.parametrize(
    ("before", "after", "expected"), [(True, False, "pick"), (False, True, "put_back"), (True, True, "touch")]
)
def test_what_a_hand_did_is_named(before: bool, after: bool, expected: str) -> None:
    found = watch_frames(scene(moves(30, before, after)), VIEWS, [])
    assert [(s.slot_id, s.type) for s in found] == [("a", expected)]
    assert abs(found[0].time_s - 4.0) <= 0.5


def test_two_slots_at_once_are_two_events() -> None:
    def paint(frame: np.ndarray, time_s: float) -> None:
        moves(30, True, False)(frame, time_s)
        moves(120, False, True)(frame, time_s)

    assert seen(paint) == [("a", "pick"), ("b", "put_back")]


def test_taken_and_brought_back_are_two_events() -> None:
    def paint(frame: np.ndarray, time_s: float) -> None:
        if not 3.0 <= time_s < 7.0:
            product(frame, 30)
        reach(frame, 30, time_s, 2.2, 3.8)
        reach(frame, 30, time_s, 6.2, 7.8)

    assert seen(paint, seconds=11.0) == [("a", "pick"), ("a", "put_back")]


@pytest.mark.parametrize("factor", [0.8, 1.2])
def test_a_step_of_light_is_nothing(factor: float) -> None:
    def paint(frame: np.ndarray, time_s: float) -> None:
        product(frame, 30)
        if time_s >= 4.0:
            frame[:] = cv2.convertScaleAbs(frame, alpha=factor)

    assert seen(paint) == []


def test_a_shadow_that_passes_is_no_pick() -> None:
    def paint(frame: np.ndarray, time_s: float) -> None:
        product(frame, 30)
        x = int((time_s - 3.0) * 60)
        if 0 < x < WIDTH:
            frame[:, max(0, x - 30) : x] = (frame[:, max(0, x - 30) : x] * 0.8).astype(np.uint8)

    assert all(kind == "touch" for _, kind in seen(paint))


def test_an_item_moved_aside_is_no_pick() -> None:
    def paint(frame: np.ndarray, time_s: float) -> None:
        product(frame, 30 if time_s < 4.0 else 33)
        reach(frame, 30, time_s, 3.0, 5.0)

    assert seen(paint) == [("a", "touch")]


def test_a_slot_under_a_person_waits_until_they_left() -> None:
    """Someone stands still before the slot for five seconds; only afterwards is it compared."""

    def paint(frame: np.ndarray, time_s: float) -> None:
        if time_s < 4.0:
            product(frame, 30)
        if 2.0 <= time_s < 7.0:
            cv2.rectangle(frame, (20, 10), (75, 119), (60, 90, 60), -1)

    observer = SlotObserver(VIEWS, [], (HEIGHT, WIDTH), SETTINGS)
    for time_s, frame in scene(paint, seconds=10.0):
        boxes = [[20.0, 10.0, 55.0, 110.0]] if 2.0 <= time_s < 7.0 else []
        observer.observe(frame, time_s, np.array(boxes).reshape(-1, 4))
    changes = [e for e in observer.close() if e.kind == "change"]
    assert [(e.slot_id, e.facings_change, e.has_person) for e in changes] == [("a", -1, True)]


def states(paint: Paint, start_s: float) -> dict[str, SlotEpisode]:
    observer = SlotObserver(VIEWS[:1], [], (HEIGHT, WIDTH), SETTINGS)
    for time_s, frame in scene(paint, seconds=3.0, start_s=start_s):
        observer.observe(frame, time_s)
    return {e.kind: e for e in observer.close()}


def test_a_pick_over_the_boundary_of_two_clips_is_stitched() -> None:
    paint = moves(30, True, False, at_s=3.0)
    closing, opening = states(paint, 0.0)["closing"], states(paint, 3.0)["opening"]
    change = stitched_change(closing, opening, 1, SETTINGS)
    assert change is not None
    assert change.facings_change == -1
    assert change.started_s <= 3.0 <= change.ended_s
    same = states(moves(30, True, True, at_s=50.0), 3.0)["opening"]
    assert stitched_change(closing, same, 1, SETTINGS) is None


def test_a_long_video_is_cut_without_losing_what_happens_at_the_cut() -> None:
    found = watch_frames(scene(moves(30, True, False, at_s=60.0), seconds=64.0), VIEWS[:1], [])
    assert [(s.slot_id, s.type) for s in found] == [("a", "pick")]
    assert abs(found[0].time_s - 60.0) <= 1.0


def test_a_hand_in_a_zone_is_a_touch_and_noise_is_none() -> None:
    zone = SlotView("edge", np.array([[90, 10], [110, 10], [110, 110], [90, 110]], dtype=float))
    found = watch_frames(scene(lambda f, t: reach(f, 85, t, 3.0, 5.0)), [], [zone])
    assert [(s.slot_id, s.type) for s in found] == [("edge", "touch")]
    assert abs(found[0].time_s - 4.0) < 0.5
    assert watch_frames(scene(lambda f, t: None), [], [zone]) == []


def test_empty_clip_and_no_slots_give_nothing() -> None:
    assert SlotObserver(VIEWS, [], (HEIGHT, WIDTH), SETTINGS).close() == []
    observer = SlotObserver([], [], (HEIGHT, WIDTH), SETTINGS)
    observer.observe(np.zeros((HEIGHT, WIDTH, 3), np.uint8), 0.0)
    assert observer.close() == []


def test_frames_faster_than_the_sampling_rate_change_nothing() -> None:
    def at_rate(rate: int) -> list[str]:
        frames = ((i / rate, f) for i, (_, f) in enumerate(scene_at(rate)))
        return [s.type for s in watch_frames(frames, VIEWS, [])]

    def scene_at(rate: int) -> Iterator[tuple[float, np.ndarray]]:
        rng = np.random.default_rng(5)
        for index in range(8 * rate):
            frame = np.full((HEIGHT, WIDTH, 3), 170, np.uint8)
            moves(30, True, False)(frame, index / rate)
            yield 0.0, np.clip(frame + rng.normal(0, 2, frame.shape), 0, 255).astype(np.uint8)

    assert at_rate(10) == at_rate(30) == ["pick"]


def test_rows_follow_the_contract_and_are_the_same_on_a_rerun() -> None:
    def rows() -> object:
        observer = SlotObserver(VIEWS, [], (HEIGHT, WIDTH), SETTINGS)
        for time_s, frame in scene(moves(30, True, False)):
            observer.observe(frame, time_s)
        captured_at = datetime(2026, 11, 22, 15, 59, 58, tzinfo=UTC)
        return episode_frame(Clip("s001", "c1", "x", Path("x.mp4"), captured_at, 10.0), observer.close())

    frame = rows()
    assert frame.equals(rows())
    assert frame.columns == [column.name for column in SLOT_EPISODES.columns]
    assert frame["episode_id"].n_unique() == frame.height
    assert sorted(frame["capture_hour"].unique()) == ["2026-11-22T15Z", "2026-11-22T16Z"]


def test_a_polygon_keeps_its_corners_in_any_order_and_a_strange_one_becomes_its_box() -> None:
    slanted = np.array([[10, 12], [50, 20], [48, 60], [8, 50]], dtype=float)
    assert np.allclose(ordered_quad(slanted[[2, 0, 3, 1]]), slanted)
    triangle = np.array([[0, 0], [10, 0], [10, 10]], dtype=float)
    assert np.allclose(ordered_quad(triangle), [[0, 0], [10, 0], [10, 10], [0, 10]])
    assert patch_coordinates(slanted).shape == (24, 26, 2)


def test_patches_at_the_picture_s_edge_and_of_large_slots_are_cut() -> None:
    frame = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    atlas = Atlas.build([quad(-10), quad(190), quad(0, 0, 180, 110)], SETTINGS)
    assert patches_of(atlas.cut(frame)).shape == (3, 24, 26, 3)
    assert (atlas.cut(frame) == 90).all()


def test_every_slot_of_a_sheet_has_its_own_patch() -> None:
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    frame[:, WIDTH // 2 :] = 200
    left, right = patches_of(Atlas.build([quad(10), quad(WIDTH - 60)], SETTINGS).cut(frame))
    assert (left == 0).all()
    assert (right == 200).all()


def test_gain_ignores_what_moves() -> None:
    rng = np.random.default_rng(1)
    frame = rng.integers(40, 180, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    brighter = cv2.convertScaleAbs(frame, alpha=1.25)
    brighter[:, :60] = 10
    gains = gains_to(thumbnail(frame), np.stack([thumbnail(frame), thumbnail(brighter)]), SETTINGS)
    assert np.allclose(gains, [[1.0] * 3, [0.8] * 3], atol=0.02)


def test_a_long_zone_is_cut_into_tiles_that_cover_it() -> None:
    tiles = zone_tiles(np.array([[0, 0], [10, 0], [10, 80], [0, 80]], dtype=float))
    assert len(tiles) == 8
    assert tiles[0].min() == 0
    assert tiles[-1][:, 1].max() == 80


@pytest.mark.parametrize(("gone", "quantity"), [((0,), 1), ((1,), 1), ((0, 1), 2)])
def test_quantity_is_the_number_of_facings_that_changed(gone: tuple[int, ...], quantity: int) -> None:
    """Two packages side by side in one slot; a single wide one would count once."""

    def paint(frame: np.ndarray, time_s: float) -> None:
        for index, x in enumerate((34, 54)):
            if time_s < 4.0 or index not in gone:
                cv2.rectangle(frame, (x, 46), (x + 10, 78), (40, 60, 200), -1)
        reach(frame, 35, time_s, 3.0, 5.0)

    view = SlotView("a", quad(29, width=40), facings=2)
    found = watch_frames(scene(paint), [view], [])
    assert [(s.type, s.quantity) for s in found] == [("pick", quantity)]


def test_direction_on_a_crowded_shelf_turns_with_the_order_of_the_states() -> None:
    rng = np.random.default_rng(2)
    board = np.repeat(rng.integers(90, 230, (24, 26, 1)), 3, axis=2).astype(np.float32)
    goods = board.copy()
    goods[4:20, 8:18] = (30, 60, 210)
    goods[8:12, 8:18] = (200, 220, 40)
    taken, put = judge(goods, board, 1, SETTINGS), judge(board, goods, 1, SETTINGS)
    assert taken.has_changed
    assert (taken.facings_change, put.facings_change) == (-1, 1)
    assert taken.pick_prob == pytest.approx(put.put_prob, abs=1e-6)


def test_a_shadow_that_stays_on_a_crowded_shelf_is_no_change() -> None:
    rng = np.random.default_rng(4)
    shelf = cv2.blur(rng.integers(0, 255, (24, 26, 3)).astype(np.float32), (2, 2))
    shadow = shelf.copy()
    shadow[:, :14] *= 0.65
    assert not judge(shelf, shadow, 1, SETTINGS).has_changed
    assert not judge(shadow, shelf, 1, SETTINGS).has_changed


def test_the_colours_of_goods_are_those_of_what_came() -> None:
    board = np.full((24, 26, 3), 200.0, np.float32)
    red = board.copy()
    red[4:20, 8:18] = (20, 20, 220)
    colours = colours_of_goods(red, board, SETTINGS)
    assert sum(colours) == pytest.approx(1.0)
    assert colours[0] > 0.5
    assert colours_of_goods(board, board, SETTINGS) == ()
