"""Who did it: joint assignment, what people hold, and the events frame."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from assets.vision.clip_analysis.decode_pass import episode_frame
from assets.vision.footage.clip import Clip
from assets.vision.shelf_events.attribution import attribute
from assets.vision.shelf_events.camera_fusion import Contact
from assets.vision.shelf_events.holdings import StoreHoldings
from assets.vision.shelf_events.joint_assignment import assign, simultaneous
from assets.vision.shelf_events.reach import BoxPath, FloorPath, SlotPlace, contact_cost, standing
from assets.vision.shelf_events.settings import ReachSettings
from assets.vision.slots.episodes import SlotEpisode
from lakehouse.contracts.vision import SHELF_EVENTS, SIGHTINGS, TRACK_POINTS

START = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
COSTS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(0, 4)),
    elements=st.floats(0, 12).map(lambda v: round(v, 3)),
)


def test_simultaneous_events_go_to_different_people_though_one_is_nearer_to_both() -> None:
    """Greedy assignment would give both to the first person."""
    found = assign(np.array([[0.2, 2.0], [0.4, 0.5]]), nobody_cost=5.0, second_hand_cost=1.5)
    assert [a.person for a in found] == [0, 1]


def test_one_person_may_use_both_hands() -> None:
    found = assign(np.array([[0.2, 9.0], [0.4, 9.0]]), nobody_cost=5.0, second_hand_cost=1.5)
    assert [a.person for a in found] == [0, 0]


def test_nobody_in_reach_is_nobody_and_a_close_call_has_a_low_probability() -> None:
    assert assign(np.array([[np.inf]]), 5.0, 1.5)[0].person is None
    assert assign(np.zeros((1, 0)), 5.0, 1.5)[0].person is None
    clear = assign(np.array([[0.1, 6.0]]), 5.0, 1.5)[0].probability
    close = assign(np.array([[0.1, 0.2]]), 5.0, 1.5)[0].probability
    assert clear > 0.98
    assert 0.5 <= close < 0.6


@given(COSTS, st.randoms())
def test_assignment_does_not_depend_on_the_order_of_events_or_people(costs: np.ndarray, random: object) -> None:
    costs = costs + np.arange(costs.size).reshape(costs.shape) * 1.7e-5
    events, people = list(range(costs.shape[0])), list(range(costs.shape[1]))
    random.shuffle(events)
    random.shuffle(people)
    plain = assign(costs, 5.0, 1.5)
    shuffled = assign(costs[np.ix_(events, people)] if people else costs[events], 5.0, 1.5)
    total = sum(costs[i, a.person] if a.person is not None else 5.0 for i, a in enumerate(plain))
    same = sum(costs[events[i], people[a.person]] if a.person is not None else 5.0 for i, a in enumerate(shuffled))
    assert total == pytest.approx(same, abs=3.1)
    assert sorted(round(a.probability, 6) for a in plain) == sorted(round(a.probability, 6) for a in shuffled)


@given(COSTS)
def test_each_event_has_at_most_one_person_each_person_at_most_two_hands(costs: np.ndarray) -> None:
    found = assign(costs, 5.0, 1.5)
    people = [a.person for a in found if a.person is not None]
    assert len(found) == costs.shape[0]
    assert all(people.count(person) <= 2 for person in people)
    assert all(0.5 <= a.probability <= 1.0 for a in found)


@given(st.lists(st.floats(0, 30), max_size=12), st.floats(0.1, 3))
def test_groups_are_a_partition_with_gaps_between(times: list[float], within_s: float) -> None:
    groups = simultaneous(times, within_s)
    assert sorted(index for group in groups for index in group) == list(range(len(times)))
    for one, other in itertools.pairwise(groups):
        assert times[other[0]] - times[one[-1]] > within_s


def test_who_stands_before_the_slot_is_likelier_and_who_is_behind_the_gondola_is_out() -> None:
    place, settings = SlotPlace(2.0, 1.0, 90.0), ReachSettings()
    times = np.arange(0, 2, 0.1)

    def at(x: float, y: float, when_s: float = 1.0) -> float:
        path = FloorPath(times, np.tile([x, y], (len(times), 1)))
        return standing(place, path, when_s, when_s, settings).cost

    assert at(2.0, 1.45) < at(2.5, 1.45) < at(3.2, 1.45)
    assert at(2.0, 0.4) == float("inf")
    assert at(2.0, 1.4, when_s=9.0) == float("inf")


def test_of_a_long_interval_the_likeliest_moment_is_when_the_person_stood_there() -> None:
    """Everybody's view was blocked for 20 s; the person was before the slot from 4 to 8 s only."""
    times = np.arange(0, 20, 0.1)
    x = np.where((times >= 4) & (times <= 8), 2.0, 5.0)
    path = FloorPath(times, np.stack([x, np.full_like(x, 1.45)], axis=1))
    found = standing(SlotPlace(2.0, 1.0, 90.0), path, 0.0, 20.0, ReachSettings())
    assert found.moment_s == pytest.approx(6.0, abs=0.2)
    always = FloorPath(times, np.tile([2.0, 1.45], (len(times), 1)))
    assert standing(SlotPlace(2.0, 1.0, 90.0), always, 0.0, 20.0, ReachSettings()).cost < found.cost


def test_contact_cost_grows_with_the_distance_from_the_box_and_knows_nothing_of_other_cameras() -> None:
    boxes = {"c1": BoxPath(np.array([1.0]), np.array([[100.0, 50.0, 40.0, 100.0]]))}
    settings = ReachSettings()
    inside = contact_cost([Contact("c1", 1.0, 120, 80)], boxes, settings)
    outside = contact_cost([Contact("c1", 1.0, 180, 80)], boxes, settings)
    assert inside == 0.0 < outside
    assert contact_cost([Contact("c2", 1.0, 300, 80)], boxes, settings) == 0.0
    assert contact_cost([Contact("c1", 9.0, 300, 80)], boxes, settings) == 0.0


def test_nobody_puts_back_what_they_never_took_on_weak_evidence() -> None:
    holdings = StoreHoldings({"s1": "cola"})
    assert holdings.move("s1", "t1", 1.0, 1).type == "pick"
    assert holdings.move("s1", "t1", 1.0, 1).type == "put_back"
    assert holdings.carried("t1") == ()


def test_a_put_back_into_the_wrong_slot_carries_its_product_along() -> None:
    holdings = StoreHoldings({"s1": "cola", "s2": "tea"})
    holdings.move("s1", "t1", -5.0, 1)
    wrong = holdings.move("s2", "t1", 6.0, 1)
    assert (wrong.type, wrong.product_id) == ("put_back", "cola")
    assert holdings.carried("t1") == ()
    assert holdings.move("s2", "t2", -5.0, 1).product_id == "cola"
    assert holdings.move("s2", "t2", -5.0, 1).product_id == "tea"


def test_what_looks_like_nothing_that_a_person_carries_was_not_put_there_by_them() -> None:
    red, blue = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
    for colours, kind in ((red, "put_back"), (blue, "pick")):
        holdings = StoreHoldings({"s1": "cola", "s2": "tea"})
        holdings.move("s1", "t1", -5.0, 1, [red])
        assert holdings.move("s2", "t1", 3.5, 1, [colours]).type == kind


def test_staff_restock_and_own_nothing() -> None:
    holdings = StoreHoldings({"s1": "cola"}, frozenset({"t9"}))
    assert holdings.move("s1", "t9", 2.0, 2).type == "restock"
    assert holdings.carried("t9") == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["s1", "s2"]),
            st.sampled_from(["t1", "t2", None]),
            st.floats(-6, 6),
            st.integers(1, 3),
        ),
        max_size=30,
    )
)
def test_a_person_never_holds_less_than_nothing_and_goods_are_conserved(
    moves: list[tuple[str, str | None, float, int]],
) -> None:
    holdings = StoreHoldings({"s1": "cola", "s2": "tea"})
    balance = {"t1": 0, "t2": 0}
    for slot_id, track_id, odds, quantity in moves:
        held = len(holdings.carried(track_id)) if track_id else 0
        moved = holdings.move(slot_id, track_id, odds, quantity)
        assert 0.5 <= moved.probability <= 1.0
        if track_id is None:
            continue
        if moved.type == "pick":
            balance[track_id] += moved.quantity
        elif held:
            balance[track_id] -= moved.quantity
        assert len(holdings.carried(track_id)) == balance[track_id] >= 0


def frames(people: dict[str, tuple[float, float]], episodes: list[SlotEpisode]) -> dict[str, pl.DataFrame]:
    points = [
        ("s001", "2026-11-22T03Z", track, START + timedelta(seconds=0.1 * k), x, y, 0.0, 2)
        for track, (x, y) in people.items()
        for k in range(200)
    ]
    schema = {c.name: c.dtype for c in TRACK_POINTS.columns}
    return {
        "slot_episodes": episode_frame(Clip("s001", "c1", "k", Path("k.mp4"), START, 10.0), episodes),
        "sightings": pl.DataFrame(schema={c.name: c.dtype for c in SIGHTINGS.columns}),
        "track_points": pl.DataFrame(points, schema=schema, orient="row"),
        "slots": pl.DataFrame(
            {
                "slot_id": ["s1", "s2"],
                "x_m": [1.0, 3.0],
                "y_m": [1.0, 1.0],
                "normal_deg": [90.0, 90.0],
            }
        ),
        "planogram": pl.DataFrame({"slot_id": ["s1", "s2"], "product_id": ["cola", "tea"], "facings": [1, 1]}),
    }


def taken(slot_id: str, at_s: float) -> SlotEpisode:
    return SlotEpisode(slot_id, "change", at_s - 1, at_s + 1, at_s, -1.5, 0.4, -1, 0.02, 0.96, None, True, b"")


def test_the_same_moment_two_people_each_at_their_slot() -> None:
    given_frames = frames({"t1": (1.0, 1.5), "t2": (3.0, 1.5)}, [taken("s1", 5.0), taken("s2", 5.1)])
    events = attribute(**given_frames, store_id="s001")
    assert events.columns == [column.name for column in SHELF_EVENTS.columns]
    assert dict(events.select("slot_id", "track_id").iter_rows()) == {"s1": "t1", "s2": "t2"}
    assert events["type"].to_list() == ["pick", "pick"]
    assert events["attribution_prob"].min() > 0.9
    assert attribute(**given_frames, store_id="s001").equals(events)


def test_of_two_pieces_it_is_no_doubt_who_has_which() -> None:
    near = np.array([[0.2, 0.3], [0.2, 0.3]])
    one_each = assign(near, nobody_cost=5.0, second_hand_cost=1.5, alike=[0, 0])
    assert sorted(found.person for found in one_each) == [0, 1]
    assert min(found.probability for found in one_each) > 0.8
    assert max(found.probability for found in assign(near, 5.0, 1.5)) < 0.6
    both = assign(np.array([[0.2], [0.2]]), nobody_cost=2.0, second_hand_cost=1.5, alike=[0, 0])
    assert min(found.probability for found in both) < 0.6


def test_two_pieces_at_once_before_two_people_are_one_each() -> None:
    both = SlotEpisode("s1", "change", 4.0, 6.0, 5.0, -1.5, 0.4, -2, 0.02, 0.96, None, True, b"")
    events = attribute(**frames({"t1": (0.75, 1.5), "t2": (1.25, 1.5)}, [both]), store_id="s001")
    assert sorted(events["track_id"].to_list()) == ["t1", "t2"]
    assert events["quantity"].to_list() == [1, 1]
    alone = attribute(**frames({"t1": (0.75, 1.5), "t2": (4.0, 1.5)}, [both]), store_id="s001")
    assert alone.select("track_id", "quantity").rows() == [("t1", 2)]


def test_who_holds_the_product_puts_it_back() -> None:
    """Both stand as near; the one who took it before is the one who puts it back."""
    given_frames = frames({"t1": (0.7, 1.5), "t2": (1.3, 1.5)}, [])
    episodes = [
        SlotEpisode("s1", "change", 2.0, 2.2, 2.1, -1.5, 0.4, -1, 0.02, 0.96, None, True, b""),
        SlotEpisode("s1", "change", 12.0, 12.2, 12.1, 1.5, 0.4, 1, 0.96, 0.02, None, True, b""),
    ]
    given_frames["slot_episodes"] = frames({}, episodes)["slot_episodes"]
    events = attribute(**given_frames, store_id="s001")
    assert events["type"].to_list() == ["pick", "put_back"]
    assert events["track_id"].n_unique() == 1


def test_hands_alone_give_an_event_without_a_track() -> None:
    events = attribute(**frames({"far": (7.0, 5.0)}, [taken("s1", 5.0)]), store_id="s001")
    assert events["track_id"].to_list() == [None]
    assert events["attribution_prob"].to_list() == [0.0]
    nobody = attribute(**frames({}, [taken("s1", 5.0)]), store_id="s001")
    assert nobody["track_id"].to_list() == [None]


def test_no_episodes_no_events() -> None:
    assert attribute(**frames({"t1": (1.0, 1.5)}, []), store_id="s001").is_empty()


def test_of_two_carried_products_the_one_that_looks_like_it_was_put_down() -> None:
    red, blue = (1.0, 0.0, 0.0), (0.0, 0.9, 0.1)
    holdings = StoreHoldings({"s1": "cola", "s2": "tea", "s3": "rice"})
    holdings.move("s1", "t1", -5.0, 1, [red])
    holdings.move("s2", "t1", -5.0, 1, [blue])
    assert holdings.move("s3", "t1", 6.0, 1, [(0.8, 0.1, 0.1)]).product_id == "cola"
    assert holdings.carried("t1") == ("tea",)
    holdings.move("s1", "t1", -5.0, 1, [red])
    assert holdings.move("s3", "t1", 6.0, 1).product_id == "cola"
