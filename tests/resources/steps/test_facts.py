"""Numbers about a frame, also about an empty one."""

from __future__ import annotations

import polars as pl

from resources.steps.facts import mean, share


def test_mean_and_share_have_four_digits() -> None:
    frame = pl.DataFrame({"prob": [0.1, 0.2, 0.3333], "is_sure": [True, False, False]})
    assert mean(frame, "prob") == 0.2111
    assert mean(frame, "is_sure") == share(frame, pl.col("is_sure")) == 0.3333


def test_no_rows_are_0() -> None:
    frame = pl.DataFrame({"prob": []}, {"prob": pl.Float32})
    assert mean(frame, "prob") == 0.0
    assert share(frame, pl.col("prob") > 0) == 0.0
