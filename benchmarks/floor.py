"""Trajectories of rendered store-days against the truth: `python -m benchmarks.floor DAY... [--width PX]
[--every S]`.

DAY is a folder that `python -m simulation render` wrote. The clips are analysed once; then the day is tracked and
merged over eight draws that drop 4 % of the detections, because one run alone says little. Synthetic, all of it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from assets.vision.clip_analysis.decode_pass import analyse_clip
from assets.vision.clip_analysis.settings import AnalysisSettings
from assets.vision.detection.detector import NanoDetector
from assets.vision.detection.settings import DetectorSettings
from assets.vision.trajectories.merge import trajectories
from benchmarks.draws import DRAWS, kept
from benchmarks.store_footage import StoreFootage, read_store_footage
from evaluation.floor import FloorScore, score_floor


def detections_of(footage: StoreFootage, width_px: int, every_s: float) -> pl.DataFrame:
    """Rows of vision/detections of all clips, looked at no more often than every `every_s` seconds."""
    detector = NanoDetector(DetectorSettings(width_px=width_px))
    settings = AnalysisSettings(detect_every_s=every_s)
    return pl.concat(
        [
            analyse_clip(clip, footage.cameras[clip.camera_id], [], [], detector, settings).detections
            for clip in footage.clips
        ]
    )


def scores(day: Path, footage: StoreFootage, detections: pl.DataFrame) -> list[FloorScore]:
    """The score without a loss, then one a draw. People count from the moment when they are inside of the door."""
    begin = datetime.fromisoformat(json.loads((day / "manifest.json").read_text())["t0"])
    truth = pl.read_parquet(day / "truth" / "positions.parquet").filter(pl.col("x_m") > 0.0)
    found = []
    for seed in (None, *range(DRAWS)):
        left = detections
        if seed is not None:
            left = detections.filter(pl.Series(kept(detections.height, seed)))
        points = trajectories(left, footage.cameras, footage.plan).track_points
        seconds = (pl.col("captured_at") - begin).dt.total_milliseconds() / 1000
        found.append(score_floor(truth, points.with_columns(time_s=seconds)))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.floor", description=__doc__)
    parser.add_argument("days", nargs="+", type=Path, metavar="DAY")
    parser.add_argument("--width", type=int, default=DetectorSettings().width_px, help="of the detector's picture, px")
    parser.add_argument("--every", type=float, default=AnalysisSettings().detect_every_s, help="seconds between looks")
    chosen = parser.parse_args()
    for day in chosen.days:
        footage = read_store_footage(day / "landing")
        whole, *drawn = scores(day, footage, detections_of(footage, chosen.width, chosen.every))
        row = {
            "day": day.name,
            "width_px": chosen.width,
            "every_s": chosen.every,
            **{name: round(value, 2) for name, value in asdict(whole).items()},
            "drawn_idf1_mean": round(float(np.mean([score.idf1 for score in drawn])), 2),
            "drawn_idf1_sd": round(float(np.std([score.idf1 for score in drawn])), 2),
        }
        sys.stdout.write(json.dumps(row) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
