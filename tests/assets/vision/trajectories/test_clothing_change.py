"""A track is cut where its clothes change, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.vision.trajectories.clothing_change import change_moments
from assets.vision.trajectories.settings import ChangeSettings

RED, BLUE = np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0])


def shares_of(*parts: tuple[np.ndarray, int]) -> np.ndarray:
    return np.concatenate([np.tile(colour, (count, 1)) for colour, count in parts])


def cut(upper: np.ndarray, lower: np.ndarray) -> list[float]:
    time_s = np.arange(len(upper)) * 0.25
    return change_moments(time_s, upper, lower, np.ones(len(upper)), ChangeSettings())


def test_the_moment_at_which_another_person_begins() -> None:
    both = shares_of((RED, 20), (BLUE, 24))
    assert cut(both, both) == [5.0]


def test_three_people_in_one_track() -> None:
    both = shares_of((RED, 20), (BLUE, 24), (RED, 20))
    assert cut(both, both) == [5.0, 11.0]


def test_one_person_is_left_whole() -> None:
    same = shares_of((RED, 40))
    assert cut(same, same) == []


@pytest.mark.parametrize("count", [1, 3])
def test_a_sight_too_short_to_judge_is_no_change(count: int) -> None:
    """Half in the picture a person looks like another: under a second of it decides nothing."""
    both = shares_of((RED, 30), (BLUE, count))
    assert cut(both, both) == []


@given(st.lists(st.floats(0.05, 1.0), min_size=3, max_size=3), st.integers(0, 60))
def test_constant_clothing_is_never_cut(shares: list[float], count: int) -> None:
    shares_of_all = np.tile(np.array(shares) / sum(shares), (count, 1))
    assert cut(shares_of_all, shares_of_all) == []
