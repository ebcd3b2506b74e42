"""A simulated store-day as the vision tables would hold it if the cameras saw everything: no footage
involved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from assets.orders.baskets.netting import Netting, net
from assets.orders.billing.settlement import Settlement, settle
from assets.orders.reference import documents
from assets.orders.visits.binding import Binding, Floor, bind
from assets.orders.visits.scans import from_landing
from lakehouse.contracts.orders import REVIEW_DECISIONS
from lakehouse.contracts.vision import SHELF_EVENTS, TRACK_POINTS, TRACKS
from lakehouse.store_day import StoreDay, capture_hour
from resources.landing.deliveries import GATE_EVENTS
from resources.landing.folder import Landing
from simulation.day_rendering import default_recipe, plan, write_lines
from simulation.day_rendering import gate_events as simulated_scans
from simulation.reference import write_reference
from simulation.truth import BOXES, write_truth

VISIBLE_X_M = 0.2
"""The cameras see nobody before the door."""


@dataclass(frozen=True)
class SimulatedDay:
    """Everything of a store-day; `truth` is the folder with the true receipts."""

    store_day: StoreDay
    reference: documents.Reference
    tracks: pl.DataFrame
    track_points: pl.DataFrame
    shelf_events: pl.DataFrame
    binding: Binding
    netting: Netting
    settlement: Settlement
    truth: Path
    true_account: dict[str, str | None]


def simulate(folder: Path, seed: int, *, noise_m: float = 0.1, event_prob: float = 0.97) -> SimulatedDay:
    """Lands a scripted day below `folder`, reads it back, and settles it from perfect events."""
    layout, script, day = plan(default_recipe(seed, 150, "shipped"))
    recipe = default_recipe(seed, 150, "shipped")
    store_day = StoreDay(layout.store_id, date(2026, 11, 20))
    landing = Landing(folder / "landing")
    write_reference(landing.root, layout, script.planogram, seed, date(2025, 1, 1))
    write_lines(
        landing.root / "gate_events" / layout.store_id / "2026-11-20.jsonl", simulated_scans(day, layout, recipe)
    )
    known = documents.read_documents(landing.read_reference().documents)
    assert known.rejections == ()
    batch = landing.read(GATE_EVENTS)
    assert batch.rejections == ()
    scans = from_landing(batch.frame)
    rng = np.random.default_rng(seed)
    tracks, points = [], []
    for motion in day.motions:
        seen = np.flatnonzero(motion.position[:, 0] > VISIBLE_X_M)
        way = motion.position[seen] + rng.normal(0, noise_m, (len(seen), 2))
        moments = [recipe.t0 + timedelta(seconds=(motion.first_frame + int(k)) / 10) for k in seen]
        place = {"store_id": layout.store_id, "track_id": f"t-{motion.visit.person_id}"}
        points += [
            place
            | {"capture_hour": capture_hour(moment), "captured_at": moment, "x_m": x, "y_m": y}
            | {"speed_m_s": 1.0, "camera_count": 2}
            for moment, (x, y) in zip(moments, way, strict=True)
        ]
        tracks.append(
            place
            | {"capture_hour": capture_hour(moments[0]), "started_at": moments[0], "ended_at": moments[-1]}
            | {"length_m": 9.0, "point_count": len(way), "started_in_entrance": True, "ended_in_exit": True}
            | {"continuity_prob": 0.95}
        )
    events = []
    for number, event in enumerate(day.events):
        if event.type == "hand_over":
            continue
        moment = recipe.t0 + timedelta(seconds=event.time_s)
        events.append(
            dict.fromkeys(("happened_at", "started_at", "ended_at"), moment)
            | {
                "store_id": layout.store_id,
                "capture_hour": capture_hour(moment),
                "event_id": f"e{number:03d}",
            }
            | {"slot_id": event.slot_id, "product_id": event.product_id, "type": event.type}
            | {"quantity": 0 if event.type == "touch" else 1, "track_id": f"t-{event.person_id}"}
            | {"event_prob": event_prob, "attribution_prob": event_prob, "camera_count": 2}
        )
    track_frame = pl.DataFrame(tracks, TRACKS.schema)
    point_frame = pl.DataFrame(points, TRACK_POINTS.schema)
    event_frame = pl.DataFrame(events, SHELF_EVENTS.schema)
    floor = Floor.of_store(known.frames["stores"], layout.store_id)
    binding = bind(store_day, scans, track_frame, point_frame, floor)
    netting = net(event_frame, binding.visits, binding.visit_tracks)
    decisions = pl.DataFrame(schema=REVIEW_DECISIONS.schema)
    settlement = settle(store_day, binding.visits, netting, known.frames["prices"], decisions)
    write_truth(folder / "truth", day, store_day.business_date, pl.DataFrame(schema=BOXES))
    return SimulatedDay(
        store_day,
        known,
        track_frame,
        point_frame,
        event_frame,
        binding,
        netting,
        settlement,
        folder / "truth",
        {f"t-{motion.visit.person_id}": motion.visit.account_id for motion in day.motions},
    )
