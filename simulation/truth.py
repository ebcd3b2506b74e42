"""Exact truth of a rendered day as Parquet: boxes, floor positions, events, receipts, persons."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl

from simulation.catalogue import BY_ID
from simulation.timeline import FPS, Day, Event

BOXES = {
    "camera_id": pl.String,
    "frame_index": pl.Int32,
    "time_s": pl.Float64,
    "person_id": pl.String,
    "left_px": pl.Float32,
    "top_px": pl.Float32,
    "width_px": pl.Float32,
    "height_px": pl.Float32,
    "visible_frac": pl.Float32,
    "clip": pl.String,
    "clip_frame_index": pl.Int32,
}


def receipts(events: list[Event]) -> Counter[tuple[str, str]]:
    """What every person carries out, (person, product) to pieces: picks less put-backs, hand-overs moved."""
    out: Counter[tuple[str, str]] = Counter()
    for event in events:
        if event.product_id is None:
            continue
        mine = (event.person_id, event.product_id)
        if event.type == "pick":
            out[mine] += 1
        elif event.type == "put_back":
            out[mine] -= 1
        elif event.type == "hand_over" and event.to_person_id is not None:
            out[mine] -= 1
            out[(event.to_person_id, event.product_id)] += 1
    return Counter({key: count for key, count in out.items() if count})


def write_truth(folder: Path, day: Day, business_date: date, boxes: pl.DataFrame) -> None:
    """All truth tables; times are seconds from the day's start."""
    folder.mkdir(parents=True, exist_ok=True)
    boxes.write_parquet(folder / "boxes.parquet", compression="zstd")
    positions = pl.concat(
        [
            pl.DataFrame(
                {
                    "time_s": [round((m.first_frame + k) / FPS, 3) for k in range(len(m.position))],
                    "person_id": [m.visit.person_id] * len(m.position),
                    "x_m": m.position[:, 0].round(4),
                    "y_m": m.position[:, 1].round(4),
                }
            )
            for m in day.motions
        ]
    ).sort("time_s", "person_id")
    positions.write_parquet(folder / "positions.parquet", compression="zstd")
    pl.DataFrame(
        [
            (
                f"e{n:03d}",
                e.time_s,
                e.person_id,
                e.type,
                e.slot_id,
                e.product_id,
                1,
                e.to_person_id,
                e.scenario,
            )
            for n, e in enumerate(day.events, start=1)
        ],
        schema={
            "event_id": pl.String,
            "time_s": pl.Float64,
            "person_id": pl.String,
            "type": pl.String,
            "slot_id": pl.String,
            "product_id": pl.String,
            "quantity": pl.Int32,
            "to_person_id": pl.String,
            "scenario": pl.String,
        },
        orient="row",
    ).write_parquet(folder / "events.parquet")
    visits = {m.visit.person_id: m.visit for m in day.motions}
    rows = []
    for (person, product), count in sorted(receipts(day.events).items()):
        price = BY_ID[product].price_on(business_date)
        rows.append((person, visits[person].account_id, product, count, price, price * count, visits[person].scenario))
    pl.DataFrame(
        rows,
        schema={
            "person_id": pl.String,
            "account_id": pl.String,
            "product_id": pl.String,
            "quantity": pl.Int32,
            "unit_price_fen": pl.Int64,
            "amount_fen": pl.Int64,
            "scenario": pl.String,
        },
        orient="row",
    ).write_parquet(folder / "receipts.parquet")
    pl.DataFrame(
        [(v.person_id, v.account_id, v.kind, v.scenario, m.entry_s, m.exit_s) for m in day.motions for v in (m.visit,)],
        schema={
            "person_id": pl.String,
            "account_id": pl.String,
            "kind": pl.String,
            "scenario": pl.String,
            "entry_s": pl.Float64,
            "exit_s": pl.Float64,
        },
        orient="row",
    ).write_parquet(folder / "persons.parquet")
