"""Shelf events of rendered days against their truth, and the constants of their confidence.

`python -m benchmarks.shelf_confidence DAY...` runs detector, tracker, slots and attribution on every DAY/landing,
scores the events against DAY/truth and fits the Platt constants of assets/vision/shelf_events/confidence.py on all days
together. The days are the tuning days (`python -m simulation render --layout tuning --seed 101`, `--layout tuning
--seed 104
--seconds 130`, `--layout tuning_corner --seed 404 --seconds 130`): on any other the fit is only printed to see whether
the constants carry over.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import yaml
from scipy.optimize import minimize

from assets.vision.clip_analysis.decode_pass import analyse_clip
from assets.vision.detection.detector import NanoDetector
from assets.vision.shelf_events.attribution import Deed, attribute, attributed
from assets.vision.shelf_events.camera_episodes import camera_episodes, clear_views
from assets.vision.shelf_events.camera_fusion import fuse
from assets.vision.shelf_events.confidence import Confidence
from assets.vision.shelf_events.holdings import StoreHoldings
from assets.vision.shelf_events.settings import AttributionSettings
from assets.vision.trajectories.merge import trajectories
from assets.vision.trajectories.rows import Trajectories
from benchmarks.store_footage import read_store_footage
from evaluation.events import ShelfEvent, score

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
TOLERANCES_S = (0.5, 1.0, 2.0)
MATCH_S = 5.0
"""For confidence the moment is no matter: slot and kind must agree within this."""
NEAR_M = 0.7


def reference(landing: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """slots and planogram of the only store below `landing`."""
    folder = next((landing / "reference" / "stores").iterdir())
    store: dict[str, Any] = yaml.safe_load((folder / "store.yaml").read_text())
    slots = pl.DataFrame(
        [{name: slot[name] for name in ("slot_id", "x_m", "y_m", "normal_deg")} for slot in store["slots"]]
    )
    planogram = pl.read_csv(folder / "planogram.csv").select("slot_id", "product_id", "facings")
    return slots, planogram


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
    best = counted.sort("len", "person_id", descending=True).unique("track_id", keep="first", maintain_order=True)
    return dict(best.select("track_id", "person_id").iter_rows())


def follows(tracks: Trajectories, positions: pl.DataFrame, deed: Deed, person_id: str, t0_s: float) -> bool:
    """Whether the track named was where that person was at the moment.

    Whether a track stays with one person is another question, with a confidence of its own.
    """
    tick = pl.col("captured_at").dt.epoch("us") / 1e6
    near = tracks.track_points.filter((pl.col("track_id") == deed.track_id) & ((tick - deed.moment_s).abs() < 0.2))
    there = positions.filter(
        (pl.col("person_id") == person_id) & ((pl.col("time_s") + t0_s - deed.moment_s).abs() < 0.2)
    )
    if near.is_empty() or there.is_empty():
        return False
    apart = near.select("x_m", "y_m").mean().to_numpy() - there.select("x_m", "y_m").mean().to_numpy()
    return bool(np.linalg.norm(apart) < NEAR_M)


def platt(odds: Floats, is_right: Flags) -> tuple[float, float]:
    """Intercept and slope of the likeliest logistic, pulled towards (0, 1): a day has few events."""

    def loss(constants: Floats) -> float:
        value = constants[0] + constants[1] * odds
        entropy = np.logaddexp(0, value) - is_right * value
        return float(entropy.sum() + 0.5 * constants[0] ** 2 + 0.5 * (constants[1] - 1) ** 2)

    found = minimize(loss, np.array([0.0, 1.0]), bounds=[(-10, 10), (0, 5)])
    return round(float(found.x[0]), 3), round(float(found.x[1]), 3)


@dataclass(frozen=True)
class Evidence:
    """What one day gives: scores of its events, and log-odds with whether they were right."""

    scores: dict[str, Any]
    change: tuple[Floats, Flags]
    person: tuple[Floats, Flags]


def evidence(day: Path) -> Evidence:
    """Run a day and compare."""
    landing, truth = day / "landing", day / "truth"
    t0_s = datetime.fromisoformat(json.loads((day / "manifest.json").read_text())["t0"]).timestamp()
    footage = read_store_footage(landing)
    detector = NanoDetector()
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
    slots, planogram = reference(landing)
    people = people_of(tracks, truth, t0_s)
    kinds = dict(pl.read_parquet(truth / "persons.parquet").select("person_id", "kind").iter_rows())
    staff = frozenset(track for track, person in people.items() if kinds[person] == "staff")
    real = pl.read_parquet(truth / "events.parquet").filter(pl.col("slot_id").is_not_null())
    real = real.filter(pl.col("type") != "touch").sort("time_s")
    happened = [
        ShelfEvent(row["time_s"], row["slot_id"], "pick" if row["type"] == "pick" else "put_back", row["quantity"])
        for row in real.iter_rows(named=True)
    ]
    events = attribute(
        episodes, tracks.sightings, tracks.track_points, slots, planogram, store_id="", staff_tracks=staff
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
    views = clear_views(episodes, plain.longest_gap_s)
    fused = [e for e in fuse(camera_episodes(episodes, facings, plain), views) if not e.is_touch]
    as_events = [ShelfEvent(e.changed_s - t0_s, e.slot_id, "change") for e in fused]
    matched = dict(score(as_events, [replace(e, type="change") for e in happened], MATCH_S).pairs)
    is_real = np.array([index in matched for index in range(len(fused))])
    carried = dict(planogram.select("slot_id", "product_id").iter_rows())
    deeds = attributed(fused, tracks.sightings, tracks.track_points, slots, StoreHoldings(carried, staff), plain)
    true_person = {id(fused[index]): real["person_id"][t] for index, t in matched.items()}
    by_place = {(e.slot_id, e.changed_s): true_person[id(e)] for e in fused if id(e) in true_person}
    named = [d for d in deeds if d.track_id is not None and (d.event.slot_id, d.event.changed_s) in by_place]
    positions = pl.read_parquet(truth / "positions.parquet")
    margin = np.array([min(deed.person_prob, 1 - 1e-6) for deed in named])
    is_right = np.array(
        [follows(tracks, positions, deed, by_place[deed.event.slot_id, deed.event.changed_s], t0_s) for deed in named]
    )
    return Evidence(
        result,
        (np.array([e.change_log_odds for e in fused]), is_real),
        (np.log(margin / (1 - margin)), is_right),
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.shelf_confidence", description=__doc__)
    parser.add_argument("days", nargs="+", type=Path, metavar="DAY")
    found = {day.name: evidence(day) for day in parser.parse_args().days}
    change, person = (
        tuple(np.concatenate(part) for part in zip(*(getattr(day, name) for day in found.values()), strict=True))
        for name in ("change", "person")
    )
    change_intercept, change_slope = platt(*change)
    person_intercept, person_slope = platt(*person)
    result = {
        "days": {name: day.scores for name, day in found.items()},
        "confidence": {
            "change_intercept": change_intercept, "change_slope": change_slope,
            "person_intercept": person_intercept, "person_slope": person_slope,
            "fitted_on": [len(change[0]), len(person[0])],
        },
    }  # fmt: skip
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
