"""Which times a clip's frames get: by the sidecar where it holds, else by the container, else none."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.vision.footage.frame_times import LONGEST_MS, TOLERANCE_MS, FrameTimes, true_times


def even(count: int, fps: float = 10.0, start_ms: float = 0.0) -> tuple[float, ...]:
    return tuple(start_ms + 1000.0 * index / fps for index in range(count))


def test_what_holds_stays_as_it_is() -> None:
    assert true_times(10.0, (), 496, even(496)) == FrameTimes(10.0)
    dropped = tuple(t for t in even(500) if t not in (2300.0, 2400.0, 7000.0))
    assert true_times(10.0, dropped, 497, dropped) == FrameTimes(10.0, dropped)
    nominal = even(497)
    assert true_times(10.0, dropped, 497, nominal) == FrameTimes(10.0, dropped), "a nominal rate says nothing"
    cut = true_times(10.0, dropped, 497, dropped[:300])
    assert (cut.offsets_ms, cut.fault) == (dropped[:300], "")


def test_one_repeated_time_is_put_between_its_neighbours() -> None:
    times = list(even(40))
    times[17] = times[16]
    found = true_times(10.0, times, 40, even(40, fps=25.0))
    assert found.is_known
    assert "some of its frame times" in found.fault
    assert found.offsets_ms == pytest.approx(even(40))


def test_too_few_or_senseless_times_give_way_to_the_container() -> None:
    container = even(496, fps=9.9)
    for times in (even(100), even(600), [0.0] * 496, even(496)[::-1], even(496, fps=1000.0)):
        found = true_times(10.0, times, 496, container)
        assert found.offsets_ms == container
        assert found.fps == pytest.approx(9.9)
        assert found.fault.endswith("times from the container")


def test_a_rate_that_is_not_the_frames_gives_way_to_the_container() -> None:
    """20 s at ten frames a second must not become 6.7."""
    found = true_times(30.0, (), 200, even(200))
    assert found.offset_ms(199) == pytest.approx(19_900)
    varying = (*even(100), *even(100, fps=2.0, start_ms=10_000))
    assert true_times(10.0, (), 200, varying).offsets_ms == varying
    jitter = tuple(t + (TOLERANCE_MS if index % 7 == 0 else 0) for index, t in enumerate(even(200, fps=2.0)))
    assert true_times(2.0, (), 200, jitter) == FrameTimes(2.0), "a container that trembles contradicts nobody"


def test_frames_missing_at_the_beginning_keep_the_times_of_the_end() -> None:
    times = (*even(20), *even(20, start_ms=2500))
    assert true_times(10.0, times, 40, times[10:]).offsets_ms == times[10:]


def test_nothing_to_go_by_and_clips_that_never_end() -> None:
    none = true_times(10.0, even(10), 40, [0.0] * 40)
    assert not none.is_known
    assert "the container has none" in none.fault
    assert true_times(10.0, (), 40, [0.0] * 40) == FrameTimes(10.0), "the sidecar is the only witness"
    endless = true_times(0.1, (), 1000, even(1000, fps=0.1))
    assert (endless.is_known, endless.fault) == (False, "longer than an hour")
    assert true_times(10.0, (), 36_000, even(36_000)).is_known


@given(
    fps=st.floats(0.1, 240.0),
    times=st.lists(st.floats(-1e8, 1e8) | st.integers(0, 50).map(lambda n: 100.0 * n), max_size=60),
    promised=st.integers(0, 60),
    container=st.lists(st.floats(allow_nan=True, allow_infinity=True) | st.integers(0, 60).map(float), max_size=60),
)
def test_whatever_comes_in_known_times_rise_and_end_within_the_hour(
    fps: float, times: list[float], promised: int, container: list[float]
) -> None:
    found = true_times(fps, times, promised, container)
    if not found.is_known:
        assert found.fault
        return
    assert all(a < b for a, b in pairwise(found.offsets_ms[: len(container)]))
    if container:
        assert 0 <= found.offset_ms(0) <= found.offset_ms(len(container) - 1) <= LONGEST_MS
