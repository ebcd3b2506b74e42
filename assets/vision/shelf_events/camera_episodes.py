"""Slot episodes of one camera, as the fusion over cameras takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import polars as pl

from assets.vision.shelf_events.camera_fusion import CameraEpisode, ClearView, Contact
from assets.vision.shelf_events.settings import AttributionSettings
from assets.vision.slots.episodes import SlotEpisode
from assets.vision.slots.judgement import colours_of_goods
from assets.vision.slots.settings import SlotSettings
from assets.vision.slots.stitching import joined_clips, patch_of


def camera_episodes(
    frame: pl.DataFrame, facings: Mapping[str, int], settings: AttributionSettings
) -> list[CameraEpisode]:
    """Rows of vision/slot_episodes with times as seconds, with the changes between clips."""
    found: list[CameraEpisode] = []
    ordered = frame.sort("camera_id", "started_at", "slot_id", "episode_id")
    for (camera_id,), rows in ordered.group_by("camera_id", maintain_order=True):
        clips: dict[str, list[SlotEpisode]] = {}
        for row in rows.iter_rows(named=True):
            clips.setdefault(row["clip_id"], []).append(_episode(row))
        episodes = joined_clips(list(clips.values()), facings, settings.slots, settings.longest_gap_s)
        found += [_camera_episode(str(camera_id), episode, before, settings.slots) for episode, before in episodes]
    return found


def clear_views(slot_episodes: pl.DataFrame, longest_gap_s: float) -> list[ClearView]:
    """From the opening and closing states of the clips; clips no farther apart than `longest_gap_s` are one view."""
    found: list[ClearView] = []
    clips = (
        slot_episodes.filter(pl.col("kind").is_in(["opening", "closing"]))
        .group_by("camera_id", "slot_id", "clip_id")
        .agg(first=pl.col("changed_at").min(), last=pl.col("changed_at").max())
        .sort("camera_id", "slot_id", "first")
    )
    for camera_id, slot_id, first, last in clips.select("camera_id", "slot_id", "first", "last").iter_rows():
        view = ClearView(camera_id, slot_id, first.timestamp(), last.timestamp())
        before = found[-1] if found else view
        if (before.camera_id, before.slot_id) == (camera_id, slot_id) and view.first_s - before.last_s <= longest_gap_s:
            view = replace(view, first_s=before.first_s)
            del found[-1:]
        found.append(view)
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


def _camera_episode(camera_id: str, episode: SlotEpisode, before: bytes, settings: SlotSettings) -> CameraEpisode:
    colours: tuple[float, ...] = ()
    if before and episode.patch:
        pictures = patch_of(episode), patch_of(replace(episode, patch=before))
        is_put = episode.put_prob > episode.pick_prob
        colours = colours_of_goods(*(pictures if is_put else pictures[::-1]), settings)
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
        colours,
    )
