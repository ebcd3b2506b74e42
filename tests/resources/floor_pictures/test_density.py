"""The picture that outlives movement: whoever was nearly alone somewhere leaves no trace in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.contracts.vision import SHELF_EVENTS, TRACK_POINTS, TRACKS
from resources.floor_pictures.density import CELL_M, LEAST_PEOPLE, Density, density_of, floor_density_png
from resources.floor_pictures.plan import MAX_BYTES, Plan

START = datetime(2026, 3, 2, 2, tzinfo=UTC)
NEAR, FAR = 4.0, 8.0
"""Everybody walks on the near side (x below NEAR); on the far side there are too few."""

PLAN = Plan(
    FAR,
    4.0,
    (("g1", np.array([(1.0, 3.4), (3.0, 3.4), (3.0, 3.8), (1.0, 3.8)])),),
    np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]),
    np.array([(0.0, 1.0), (1.0, 1.0), (1.0, 2.0), (0.0, 2.0)]),
    np.array([(0.8, 0.5)]),
)
SLOTS = pl.DataFrame({"slot_id": ["g1-1"], "gondola_id": ["g1"], "x_m": [2.0], "y_m": [3.4], "normal_deg": [270.0]})

Walk = tuple[int, list[tuple[float, float]]]
"""Start in seconds, and places in metres, ten a second."""


def walks(low_m: float, high_m: float) -> st.SearchStrategy[Walk]:
    # As wide as the table's columns: rounded up to the border, a place of the crowd would lie on the far side.
    places = st.tuples(
        st.floats(low_m, high_m, exclude_max=True, allow_subnormal=False, width=32),
        st.floats(0, 4, exclude_max=True, width=32),
    )
    return st.tuples(st.integers(0, 40_000), st.lists(places, min_size=1, max_size=30))


def day(*people: Walk, from_entrance: bool = True) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of `tracks` and `track_points`."""
    tracks, points = [], []
    for number, (begin_s, places) in enumerate(people):
        moments = [START + timedelta(seconds=begin_s, milliseconds=100 * k) for k in range(len(places))]
        place = {"store_id": "s001", "track_id": f"t{number}"}
        tracks.append(
            place
            | {"started_at": moments[0], "ended_at": moments[-1]}
            | {"started_in_entrance": from_entrance, "ended_in_exit": from_entrance and number % 2 == 0}
        )
        points += [place | {"captured_at": at, "x_m": x, "y_m": y} for at, (x, y) in zip(moments, places, strict=True)]
    return pl.DataFrame(tracks, TRACKS.schema), pl.DataFrame(points, TRACK_POINTS.schema)


def events(*done: tuple[str | None, str]) -> pl.DataFrame:
    rows = [
        {"event_id": f"e{number}", "happened_at": START, "slot_id": "g1-1", "type": kind, "track_id": track_id}
        for number, (track_id, kind) in enumerate(done)
    ]
    return pl.DataFrame(rows, SHELF_EVENTS.schema)


def density(*people: Walk, done: pl.DataFrame | None = None, from_entrance: bool = True) -> Density:
    tracks, points = day(*people, from_entrance=from_entrance)
    return density_of(SLOTS, tracks, points, events() if done is None else done)


def standing(x_m: float, seconds: int = 5, begin_s: int = 0) -> Walk:
    return begin_s, [(x_m, 1.1)] * (10 * seconds + 1)


@settings(max_examples=40, deadline=None)
@given(
    crowd=st.lists(walks(0, NEAR), max_size=8),
    few=st.lists(walks(NEAR, FAR), max_size=LEAST_PEOPLE - 2),
    one=walks(NEAR, FAR),
)
def test_one_person_more_where_too_few_are_changes_not_a_byte(crowd: list[Walk], few: list[Walk], one: Walk) -> None:
    without = floor_density_png(PLAN, density(*crowd, *few), title="s001")
    with_one = floor_density_png(PLAN, density(*crowd, *few, one), title="s001")
    assert with_one == without
    assert len(without) <= MAX_BYTES


def test_a_cell_shows_from_enough_people_on() -> None:
    people = [standing(2.1, begin_s=60 * number) for number in range(LEAST_PEOPLE)]
    assert density(*people[1:]).cells.is_empty()
    shown = density(*people).cells
    assert shown.rows() == [(int(2.1 / CELL_M), int(1.1 / CELL_M), 5.0 * LEAST_PEOPLE)]
    blank, drawn = floor_density_png(PLAN, density()), floor_density_png(PLAN, density(*people))
    assert drawn != blank
    assert drawn == floor_density_png(PLAN, density(*people[::-1]))


def test_a_person_in_pieces_is_one_person() -> None:
    pieces = [standing(2.1, begin_s=60 * number) for number in range(3 * LEAST_PEOPLE)]
    assert density(*pieces, from_entrance=False).cells.is_empty()


def test_a_loss_of_sight_is_no_stay() -> None:
    people: list[Walk] = [(0, [(2.1, 1.1)])] * LEAST_PEOPLE
    tracks, points = day(*people)
    later = points.with_columns(pl.col("captured_at") + timedelta(hours=1))
    seen_twice = density_of(SLOTS, tracks, pl.concat([points, later]), events())
    assert seen_twice.cells["person_s"].to_list() == [1.0 * LEAST_PEOPLE]


def test_hours_are_the_stores_own_and_count_only_what_is_shown() -> None:
    people = [standing(2.1, begin_s=3600 * (number // LEAST_PEOPLE)) for number in range(2 * LEAST_PEOPLE)]
    assert density(*people, standing(6.0)).hours.rows() == [(10, 5.0 * LEAST_PEOPLE), (11, 5.0 * LEAST_PEOPLE)]
    assert density(*people[:-1]).hours.rows() == [(10, 5.0 * LEAST_PEOPLE)], "an hour with too few is a hole"


def test_picks_of_a_gondola_show_from_enough_people_on() -> None:
    people = [standing(2.1) for _ in range(LEAST_PEOPLE)]
    by_all = [(f"t{number}", "pick") for number in range(LEAST_PEOPLE)]
    one_alone = [("t0", "put_back")] * 9
    done = events(*by_all, *one_alone, (None, "pick"))
    assert density(*people, done=done).handled.rows() == [("g1", "pick", LEAST_PEOPLE + 1)]
    alone = density(*people, done=events(*by_all[1:], *one_alone, (None, "pick")))
    assert alone.handled.is_empty()
    assert floor_density_png(PLAN, alone) == floor_density_png(PLAN, density(*people))
