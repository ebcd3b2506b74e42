"""Log-odds and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.vision.log_odds import log_odds, log_odds_each, logistic, logistic_each


@given(st.floats(1e-5, 1.0 - 1e-5))
def test_there_and_back(prob: float) -> None:
    assert logistic(log_odds(prob)) == pytest.approx(prob)
    assert log_odds_each(np.array([prob]), 1e-6, 1.0 - 1e-6)[0] == pytest.approx(log_odds(prob))
    assert logistic_each(np.array([log_odds(prob)]))[0] == pytest.approx(prob)


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_more_is_never_less_and_nothing_overflows(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0.0 < logistic(low) <= logistic(high) <= 1.0


def test_certainty_is_kept_within_its_limits() -> None:
    assert log_odds(0.0, least=0.02) == pytest.approx(np.log(0.02 / 0.98))
    assert log_odds(1.0, least=0.02) == pytest.approx(np.log(0.98 / 0.02))
    assert log_odds_each(np.array([0.0, 1.0]), 0.02, 0.99) == pytest.approx([np.log(0.02 / 0.98), np.log(99.0)])
    assert logistic(100.0, farthest=6.0) == logistic(6.0) < logistic(7.0)


def test_an_array_keeps_its_type() -> None:
    assert logistic_each(np.zeros(2, dtype=np.float32)).dtype == np.float32
