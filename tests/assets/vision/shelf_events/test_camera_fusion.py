"""Fusing cameras: one event per change, whatever the order of cameras."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.vision.shelf_events.camera_fusion import CameraEpisode, ClearView, fuse


def change(
    camera_id: str,
    at_s: float,
    *,
    slot_id: str = "a",
    put: float = 0.05,
    pick: float = 0.9,
    facings: int = -1,
    half_length_s: float = 0.8,
    kind: str = "change",
) -> CameraEpisode:
    return CameraEpisode(
        camera_id, slot_id, kind, at_s - half_length_s, at_s + half_length_s, at_s, 0.3, facings, put, pick
    )


def test_what_two_cameras_see_within_the_window_is_one_event_with_more_evidence() -> None:
    alone = fuse([change("c1", 10.0)])
    together = fuse([change("c1", 10.0), change("c2", 11.2)])
    assert len(alone) == len(together) == 1
    assert together[0].camera_ids == ("c1", "c2")
    assert together[0].change_log_odds > alone[0].change_log_odds
    assert together[0].put_log_odds < alone[0].put_log_odds


def test_two_changes_in_one_camera_are_two_events_even_close_together() -> None:
    assert len(fuse([change("c1", 10.0), change("c1", 11.0)])) == 2


def test_a_blocked_camera_supports_what_another_saw_in_that_time() -> None:
    blocked = change("c2", 14.0, half_length_s=6.0)
    events = fuse([change("c1", 10.0), blocked])
    assert len(events) == 1
    assert events[0].changed_s == 10.0
    assert fuse([blocked])[0].changed_s == 14.0


def test_a_touch_beside_a_change_is_no_event_of_its_own() -> None:
    touch = change("c2", 10.3, put=0.0, pick=0.0, facings=0, kind="touch")
    assert [e.is_touch for e in fuse([change("c1", 10.0), touch])] == [False]
    assert [e.is_touch for e in fuse([touch])] == [True]


def test_a_camera_that_saw_the_slot_before_and_after_and_no_change_outweighs_one_that_did() -> None:
    seen = [change("c1", 10.0)]
    odds = fuse(seen)[0].change_log_odds
    assert fuse(seen, [ClearView("c1", "a", 0.0, 20.0)])[0].change_log_odds == odds
    assert fuse(seen, [ClearView("c2", "a", 0.0, 20.0)])[0].change_log_odds < 0 < odds
    two = fuse([*seen, change("c3", 10.2)], [ClearView("c2", "a", 0.0, 20.0)])
    assert two[0].change_log_odds > 0


@pytest.mark.parametrize("view", [(0.0, 10.5), (9.5, 20.0), (30.0, 40.0)])
def test_a_camera_without_a_clear_view_on_both_sides_says_nothing(view: tuple[float, float]) -> None:
    seen = [change("c1", 10.0)]
    assert fuse(seen, [ClearView("c2", "a", *view)])[0].change_log_odds == fuse(seen)[0].change_log_odds


def test_quantity_is_the_weighted_vote() -> None:
    events = fuse(
        [
            change("c1", 10.0, facings=-2),
            change("c2", 10.1, facings=-2),
            change("c3", 10.2, facings=-1, pick=0.5),
        ]
    )
    assert events[0].quantity == 2


EPISODES = st.lists(
    st.builds(
        change,
        st.sampled_from(["c1", "c2", "c3"]),
        st.floats(0, 12).map(lambda s: round(s, 1)),
        slot_id=st.sampled_from(["a", "b"]),
        put=st.sampled_from([0.05, 0.3]),
        pick=st.sampled_from([0.1, 0.6]),
        facings=st.sampled_from([-1, 1, 2]),
        half_length_s=st.sampled_from([0.5, 3.0]),
        kind=st.sampled_from(["change", "change", "touch"]),
    ),
    max_size=10,
    unique_by=lambda e: (e.camera_id, e.slot_id, e.changed_s, e.length_s, e.kind),
)


@given(EPISODES, st.randoms())
def test_the_order_of_cameras_does_not_matter(episodes: list[CameraEpisode], random: object) -> None:
    shuffled = list(episodes)
    random.shuffle(shuffled)
    assert fuse(episodes) == fuse(shuffled)


@given(EPISODES)
def test_every_change_is_in_one_event_and_no_event_is_of_nothing(episodes: list[CameraEpisode]) -> None:
    changes = [event for event in fuse(episodes) if not event.is_touch]
    wanted = [e for e in episodes if e.kind == "change"]
    assert len(changes) <= len(wanted)
    assert {e.slot_id for e in changes} == {e.slot_id for e in wanted}
    assert all(event.quantity >= 1 and event.camera_ids for event in changes)


@pytest.mark.parametrize("kind", ["opening", "closing"])
def test_states_are_no_events(kind: str) -> None:
    assert fuse([change("c1", 1.0, kind=kind)]) == []
