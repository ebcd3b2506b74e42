"""How much of a store-day's receipts hangs on who is who: `python -m benchmarks.receipts HOME DAY`.

HOME is where DAY, a folder that `python -m simulation render` wrote, was landed and run (`python -m simulation land
--home HOME --day DAY`, `python -m orchestration --home HOME run`). From the detections and slot episodes in its lake
the day is tracked, attributed, netted and billed again, in memory: as it is, over draws that drop 4 % of the
detections, and with the true trajectories in place of ours. Synthetic, all of it.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl

from assets.orders.baskets.netting import net
from assets.orders.billing import settlement
from assets.orders.billing.settings import BillingPolicy
from assets.orders.visits import binding
from assets.vision.shelf_events.attribution import attribute
from assets.vision.store_view import StorePlan, cameras_of, planogram_on
from assets.vision.trajectories.merge import trajectories
from assets.vision.trajectories.rows import Trajectories
from benchmarks.draws import DRAWS, kept
from evaluation.receipts import StoreDayRows, Truth, read_truth, report
from lakehouse.contracts import contract
from lakehouse.contracts.vision import CLOTHING, SIGHTINGS, TRACK_POINTS, TRACKS
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay, capture_hour_of
from lakehouse.tables.reader import scan
from resources.settings import load_settings

SEEN_SHARE = 0.3
"""A true box of which less is visible is not given to the true trajectories either."""


@dataclass(frozen=True)
class Landed:
    """A store-day in a home, and its truth moved to the time at which it landed."""

    store_day: StoreDay
    tables: dict[str, pl.DataFrame]
    plan: StorePlan
    begin: datetime
    truth: Truth
    positions: pl.DataFrame
    boxes: pl.DataFrame
    review_threshold: float


def read(home: Path, day: Path) -> Landed:
    """Raises FileNotFoundError for a DAY without truth, IndexError for a home in which nothing was run."""
    settings = load_settings(home=home)
    lake: Lake = settings.lake()
    names = {
        "vision": ("footage_segments", "detections", "slot_episodes"),
        "orders": ("stores", "cameras", "slots", "planograms", "gate_events", "prices", "review_decisions", "visits"),
    }
    tables = {name: scan(lake, contract(domain, name)).collect() for domain in names for name in names[domain]}
    store = tables["stores"].row(0, named=True)
    first = (
        tables["footage_segments"].select((pl.col("captured_at") - pl.duration(milliseconds="skew_ms")).min()).item()
    )
    business_date = datetime.fromisoformat(tables["visits"]["business_date"].max()).date()  # type: ignore[arg-type]
    return Landed(
        StoreDay(store["store_id"], business_date),
        {name: _of_store(table, store["store_id"]) for name, table in tables.items()},
        StorePlan(store["store_id"], np.asarray(store["entrance_zone_m"]), np.asarray(store["exit_zone_m"])),
        first,
        read_truth(day / "truth"),
        pl.read_parquet(day / "truth" / "positions.parquet"),
        pl.read_parquet(day / "truth" / "boxes.parquet"),
        settings.file.review.threshold_prob,
    )


def _of_store(table: pl.DataFrame, store_id: str) -> pl.DataFrame:
    return table.filter(pl.col("store_id") == store_id) if "store_id" in table.columns else table


def tracked(landed: Landed, seed: int | None) -> Trajectories:
    """Our trajectories, of all detections or of a draw."""
    detections = landed.tables["detections"]
    if seed is not None:
        detections = detections.filter(pl.Series(kept(detections.height, seed)))
    return trajectories(detections, cameras_of(landed.tables["cameras"]), landed.plan)


def true_trajectories(landed: Landed) -> Trajectories:
    """The truth in the shape of ours."""
    at = pl.lit(landed.begin) + pl.duration(milliseconds=(pl.col("time_s") * 1000).round().cast(pl.Int64))
    tenth = (pl.col("time_s") * 10).round().cast(pl.Int64).alias("tenth")
    positions = landed.positions.with_columns(tenth, captured_at=at, track_id="person_id")
    seen = landed.boxes.filter(pl.col("visible_frac") > SEEN_SHARE).with_columns(tenth, captured_at=at)
    places = positions.select("tenth", "person_id", "track_id", "x_m", "y_m")
    tracks = positions.group_by("track_id").agg(
        started_at=pl.col("captured_at").min(),
        ended_at=pl.col("captured_at").max(),
        point_count=pl.len(),
        length_m=pl.lit(0.0),
        started_in_entrance=pl.lit(True),
        ended_in_exit=pl.lit(True),
        continuity_prob=pl.lit(1.0),
    )
    walking = positions.with_columns(speed_m_s=pl.lit(1.0), camera_count=pl.lit(1))
    return Trajectories(
        _shaped(seen.join(places, on=["tenth", "person_id"]).with_columns(is_filled=False), SIGHTINGS.schema, landed),
        _shaped(walking, TRACK_POINTS.schema, landed),
        _shaped(tracks, TRACKS.schema, landed, "started_at"),
        pl.DataFrame(schema=CLOTHING.schema),
    )


def _shaped(table: pl.DataFrame, schema: pl.Schema, landed: Landed, instant: str = "captured_at") -> pl.DataFrame:
    placed = table.with_columns(
        pl.lit(landed.store_day.store_id).alias("store_id"), capture_hour=capture_hour_of(instant)
    )
    return placed.select(pl.col(name).cast(kind) for name, kind in schema.items())


def receipts(landed: Landed, ways: Trajectories) -> dict[str, float]:
    """Scores of the orders that these trajectories lead to."""
    tables, day = landed.tables, landed.store_day
    floor = binding.Floor.of_store(tables["stores"], day.store_id)
    bound = binding.bind(day, tables["gate_events"], ways.tracks, ways.track_points, floor)
    staff = bound.visits.filter(pl.col("state") == "staff").select("visit_id")
    events = attribute(
        tables["slot_episodes"],
        ways.sightings,
        ways.track_points,
        tables["slots"],
        planogram_on(tables["planograms"], day.business_date),
        store_id=day.store_id,
        staff_tracks=frozenset(bound.visit_tracks.join(staff, on="visit_id")["track_id"]),
    )
    netting = net(events, bound.visits, bound.visit_tracks)
    policy = BillingPolicy(landed.review_threshold)
    undecided = tables["review_decisions"].clear()
    found = settlement.settle(day, bound.visits, netting, tables["prices"], undecided, policy)
    rows = StoreDayRows(found.orders, found.order_lines, found.review_items, bound.visits)
    summary = report(rows, landed.truth)
    names = ("f1", "precision", "recall", "exact_match", "review_rate")
    return {name: float(summary[name]) for name in names}  # type: ignore[arg-type]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.receipts", description=__doc__)
    parser.add_argument("home", type=Path, metavar="HOME")
    parser.add_argument("day", type=Path, metavar="DAY")
    chosen = parser.parse_args()
    landed = read(chosen.home, chosen.day)
    drawn = [receipts(landed, tracked(landed, seed)) for seed in range(DRAWS)]
    rows = {
        "as it is": receipts(landed, tracked(landed, None)),
        f"mean of {DRAWS} draws": {name: float(np.mean([row[name] for row in drawn])) for name in drawn[0]},
        "spread of the draws": {name: float(np.std([row[name] for row in drawn])) for name in drawn[0]},
        "true trajectories": receipts(landed, true_trajectories(landed)),
    }
    for name, row in rows.items():
        numbers = {key: round(value, 3) for key, value in row.items()}
        sys.stdout.write(json.dumps({"day": chosen.day.name, "trajectories": name, **numbers}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
