"""Slot episodes of a clip as rows of vision/slot_episodes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl

from assets.vision.slot_episodes import SlotEpisode
from lakehouse.contracts.vision import SLOT_EPISODES


def slot_episode_rows(
    episodes: Iterable[SlotEpisode], *, store_id: str, camera_id: str, clip_id: str, captured_at: datetime
) -> pl.DataFrame:
    """Rows in the contract's schema. `captured_at` is the store time (UTC) of the clip's first frame.

    A row belongs to the capture hour in which it began, so that it is dropped with that hour.
    """
    rows = []
    for episode in episodes:
        started = captured_at + timedelta(seconds=round(episode.started_s, 3))
        name = f"{clip_id}|{episode.slot_id}|{episode.kind}|{episode.started_s:.3f}"
        rows.append(
            (
                store_id,
                started.strftime("%Y-%m-%dT%HZ"),
                camera_id,
                clip_id,
                hashlib.sha256(name.encode()).hexdigest()[:32],
                episode.slot_id,
                episode.kind,
                started,
                captured_at + timedelta(seconds=round(episode.ended_s, 3)),
                captured_at + timedelta(seconds=round(episode.changed_s, 3)),
                episode.presence_change,
                episode.appearance_change,
                episode.facings_change,
                episode.put_prob,
                episode.pick_prob,
                episode.contact_px[0] if episode.contact_px else None,
                episode.contact_px[1] if episode.contact_px else None,
                episode.has_person,
                episode.patch,
            )
        )
    schema = {column.name: column.dtype for column in SLOT_EPISODES.columns}
    return pl.DataFrame(rows, schema=schema, orient="row")
