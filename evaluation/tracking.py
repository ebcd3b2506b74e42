"""Score tracks against a MOT truth file: `python -m evaluation tracking`. TrackEval is the scorer.

This module scores; what makes the tracks is handed in (`Track`), so that the scorer knows no algorithm.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evaluation.mot import MotBoxes, MotFileError, read_mot, write_mot
from evaluation.stdout import libraries_to_stderr

Track = Callable[[Path, MotBoxes | None], tuple[MotBoxes, int, str]]
"""(video, detections or None) -> tracks, the number of frames of the video, and what made the detections."""


@dataclass(frozen=True)
class TrackingScore:
    """Percentages as in the literature; `id_switches` counts."""

    hota: float
    mota: float
    idf1: float
    id_switches: int
    deta: float
    assa: float


class ScorerMissingError(RuntimeError):
    """TrackEval is not installed."""


def overlaps(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n, m) intersection over union of boxes (n, 4) and (m, 4), left, top, width, height."""
    near = np.maximum(one[:, None, :2], other[None, :, :2])
    far = np.minimum(one[:, None, :2] + one[:, None, 2:4], other[None, :, :2] + other[None, :, 2:4])
    shared = np.prod(np.clip(far - near, 0, None), axis=2)
    union = one[:, 2:4].prod(axis=1)[:, None] + other[:, 2:4].prod(axis=1)[None] - shared
    return np.asarray(np.where(union > 0, shared / np.maximum(union, 1e-12), 0.0))


def score_tracks(truth: MotBoxes, tracks: MotBoxes, first: int, last: int) -> TrackingScore:
    """HOTA, MOTA and IDF1 (at overlap 0.5) over frames first..last-1. Raises ScorerMissingError."""
    try:
        from trackeval.metrics import CLEAR, HOTA, Identity
    except ImportError:
        raise ScorerMissingError(
            "TrackEval, the scorer, is not installed: it belongs to the test extra (trackeval==1.3.0)"
        ) from None
    data = _trackeval_input(truth.between(first, last), tracks.between(first, last), first, last)
    quiet = {"PRINT_CONFIG": False}
    hota: dict[str, Any] = HOTA().eval_sequence(data)
    clear: dict[str, Any] = CLEAR(quiet).eval_sequence(data)
    identity: dict[str, Any] = Identity(quiet).eval_sequence(data)
    return TrackingScore(
        hota=100 * float(np.mean(hota["HOTA"])),
        mota=100 * float(clear["MOTA"]),
        idf1=100 * float(identity["IDF1"]),
        id_switches=int(clear["IDSW"]),
        deta=100 * float(np.mean(hota["DetA"])),
        assa=100 * float(np.mean(hota["AssA"])),
    )


def _trackeval_input(truth: MotBoxes, tracks: MotBoxes, first: int, last: int) -> dict[str, Any]:
    true_ids, true_index = np.unique(truth.identity, return_inverse=True)
    found_ids, found_index = np.unique(tracks.identity, return_inverse=True)
    bounds = np.arange(first, last + 1)
    true_cut, found_cut = np.searchsorted(truth.frame, bounds), np.searchsorted(tracks.frame, bounds)
    true_rows = [slice(a, b) for a, b in itertools.pairwise(true_cut)]
    found_rows = [slice(a, b) for a, b in itertools.pairwise(found_cut)]
    return {
        "num_timesteps": last - first,
        "num_gt_ids": len(true_ids),
        "num_tracker_ids": len(found_ids),
        "num_gt_dets": len(truth),
        "num_tracker_dets": len(tracks),
        "gt_ids": [true_index[rows] for rows in true_rows],
        "tracker_ids": [found_index[rows] for rows in found_rows],
        "similarity_scores": [
            overlaps(truth.ltwh_px[a], tracks.ltwh_px[b]) for a, b in zip(true_rows, found_rows, strict=True)
        ],
    }


def mean_score(scores: Sequence[TrackingScore]) -> dict[str, float]:
    """Mean of every field over draws."""
    return {name: float(np.mean([asdict(score)[name] for score in scores])) for name in asdict(scores[0])}


def main(argv: Sequence[str], track: Track) -> int:
    """The command. Exit code 2 with one line on stderr for a wrong file or an absent scorer."""
    parser = argparse.ArgumentParser(prog="python -m evaluation tracking", description=__doc__)
    parser.add_argument("--video", type=Path, required=True, help="any file that FFmpeg reads")
    parser.add_argument("--truth", type=Path, required=True, help="MOT gt.txt")
    parser.add_argument("--detections", type=Path, help="MOT det.txt; without it our own detector runs")
    parser.add_argument("--tracks", type=Path, help="write the tracks here, as a MOT file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args(argv)
    for path in (arguments.video, arguments.truth, arguments.detections):
        if path is not None and not path.is_file():
            parser.exit(2, f"evaluation tracking: no such file: {path}\n")
    try:
        truth = read_mot(arguments.truth, is_truth=True)
        detections = read_mot(arguments.detections) if arguments.detections else None
        with libraries_to_stderr():
            started = time.process_time()
            tracks, frame_count, source = track(arguments.video, detections)
            spent_s = time.process_time() - started
            frame_count = max(frame_count, int(truth.frame.max()) + 1 if len(truth) else 0)
            score = score_tracks(truth, tracks, 0, frame_count)
    except (MotFileError, ScorerMissingError) as error:
        parser.exit(2, f"evaluation tracking: {error}\n")
    if arguments.tracks:
        write_mot(arguments.tracks, tracks)
    result = {
        "hota": round(score.hota, 2),
        "mota": round(score.mota, 2),
        "idf1": round(score.idf1, 2),
        "id_switches": score.id_switches,
        "us_per_frame": round(1e6 * spent_s / max(1, frame_count), 1),
        "frames": frame_count,
        "tracks": len(np.unique(tracks.identity)),
        "detections": source,
    }
    if arguments.json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        sys.stdout.writelines(f"{name:>14}  {value}\n" for name, value in result.items())
    return 0
