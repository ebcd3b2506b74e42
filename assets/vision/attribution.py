"""Shelf events of a store-day: slot episodes fused over cameras and clips, attributed to tracks.

Pure: frames of vision/slot_episodes, sightings and track_points with the reference data in, a frame of
vision/shelf_events out. Where nobody stood in reach (hands alone in view, a track that broke) the event stays
without a track and goes to review; it is never given to somebody by guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import polars as pl

from assets.vision.assignment import Assignment, assign, simultaneous
from assets.vision.confidence import CONFIDENCE, Confidence
from assets.vision.fusion import CameraEpisode, Contact, FusedEvent, fuse
from assets.vision.holdings import StoreHoldings
from assets.vision.reach import BoxPath, FloorPath, ReachSettings, SlotPlace, contact_cost, floor_cost
from assets.vision.slot_episodes import SlotEpisode
from assets.vision.slot_settings import SlotSettings
from assets.vision.slot_stitching import gain_from_states, stitched_change
from lakehouse.contracts.vision import SHELF_EVENTS


@dataclass(frozen=True)
class AttributionSettings:
    """Natural-log units and seconds."""

    reach: ReachSettings = field(default_factory=ReachSettings)
    slots: SlotSettings = field(default_factory=SlotSettings)
    confidence: Confidence = CONFIDENCE
    together_s: float = 1.0
    """Events no farther apart than this are assigned jointly."""
    nobody_cost: float = 5.0
    second_hand_cost: float = 1.5
    keep_prob: float = 0.3
    """Changes less probable than this are dropped."""
    longest_gap_s: float = 20.0
    """Clips of a camera farther apart than this are not joined."""


def attribute(
    slot_episodes: pl.DataFrame,
    sightings: pl.DataFrame,
    track_points: pl.DataFrame,
    slots: pl.DataFrame,
    slot_views: pl.DataFrame,
    planogram: pl.DataFrame,
    *,
    store_id: str,
    staff_tracks: frozenset[str] = frozenset(),
    settings: AttributionSettings | None = None,
) -> pl.DataFrame:
    """Events of one store-day in the schema of vision/shelf_events, by time.

    `slots`, `slot_views` and `planogram` are rows of the orders tables for this store; of the planogram those
    valid on the day (slot_id, product_id, facings), one a slot.
    """
    chosen = settings or AttributionSettings()
    facings = dict(planogram.select("slot_id", "facings").iter_rows())
    episodes = camera_episodes(slot_episodes, facings, chosen)
    viewers = {
        slot_id: tuple(sorted(cameras))
        for slot_id, cameras in slot_views.group_by("slot_id").agg(pl.col("camera_id")).iter_rows()
    }
    events = [
        event
        for event in fuse(episodes, viewers)
        if event.is_touch or chosen.confidence.change(event.change_log_odds) >= chosen.keep_prob
    ]
    assignments = assigned(events, sightings, track_points, slots, chosen)
    holdings = StoreHoldings(dict(planogram.select("slot_id", "product_id").iter_rows()), staff_tracks)
    rows = [
        _row(store_id, event, track_id, probability, holdings, chosen)
        for event, (track_id, probability) in zip(events, assignments, strict=True)
    ]
    schema = {column.name: column.dtype for column in SHELF_EVENTS.columns}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("happened_at", "event_id")


def camera_episodes(
    frame: pl.DataFrame, facings: Mapping[str, int], settings: AttributionSettings
) -> list[CameraEpisode]:
    """Rows of vision/slot_episodes with times as seconds, with the changes between clips."""
    found: list[CameraEpisode] = []
    ordered = frame.sort("camera_id", "started_at", "slot_id", "episode_id")
    for (camera_id,), rows in ordered.group_by("camera_id", maintain_order=True):
        clips: dict[str, dict[str, dict[str, SlotEpisode]]] = {}
        for row in rows.iter_rows(named=True):
            episode = _episode(row)
            if episode.kind in ("opening", "closing"):
                clips.setdefault(row["clip_id"], {}).setdefault(episode.kind, {})[episode.slot_id] = episode
            else:
                found.append(_camera_episode(str(camera_id), episode))
        found += [
            _camera_episode(str(camera_id), change)
            for change in _between_clips(list(clips.values()), facings, settings)
        ]
    return found


def _between_clips(
    clips: Sequence[Mapping[str, Mapping[str, SlotEpisode]]],
    facings: Mapping[str, int],
    settings: AttributionSettings,
) -> list[SlotEpisode]:
    last: dict[str, SlotEpisode] = {}
    found = []
    for clip in clips:
        opening = clip.get("opening", {})
        pairs = [
            (last[slot_id], state)
            for slot_id, state in opening.items()
            if slot_id in last and 0 <= state.changed_s - last[slot_id].changed_s <= settings.longest_gap_s
        ]
        gain = gain_from_states(pairs)
        for closing, state in pairs:
            change = stitched_change(closing, state, facings.get(state.slot_id, 1), settings.slots, gain)
            if change is not None:
                found.append(change)
        last.update(clip.get("closing", {}))
    return found


def _episode(row: Mapping[str, object]) -> SlotEpisode:
    values = dict(row)
    contact = values["contact_x_px"], values["contact_y_px"]
    return SlotEpisode(
        slot_id=str(values["slot_id"]),
        kind=str(values["kind"]),
        started_s=_seconds(values["started_at"]),
        ended_s=_seconds(values["ended_at"]),
        changed_s=_seconds(values["changed_at"]),
        presence_change=_number(values["presence_change"]),
        appearance_change=_number(values["appearance_change"]),
        facings_change=int(_number(values["facings_change"])),
        put_prob=_number(values["put_prob"]),
        pick_prob=_number(values["pick_prob"]),
        contact_px=None if None in contact else (_number(contact[0]), _number(contact[1])),
        has_person=bool(values["has_person"]),
        patch=bytes(values["patch"]) if isinstance(values["patch"], bytes) else b"",
    )


def _number(value: object) -> float:
    if not isinstance(value, int | float):
        raise TypeError("a number is missing in slot_episodes")
    return float(value)


def _seconds(value: object) -> float:
    if not isinstance(value, datetime):
        raise TypeError("an instant is missing in slot_episodes")
    return value.timestamp()


def _camera_episode(camera_id: str, episode: SlotEpisode) -> CameraEpisode:
    contact = None
    if episode.contact_px is not None:
        contact = Contact(camera_id, episode.changed_s, *episode.contact_px)
    return CameraEpisode(
        camera_id,
        episode.slot_id,
        episode.kind,
        episode.started_s,
        episode.ended_s,
        episode.changed_s,
        episode.appearance_change,
        episode.facings_change,
        episode.put_prob,
        episode.pick_prob,
        contact,
        episode.has_person,
    )


def assigned(
    events: Sequence[FusedEvent],
    sightings: pl.DataFrame,
    track_points: pl.DataFrame,
    slots: pl.DataFrame,
    settings: AttributionSettings,
) -> list[tuple[str | None, float]]:
    """Track and probability of each event, simultaneous ones jointly; (None, 0) where nobody is in reach."""
    places = {
        slot_id: SlotPlace(x, y, normal)
        for slot_id, x, y, normal in slots.select("slot_id", "x_m", "y_m", "normal_deg").iter_rows()
    }
    paths = _paths(track_points)
    boxes = _boxes(sightings)
    tracks = sorted(paths)
    found: list[tuple[str | None, float]] = [(None, 0.0)] * len(events)
    for group in simultaneous([event.changed_s for event in events], settings.together_s):
        costs = np.array(
            [
                [
                    _cost(events[index], places, paths[track], boxes.get(track, {}), settings.reach)
                    for track in tracks
                ]
                for index in group
            ]
        ).reshape(len(group), len(tracks))
        reachable = np.flatnonzero(np.isfinite(costs).any(axis=0))
        solved: list[Assignment] = assign(
            np.where(np.isfinite(costs[:, reachable]), costs[:, reachable], np.inf),
            settings.nobody_cost,
            settings.second_hand_cost,
        )
        for index, assignment in zip(group, solved, strict=True):
            if assignment.person is not None:
                found[index] = (
                    tracks[reachable[assignment.person]],
                    settings.confidence.person(assignment.probability),
                )
    return found


def _cost(
    event: FusedEvent,
    places: Mapping[str, SlotPlace],
    path: FloorPath,
    boxes: Mapping[str, BoxPath],
    reach: ReachSettings,
) -> float:
    place = places.get(event.slot_id)
    if place is None:
        return float("inf")
    return floor_cost(place, path, event.changed_s, reach) + contact_cost(event.contacts, boxes, reach)


def _paths(track_points: pl.DataFrame) -> dict[str, FloorPath]:
    found = {}
    for (track_id,), rows in track_points.sort("track_id", "captured_at").group_by(
        "track_id", maintain_order=True
    ):
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


def _row(
    store_id: str,
    event: FusedEvent,
    track_id: str | None,
    attribution_prob: float,
    holdings: StoreHoldings,
    settings: AttributionSettings,
) -> tuple[object, ...]:
    happened = _instant(event.changed_s)
    started = min(_instant(event.started_s), happened)
    if event.is_touch:
        kind, product_id, quantity, event_prob = "touch", holdings.planogram.get(event.slot_id), 0, 0.5
    else:
        moved = holdings.move(event.slot_id, track_id, event.put_log_odds, event.quantity)
        kind, product_id, quantity = moved.type, moved.product_id, moved.quantity
        event_prob = settings.confidence.event(event.change_log_odds, moved.probability)
    name = f"{store_id}|{event.slot_id}|{happened.isoformat()}|{kind}"
    return (
        store_id,
        started.strftime("%Y-%m-%dT%HZ"),
        hashlib.sha256(name.encode()).hexdigest()[:32],
        happened,
        started,
        max(_instant(event.ended_s), happened),
        event.slot_id,
        product_id,
        kind,
        quantity,
        track_id,
        event_prob,
        attribution_prob if track_id is not None else 0.0,
        len(event.camera_ids),
    )


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 3), tz=UTC)


__all__ = ["AttributionSettings", "attribute", "camera_episodes"]
