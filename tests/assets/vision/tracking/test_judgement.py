"""Which boxes and tracks count as people, measured against what people score in the same clip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.vision.log_odds import log_odds, logistic
from assets.vision.tracking.camera_tracks import link
from assets.vision.tracking.judgement import is_convincing, moved_heights, usual_score
from assets.vision.tracking.settings import JudgementSettings
from assets.vision.tracking.tracklets import Detections

FRAMES = np.arange(100)


def seen(*people: tuple[np.ndarray, float]) -> tuple[Detections, list[np.ndarray]]:
    """Everybody's centres x (a frame each, 10 a second) and score, in boxes of 40 x 100; and the rows of each."""
    count = len(people)
    frame = np.repeat(FRAMES, count)
    x = np.stack([path for path, _ in people], axis=1).ravel()
    boxes = np.stack([x - 20, np.full(len(x), 200.0), np.full(len(x), 40.0), np.full(len(x), 100.0)], axis=1)
    appearance = np.tile(np.sqrt(np.eye(216)[[0, 72, 144]].sum(axis=0)), (len(x), 1))
    score = np.tile([prob for _, prob in people], len(FRAMES))
    found = Detections(frame / 10, frame, boxes, score, appearance, (1000.0, 480.0))
    return found, [np.arange(number, len(x), count) for number in range(count)]


WALKING = 100 + 3.0 * FRAMES
STILL = np.full(100, 800.0)


def test_the_usual_score_is_that_of_those_who_walk() -> None:
    found, tracks = seen((WALKING, 0.7), (STILL, 0.3), (STILL - 200, 0.3), (STILL - 100, 0.3))
    assert usual_score(found, tracks, JudgementSettings()) == 0.7
    assert usual_score(found, tracks[1:], JudgementSettings()) == 0.3  # nobody walks: all count
    assert usual_score(found, [tracks[0][:9]], JudgementSettings()) == 0.0  # too short to tell


@given(st.floats(0.1, 1.0), st.floats(0.05, 0.95))
def test_a_detector_of_lower_scores_has_a_lower_usual_score(factor: float, prob: float) -> None:
    found, tracks = seen((WALKING, prob), (STILL, 0.5 * prob))
    lower = replace(found, score=factor * found.score)
    settings = JudgementSettings()
    assert usual_score(lower, tracks, settings) == pytest.approx(factor * usual_score(found, tracks, settings))


def test_who_stays_must_convince_more_than_who_walks() -> None:
    settings = JudgementSettings()
    between = logistic(log_odds(0.7) - (settings.still_doubt + settings.mover_doubt) / 2)
    found, (walker, thing, person) = seen((WALKING, between), (STILL, between), (STILL - 100, 0.7))
    assert is_convincing(found, walker, 0.7, settings)
    assert not is_convincing(found, thing, 0.7, settings)
    assert is_convincing(found, person, 0.7, settings)


@given(st.floats(0.02, 0.97), st.floats(0.02, 0.97), st.floats(0.05, 0.97))
def test_a_surer_track_is_never_less_convincing(one: float, other: float, usual: float) -> None:
    settings = JudgementSettings()
    low, high = sorted((one, other))
    found, (less, more) = seen((WALKING, low), (WALKING, high))
    assert is_convincing(found, more, usual, settings) >= is_convincing(found, less, usual, settings)


@given(st.floats(0.2, 5.0), st.floats(-300, 300))
def test_how_far_somebody_moved_knows_no_scale_and_no_place(scale: float, shift: float) -> None:
    found, (rows,) = seen((WALKING, 0.9))
    elsewhere = replace(found, ltwh_px=scale * found.ltwh_px + np.array([shift, shift, 0.0, 0.0]))
    assert moved_heights(elsewhere, rows) == pytest.approx(moved_heights(found, rows))


def test_a_weak_double_beside_somebody_neither_breaks_nor_joins_the_track() -> None:
    everything, (person, _) = seen((WALKING, 0.8), (WALKING + 1.0, 0.35))
    found = everything.at((everything.score > 0.5) | (everything.look % 20 == 10))
    tracks = link(found, FRAMES / 10)
    assert len(tracks.rows) == 1
    assert len(tracks.rows[0]) == len(person)
    assert (found.score[tracks.rows[0]] == 0.8).all()


def test_a_cone_that_is_taken_for_somebody_all_the_time_is_no_track() -> None:
    found, (person, _) = seen((WALKING, 0.7), (STILL, 0.42))
    assert [rows.tolist() for rows in link(found, FRAMES / 10).rows] == [person.tolist()]
