"""Who follows whom: the best choice for all together, at most one successor and one predecessor each."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from assets.vision.tracking.succession import FORBIDDEN, chains, successors


def test_all_together_beats_one_after_another() -> None:
    gain = np.full((4, 4), -FORBIDDEN)
    gain[0, 2], gain[0, 3], gain[1, 2] = 5.0, 4.0, 4.0
    assert successors(gain) == {0: 3, 1: 2}
    gain[1, 2] = -1.0
    assert successors(gain) == {0: 2}, "what gains nothing is not joined"


def test_nobody_follows_where_nothing_is_gained() -> None:
    assert successors(np.zeros((2, 2))) == {}
    assert successors(np.empty((0, 0))) == {}


def test_chains_name_everybody_once_by_the_first() -> None:
    assert chains({0: 2, 2: 3}, 5) == [[0, 2, 3], [1], [4]]
    assert chains({3: 0}, 4) == [[1], [2], [3, 0]]


@given(st.integers(0, 4).flatmap(lambda n: arrays(np.float64, (n, n), elements=st.integers(-3, 5).map(float))))
def test_no_other_choice_gains_more(gain: np.ndarray) -> None:
    gain = np.triu(gain, 1)
    count = len(gain)
    found = successors(gain)
    assert len(set(found.values())) == len(found)
    options = [[None, *(j for j in range(count) if gain[i, j] > 0)] for i in range(count)]
    best = 0.0
    for choice in itertools.product(*options):
        taken = [j for j in choice if j is not None]
        if len(set(taken)) == len(taken):
            best = max(best, sum(float(gain[i, j]) for i, j in enumerate(choice) if j is not None))
    assert sum(gain[i, j] for i, j in found.items()) == best
    assert sorted(n for chain in chains(found, count) for n in chain) == list(range(count))
