"""`python -m evaluation tracking`: the scorer's arithmetic, its errors, and the floors on real footage."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.draws import kept
from benchmarks.pets import compare
from evaluation.__main__ import main as command
from evaluation.mot import MotBoxes, MotFileError, read_mot, write_mot
from evaluation.tracking import overlaps, score_tracks

PETS = Path(__file__).resolve().parents[3] / "shared" / "data" / "tracking" / "PETS09-S2L1"
pytest.importorskip("trackeval", reason="TrackEval (test extra) is not installed")
real_footage = pytest.mark.skipif(not (PETS / "det.txt").is_file(), reason="PETS09-S2L1 (non-commercial) is not here")


def two_people(frames: int = 50) -> MotBoxes:
    frame = np.repeat(np.arange(frames), 2)
    identity = np.tile([1, 2], frames)
    left = np.where(identity == 1, 10.0 + frame, 300.0 - frame)
    boxes = np.stack([left, np.full(len(frame), 50.0), np.full(len(frame), 30.0), np.full(len(frame), 80.0)], axis=1)
    return MotBoxes(frame, identity, boxes, np.ones(len(frame)))


def test_truth_against_itself_is_perfect() -> None:
    truth = two_people()
    score = score_tracks(truth, truth, 0, 50)
    assert (score.hota, score.mota, score.idf1, score.id_switches) == pytest.approx((100, 100, 100, 0))


def test_a_swap_halfway_costs_identity_but_not_detection() -> None:
    truth = two_people()
    swapped = np.where(truth.frame < 25, truth.identity, 3 - truth.identity)
    score = score_tracks(truth, MotBoxes(truth.frame, swapped, truth.ltwh_px, truth.score), 0, 50)
    assert score.id_switches == 2
    assert score.idf1 == pytest.approx(50.0)
    assert score.deta == pytest.approx(100.0)
    assert score.mota == pytest.approx(98.0)


def test_nothing_found_scores_nothing() -> None:
    truth = two_people()
    none = truth.where(np.zeros(len(truth), dtype=bool))
    assert score_tracks(truth, none, 0, 50).hota == 0.0


def test_overlap_of_half_shifted_boxes() -> None:
    assert overlaps(np.array([[0, 0, 10, 10.0]]), np.array([[5, 0, 10, 10.0]]))[0, 0] == pytest.approx(1 / 3)


def test_files_survive_the_round_trip_and_wrong_lines_are_named(tmp_path: Path) -> None:
    path = tmp_path / "tracks.txt"
    write_mot(path, two_people())
    again = read_mot(path)
    assert np.array_equal(again.frame, two_people().frame)
    assert again.ltwh_px == pytest.approx(two_people().ltwh_px)
    path.write_text("1,1,0,0,10,10,1\nx,1,0,0,10,10,1\n")
    with pytest.raises(MotFileError, match="line 2"):
        read_mot(path)
    path.write_text("1,1,0,0,10,10,0\n2,1,0,0,10,10,1\n")
    assert len(read_mot(path, is_truth=True)) == 1


def test_a_draw_drops_its_share_and_is_the_same_again() -> None:
    assert kept(1000, 1).sum() == pytest.approx(960, abs=25)
    assert np.array_equal(kept(1000, 1), kept(1000, 1))
    assert not np.array_equal(kept(1000, 1), kept(1000, 2))


def test_an_absent_file_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        command(["tracking", "--video", str(tmp_path / "absent.mp4"), "--truth", str(tmp_path / "gt.txt")])
    assert stop.value.code == 2
    assert "absent.mp4" in capsys.readouterr().err


@real_footage
def test_command_prints_the_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["tracking", "--video", str(PETS / "vtest.avi"), "--truth", str(PETS / "gt.txt"), "--json"]
    assert command([*arguments, "--detections", str(PETS / "det.txt")]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["frames"] == 795
    assert result["hota"] > 52
    assert {"mota", "idf1", "id_switches", "us_per_frame"} <= set(result)


@real_footage
def test_floors_over_eight_draws() -> None:
    ours = compare(PETS, peers=False, own_detector=False)["openaisle"]
    assert ours["hota"] >= 52.0
    assert ours["idf1"] >= 68.0
    assert ours["mota"] >= 70.0
