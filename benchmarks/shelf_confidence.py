"""Shelf events of a rendered day against its truth, and the constants of their confidence.

`python -m benchmarks.shelf_confidence DAY` runs detector, tracker, slots and attribution on DAY/landing,
scores the events against DAY/truth and fits the Platt constants of assets/vision/confidence.py. DAY is the
tuning day (`python -m simulation render --layout tuning --seed 101`), never the shipped one: on that one the
fit is only printed to see whether the constants carry over.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import yaml
from scipy.optimize import minimize

from assets.vision.attribution import AttributionSettings, assigned, attribute, camera_episodes
from assets.vision.clip_analysis import analyse_clip
from assets.vision.confidence import Confidence
from assets.vision.detector import DetectorSettings, NanoDetector
from assets.vision.fusion import fuse
from assets.vision.merge import Trajectories, trajectories
from benchmarks.store_footage import read_store_footage
from evaluation.events import ShelfEvent, score

TOLERANCES_S = (0.5, 1.0, 2.0)
MATCH_S = 5.0
"""For confidence the moment is no matter: slot and kind must agree within this."""
NEAR_M = 0.7


def reference(landing: Path) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """slots, slot_views and planogram of the only store below `landing`."""
    folder = next((landing / "reference" / "stores").iterdir())
    store: dict[str, Any] = yaml.safe_load((folder / "store.yaml").read_text())
    cameras = yaml.safe_load((folder / "cameras.yaml").read_text())["cameras"]
    slots = pl.DataFrame(
        [{name: slot[name] for name in ("slot_id", "x_m", "y_m", "normal_deg")} for slot in store["slots"]]
    )
    views = pl.DataFrame(
        [
            {"slot_id": slot["slot_id"], "camera_id": camera["camera_id"]}
            for camera in cameras
            for slot in camera["slots"]
        ]
    )
    planogram = pl.read_csv(folder / "planogram.csv").select("slot_id", "product_id", "facings")
    return slots, views, planogram


def people_of(tracks: Trajectories, truth: Path, t0_s: float) -> dict[str, str]:
    """Person whom each track follows for most of its points, by floor position."""
    positions = pl.read_parquet(truth / "positions.parquet").with_columns(
        tick=(pl.col("time_s") * 10).round().cast(pl.Int64)
    )
    points = tracks.track_points.with_columns(
        tick=((pl.col("captured_at").dt.epoch("us") / 1e6 - t0_s) * 10).round().cast(pl.Int64)
    )
    joined = points.join(positions.select("tick", "person_id", at_x="x_m", at_y="y_m"), on="tick")
    distance = ((pl.col("x_m") - pl.col("at_x")) ** 2 + (pl.col("y_m") - pl.col("at_y")) ** 2).sqrt()
    counted = joined.filter(distance < NEAR_M).group_by("track_id", "person_id").len()
    best = counted.sort("len", "person_id", descending=True).unique(
        "track_id", keep="first", maintain_order=True
    )
    return dict(best.select("track_id", "person_id").iter_rows())


def platt(odds: npt.NDArray[np.float64], is_right: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Intercept and slope; Platt's smoothed targets, a weak pull towards (0, 1), slope not negative."""
    right = int(is_right.sum())
    wrong = len(is_right) - right
    target = np.where(is_right, (right + 1) / (right + 2), 1 / (wrong + 2))

    def loss(constants: npt.NDArray[np.float64]) -> float:
        value = constants[0] + constants[1] * odds
        entropy = np.logaddexp(0, value) - target * value
        return float(entropy.sum() + 0.5 * constants[0] ** 2 + 0.5 * (constants[1] - 1) ** 2)

    found = minimize(loss, np.array([0.0, 1.0]), bounds=[(-10, 10), (0, 5)])
    return round(float(found.x[0]), 3), round(float(found.x[1]), 3)


def main() -> None:
    """Print scores and constants as JSON."""
    day = Path(sys.argv[1])
    landing, truth = day / "landing", day / "truth"
    t0 = json.loads((day / "manifest.json").read_text())["t0"]
    t0_s = datetime.fromisoformat(t0).timestamp() if isinstance(t0, str) else float(t0)
    footage = read_store_footage(landing)
    detector = NanoDetector(DetectorSettings(width_px=384))
    parts = [
        analyse_clip(
            clip,
            footage.cameras[clip.camera_id],
            footage.slots[clip.camera_id],
            footage.zones[clip.camera_id],
            detector,
        )
        for clip in footage.clips
    ]
    episodes = pl.concat([part.slot_episodes for part in parts])
    tracks = trajectories(pl.concat([part.detections for part in parts]), footage.cameras, footage.plan)
    slots, views, planogram = reference(landing)
    people = people_of(tracks, truth, t0_s)
    kinds = dict(pl.read_parquet(truth / "persons.parquet").select("person_id", "kind").iter_rows())
    staff = frozenset(track for track, person in people.items() if kinds[person] == "staff")
    real = pl.read_parquet(truth / "events.parquet").filter(pl.col("slot_id").is_not_null())
    real = real.filter(pl.col("type") != "touch").sort("time_s")
    happened = [
        ShelfEvent(
            row["time_s"], row["slot_id"], "pick" if row["type"] == "pick" else "put_back", row["quantity"]
        )
        for row in real.iter_rows(named=True)
    ]
    events = attribute(
        episodes,
        tracks.sightings,
        tracks.track_points,
        slots,
        views,
        planogram,
        store_id="",
        staff_tracks=staff,
    ).filter(pl.col("type") != "touch")
    found = [
        ShelfEvent(
            row["happened_at"].timestamp() - t0_s,
            row["slot_id"],
            "pick" if row["type"] == "pick" else "put_back",
            row["quantity"],
        )
        for row in events.iter_rows(named=True)
    ]
    result: dict[str, Any] = {"events_true": len(happened), "events_found": len(found)}
    for tolerance in TOLERANCES_S:
        rates = score(found, happened, tolerance)
        result[f"at_{tolerance}_s"] = [round(v, 3) for v in (rates.precision, rates.recall, rates.f1)]
    pairs = dict(score(found, happened, MATCH_S).pairs)
    who = events["track_id"].to_list()
    right = [people.get(who[f] or "") == real["person_id"][t] for f, t in pairs.items()]
    result["attribution_accuracy"] = round(float(np.mean(right)), 3) if right else None

    plain = AttributionSettings(confidence=Confidence())
    facings = dict(planogram.select("slot_id", "facings").iter_rows())
    viewers = dict(views.group_by("slot_id").agg("camera_id").iter_rows())
    fused = [e for e in fuse(camera_episodes(episodes, facings, plain), viewers) if not e.is_touch]
    as_events = [ShelfEvent(e.changed_s - t0_s, e.slot_id, "change") for e in fused]
    matched = dict(score(as_events, [replace(e, type="change") for e in happened], MATCH_S).pairs)
    is_real = np.array([index in matched for index in range(len(fused))])
    intercept, slope = platt(np.array([e.change_log_odds for e in fused]), is_real)
    given = assigned(fused, tracks.sightings, tracks.track_points, slots, plain)
    named = [index for index in matched if given[index][0] is not None]
    margin = np.array([min(given[index][1], 1 - 1e-6) for index in named])
    is_right = np.array(
        [people.get(given[i][0] or "") == real["person_id"][matched[i]] for i in named], dtype=bool
    )
    person_intercept, person_slope = platt(np.log(margin / (1 - margin)), is_right)
    result["confidence"] = {
        "change_intercept": intercept, "change_slope": slope,
        "person_intercept": person_intercept, "person_slope": person_slope,
        "fitted_on": [len(fused), len(named)],
    }  # fmt: skip
    sys.stdout.write(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
