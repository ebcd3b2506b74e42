"""Shelf events of a store-day: slot episodes fused over cameras and clips, attributed to tracks.

Frames of vision/slot_episodes, sightings and track_points with the reference data come in, a frame of
vision/shelf_events comes out. Where nobody stood in reach (only hands in view, a track that broke) the event has no
track and goes to review; it is never given to somebody by guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
import polars as pl

from assets.vision.shelf_events.camera_episodes import camera_episodes, clear_views
from assets.vision.shelf_events.camera_fusion import FusedEvent, fuse
from assets.vision.shelf_events.holdings import Movement, StoreHoldings
from assets.vision.shelf_events.joint_assignment import assign, simultaneous
from assets.vision.shelf_events.reach import BoxPath, FloorPath, SlotPlace, Standing, contact_cost, standing
from assets.vision.shelf_events.settings import AttributionSettings, ReachSettings
from lakehouse.contracts.vision import SHELF_EVENTS


def attribute(
    slot_episodes: pl.DataFrame,
    sightings: pl.DataFrame,
    track_points: pl.DataFrame,
    slots: pl.DataFrame,
    planogram: pl.DataFrame,
    *,
    store_id: str,
    staff_tracks: frozenset[str] = frozenset(),
    settings: AttributionSettings | None = None,
) -> pl.DataFrame:
    """Events of one store-day in the schema of vision/shelf_events, by time.

    `slots` and `planogram` are rows of the orders tables for this store; of the planogram those valid on the day
    (slot_id, product_id, facings), one a slot.
    """
    chosen = settings or AttributionSettings()
    facings = dict(planogram.select("slot_id", "facings").iter_rows())
    episodes = camera_episodes(slot_episodes, facings, chosen)
    events = [
        event
        for event in fuse(episodes, clear_views(slot_episodes, chosen.longest_gap_s), chosen.fusion)
        if event.is_touch or chosen.confidence.change(event.change_log_odds) >= chosen.keep_prob
    ]
    carried = dict(planogram.select("slot_id", "product_id").iter_rows())
    deeds = attributed(
        events, sightings, track_points, slots, StoreHoldings(carried, staff_tracks, chosen.holdings), chosen
    )
    rows = [_row(store_id, deed, carried, chosen) for deed in deeds]
    schema = {column.name: column.dtype for column in SHELF_EVENTS.columns}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("happened_at", "event_id")


@dataclass(frozen=True)
class Deed:
    """An event with who did it (None: nobody in reach), the assignment's probability, and what moved."""

    event: FusedEvent
    moment_s: float
    track_id: str | None
    person_prob: float
    movement: Movement | None


def attributed(
    events: Sequence[FusedEvent],
    sightings: pl.DataFrame,
    track_points: pl.DataFrame,
    slots: pl.DataFrame,
    holdings: StoreHoldings,
    settings: AttributionSettings,
) -> list[Deed]:
    """Events by time, each given to a track or to nobody; `holdings` is brought up to date on the way.

    Simultaneous events are assigned jointly. If several pieces moved at once, each is assigned by itself: two people
    may have taken one each.
    """
    places = {
        slot_id: SlotPlace(x, y, normal)
        for slot_id, x, y, normal in slots.select("slot_id", "x_m", "y_m", "normal_deg").iter_rows()
    }
    paths = _paths(track_points)
    boxes = _boxes(sightings)
    tracks = sorted(paths)
    pieces, event_of = [], []
    for number, event in enumerate(events):
        count = max(1, min(event.quantity, settings.most_pieces))
        pieces += [replace(event, quantity=min(event.quantity, 1))] * count
        event_of += [number] * count
    deeds: list[Deed] = []
    for group in simultaneous([piece.changed_s for piece in pieces], settings.together_s):
        stood = [[_standing(pieces[k], places, paths[t], settings.reach) for t in tracks] for k in group]
        costs = np.array(
            [
                [
                    at.cost + _evidence(pieces[k], t, boxes, holdings, settings) if np.isfinite(at.cost) else np.inf
                    for t, at in zip(tracks, row, strict=True)
                ]
                for k, row in zip(group, stood, strict=True)
            ]
        ).reshape(len(group), len(tracks))
        near = np.flatnonzero(np.isfinite(costs).any(axis=0))
        alike = [event_of[k] for k in group]
        solved = assign(costs[:, near], settings.nobody_cost, settings.second_hand_cost, alike)
        done = []
        for index, row, assignment in zip(group, stood, solved, strict=True):
            piece = pieces[index]
            if assignment.person is None:
                done.append(Deed(piece, piece.changed_s, None, 0.0, None))
            else:
                column = int(near[assignment.person])
                done.append(Deed(piece, row[column].moment_s, tracks[column], assignment.probability, None))
        for deed in sorted(done, key=lambda d: (d.moment_s, d.event.slot_id, d.track_id or "")):
            moved = None
            if not deed.event.is_touch:
                moved = holdings.move(
                    deed.event.slot_id,
                    deed.track_id,
                    deed.event.put_log_odds,
                    deed.event.quantity,
                    deed.event.colours,
                )
            deeds.append(replace(deed, movement=moved))
    return _joined(deeds)


def _joined(deeds: Sequence[Deed]) -> list[Deed]:
    """Pieces of one event that one person moved, together again."""
    joined: dict[tuple[object, ...], Deed] = {}
    for deed in deeds:
        moved = deed.movement
        name = (
            deed.event.slot_id, deed.event.changed_s, deed.event.is_touch, deed.track_id,
            moved and (moved.type, moved.product_id),
        )  # fmt: skip
        earlier = joined.get(name)
        if earlier is None or earlier.movement is None or moved is None:
            joined[name] = deed
        else:
            total = replace(earlier.movement, quantity=earlier.movement.quantity + moved.quantity)
            person_prob = min(earlier.person_prob, deed.person_prob)
            joined[name] = replace(earlier, movement=total, person_prob=person_prob)
    return list(joined.values())


def _standing(event: FusedEvent, places: Mapping[str, SlotPlace], path: FloorPath, reach: ReachSettings) -> Standing:
    place = places.get(event.slot_id)
    if place is None:
        return Standing(float("inf"), event.changed_s)
    return standing(place, path, event.started_s, event.ended_s, reach)


def _evidence(
    event: FusedEvent,
    track_id: str,
    boxes: Mapping[str, Mapping[str, BoxPath]],
    holdings: StoreHoldings,
    settings: AttributionSettings,
) -> float:
    seen = contact_cost(event.contacts, boxes.get(track_id, {}), settings.reach)
    return seen if event.is_touch else seen + holdings.cost(event.slot_id, track_id, event.put_log_odds)


def _paths(track_points: pl.DataFrame) -> dict[str, FloorPath]:
    found = {}
    for (track_id,), rows in track_points.sort("track_id", "captured_at").group_by("track_id", maintain_order=True):
        times = rows["captured_at"].dt.epoch("us").to_numpy() / 1e6
        found[str(track_id)] = FloorPath(times, rows.select("x_m", "y_m").to_numpy().astype(np.float64))
    return found


def _boxes(sightings: pl.DataFrame) -> dict[str, dict[str, BoxPath]]:
    found: dict[str, dict[str, BoxPath]] = {}
    ordered = sightings.sort("track_id", "camera_id", "captured_at")
    for (track_id, camera_id), rows in ordered.group_by("track_id", "camera_id", maintain_order=True):
        times = rows["captured_at"].dt.epoch("us").to_numpy() / 1e6
        ltwh = rows.select("left_px", "top_px", "width_px", "height_px").to_numpy().astype(np.float64)
        found.setdefault(str(track_id), {})[str(camera_id)] = BoxPath(times, ltwh)
    return found


def _row(store_id: str, deed: Deed, planogram: Mapping[str, str], settings: AttributionSettings) -> tuple[object, ...]:
    event, moved = deed.event, deed.movement
    happened = _instant(deed.moment_s)
    started = min(_instant(event.started_s), happened)
    change_prob = settings.confidence.change(event.change_log_odds)
    kind = "touch" if moved is None else moved.type
    name = f"{store_id}|{event.slot_id}|{happened.isoformat()}|{kind}|{deed.track_id}"
    return (
        store_id,
        started.strftime("%Y-%m-%dT%HZ"),
        hashlib.sha256(name.encode()).hexdigest()[:32],
        happened,
        started,
        max(_instant(event.ended_s), happened),
        event.slot_id,
        planogram.get(event.slot_id) if moved is None else moved.product_id,
        kind,
        0 if moved is None else moved.quantity,
        deed.track_id,
        settings.touch_prob if moved is None else change_prob * moved.probability,
        0.0 if deed.track_id is None else settings.confidence.person(deed.person_prob),
        len(event.camera_ids),
    )


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), tz=UTC)
