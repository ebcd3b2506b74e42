"""The floor scorer against scores worked out by hand."""

from __future__ import annotations

import math

import polars as pl
import pytest

from evaluation.floor import score_floor


def path(name: str, identity: str, first: int, last: int, y_m: float) -> pl.DataFrame:
    steps = range(first, last)
    return pl.DataFrame(
        {
            name: [identity] * len(steps),
            "time_s": [step / 10 for step in steps],
            "x_m": [step / 10 for step in steps],
            "y_m": [y_m] * len(steps),
        }
    )


TRUTH = pl.concat([path("person_id", "ann", 0, 100, 1.0), path("person_id", "ben", 0, 100, 4.0)])


def test_the_truth_itself_is_perfect() -> None:
    score = score_floor(TRUTH, TRUTH.rename({"person_id": "track_id"}))
    assert (score.idf1, score.idp, score.idr, score.median_error_m) == (100.0, 100.0, 100.0, 0.0)


def test_a_track_that_changes_its_person_counts_for_one_of_them() -> None:
    swapped = pl.concat(
        [path("track_id", "a", 0, 60, 1.1), path("track_id", "a", 60, 100, 4.1), path("track_id", "b", 60, 100, 1.1)]
    )
    score = score_floor(TRUTH, swapped)
    # a as ben and b as ann is right at 40 + 40 moments, a as ann only at 60
    assert score.idf1 == pytest.approx(200 * 80 / (200 + 140))
    assert score.median_error_m == pytest.approx(0.1)
    assert (score.people, score.tracks) == (2, 2)


def test_half_a_metre_is_too_far() -> None:
    near = path("track_id", "a", 0, 100, 1.49)
    far = path("track_id", "a", 0, 100, 1.51)
    assert score_floor(TRUTH, near).idr == pytest.approx(50.0)
    assert score_floor(TRUTH, far).idr == 0.0
    assert math.isnan(score_floor(TRUTH, far).median_error_m)


def test_no_tracks_score_nothing_and_no_truth_is_refused() -> None:
    assert score_floor(TRUTH, path("track_id", "a", 0, 0, 1.0)).idf1 == 0.0
    with pytest.raises(ValueError, match="no positions"):
        score_floor(TRUTH.clear(), TRUTH.rename({"person_id": "track_id"}))
