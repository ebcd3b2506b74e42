"""Slot events of any video of a shelf, without person detector or calibration: what `evaluation events` runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from assets.vision.slots.episodes import SlotEpisode
from assets.vision.slots.observer import SlotObserver
from assets.vision.slots.settings import SlotSettings
from assets.vision.slots.signal import ByteArray
from assets.vision.slots.stitching import joined_clips
from assets.vision.store_view import SlotView

# A long video is analysed in stretches of this length, so that memory stays bounded; the platform's clips are
# as long.
STRETCH_S = 60.0


@dataclass(frozen=True)
class ShelfSighting:
    """A pick, put_back or touch seen in one slot or zone; `time_s` from the video's start."""

    time_s: float
    slot_id: str
    type: str
    quantity: int
    probability: float


class DrawnArea(Protocol):
    """A slot or zone as a person drew it."""

    @property
    def area_id(self) -> str: ...
    @property
    def polygon_px(self) -> tuple[tuple[float, float], ...]: ...
    @property
    def facings(self) -> int: ...


class DrawnShelf(Protocol):
    """The slots and zones drawn in one video."""

    @property
    def slots(self) -> Sequence[DrawnArea]: ...
    @property
    def zones(self) -> Sequence[DrawnArea]: ...


def watch_areas(path: Path, shelf: DrawnShelf) -> list[ShelfSighting]:
    """Sightings in a video of what was drawn in it, by time. Raises ValueError if no frame can be decoded."""

    def views(areas: Sequence[DrawnArea]) -> list[SlotView]:
        return [SlotView(a.area_id, np.asarray(a.polygon_px, dtype=np.float64), a.facings) for a in areas]

    return watch_video(path, views(shelf.slots), views(shelf.zones))


def watch_video(
    path: Path, views: Sequence[SlotView], zones: Sequence[SlotView], settings: SlotSettings | None = None
) -> list[ShelfSighting]:
    """Sightings in a video file, by time. Raises ValueError if no frame of it can be decoded."""
    frames = frames_of(path)
    first = next(frames, None)
    if first is None:
        raise ValueError("the video holds no frame that can be decoded")

    def all_frames() -> Iterator[tuple[float, ByteArray]]:
        yield first
        yield from frames

    return watch_frames(all_frames(), views, zones, settings)


def frames_of(path: Path) -> Iterator[tuple[float, ByteArray]]:
    """(seconds, frame) of a video, by the container's timestamps where they rise, else by its frame rate."""
    capture = cv2.VideoCapture(str(path))
    try:
        rate = capture.get(cv2.CAP_PROP_FPS)
        # Ten frames a second where the header names a rate that no camera has.
        step = 1.0 / rate if 0.5 < rate < 240 else 0.1
        time_s = -step
        while True:
            ok, frame = capture.read()
            if not ok:
                return
            stamp = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            # A stamp that stands still, goes back or leaps by more than five seconds is a fault of the container.
            time_s = stamp if time_s < stamp < time_s + 5.0 else time_s + step
            yield max(time_s, 0.0), np.asarray(frame, dtype=np.uint8)
    finally:
        capture.release()


def watch_frames(
    frames: Iterable[tuple[float, ByteArray]],
    views: Sequence[SlotView],
    zones: Sequence[SlotView],
    settings: SlotSettings | None = None,
) -> list[ShelfSighting]:
    """Sightings in (seconds, frame) pairs with rising times."""
    chosen = settings or SlotSettings()
    observer: SlotObserver | None = None
    opened_s = 0.0
    stretches: list[list[SlotEpisode]] = []
    for time_s, frame in frames:
        if observer is None or time_s - opened_s >= STRETCH_S:
            if observer is not None:
                stretches.append(observer.close())
            observer = SlotObserver(views, zones, (frame.shape[0], frame.shape[1]), chosen)
            opened_s = time_s
        observer.observe(frame, time_s)
    if observer is not None:
        stretches.append(observer.close())
    facings = {view.slot_id: view.facings for view in views}
    episodes = [episode for episode, _ in joined_clips(stretches, facings, chosen, STRETCH_S)]
    return sorted(filter(None, map(sighting, episodes)), key=lambda s: (s.time_s, s.slot_id))


def sighting(episode: SlotEpisode) -> ShelfSighting | None:
    """The event that an episode means by itself; None for a state."""
    if episode.kind == "touch":
        return ShelfSighting(episode.changed_s, episode.slot_id, "touch", 0, 1.0)
    if episode.kind != "change":
        return None
    is_put = episode.put_prob >= episode.pick_prob
    return ShelfSighting(
        episode.changed_s,
        episode.slot_id,
        "put_back" if is_put else "pick",
        abs(episode.facings_change),
        max(episode.put_prob, episode.pick_prob),
    )
