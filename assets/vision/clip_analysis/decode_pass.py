"""One decode pass over a clip: people, what they look like, and what happens in the shelf slots."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from assets.vision.camera import Camera
from assets.vision.clip_analysis.settings import AnalysisSettings
from assets.vision.detection.appearance import describe
from assets.vision.detection.detector import Boxes, Detector, Region
from assets.vision.detection.motion_gate import MotionGate, Movement
from assets.vision.footage.clip import Clip, UnreadableClipError, frames
from lakehouse.contracts.vision import DETECTIONS, SLOT_EPISODES
from lakehouse.store_day import capture_hour_of

if TYPE_CHECKING:
    from assets.vision.slots.episodes import SlotEpisode
    from assets.vision.slots.settings import SlotSettings
    from assets.vision.store_view import SlotView

WHOLE: Region = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class ClipStats:
    """Counts and costs of one pass. `cpu_s` is user and system time of this thread; `reason` is set if the
    clip failed.
    """

    frame_count: int
    looked_at_count: int
    detection_count: int
    looked_at_area_share: float
    seconds: float
    cpu_s: float
    reason: str = ""


class ClipAnalysis(NamedTuple):
    """`detections` and `slot_episodes` as their contracts say."""

    detections: pl.DataFrame
    slot_episodes: pl.DataFrame
    stats: ClipStats


class _Look:
    """Decides which frames, and which part of them, the detector sees."""

    def __init__(self, settings: AnalysisSettings) -> None:
        self._settings = settings
        self._gate = MotionGate(settings.motion)
        self._last_s = -np.inf
        self._last_whole_s = -np.inf
        self._region: Region | None = None

    def at(self, frame_bgr: npt.NDArray[np.uint8], time_s: float) -> Region | None:
        """Where to look in this frame, or None for not at all."""
        settings = self._settings
        if time_s - self._last_s < settings.detect_every_s - 1e-3:
            return None
        movement = self._gate.compare(frame_bgr)
        if not movement.is_moving and time_s - self._last_s < settings.heartbeat_s - 1e-3:
            return None
        self._gate.accept()
        self._last_s = time_s
        if time_s - self._last_whole_s >= settings.refresh_s - 1e-3:
            self._last_whole_s = time_s
            return WHOLE
        return self._around(movement)

    def _around(self, movement: Movement) -> Region:
        parts = [part for part in (movement.region, self._region) if part is not None]
        if not parts:
            return WHOLE
        margin = self._settings.region_margin
        low = np.min([part[:2] for part in parts], axis=0) - margin
        high = np.max([part[2:] for part in parts], axis=0) + margin
        left, top, right, bottom = np.clip([*low, *high], 0.0, 1.0).tolist()
        return left, top, right, bottom

    def found(self, boxes: Boxes, width: int, height: int) -> None:
        """Takes the people of the frame just looked at: the next look includes them even if they stand still."""
        sure = boxes[boxes[:, 4] >= self._settings.region_box_prob]
        if not len(sure):
            self._region = None
            return
        near, far = sure[:, :2].min(axis=0), (sure[:, :2] + sure[:, 2:4]).max(axis=0)
        self._region = (
            float(near[0] / width),
            float(near[1] / height),
            float(far[0] / width),
            float(far[1] / height),
        )


def analyse_clip(
    clip: Clip,
    camera: Camera | None,
    slots: Sequence[SlotView],
    zones: Sequence[SlotView],
    detector: Detector,
    settings: AnalysisSettings | None = None,
    slot_settings: SlotSettings | None = None,
) -> ClipAnalysis:
    """Decode `clip` once and return what is in it. A clip that cannot be read gives empty frames and a
    reason.

    `camera` is not needed for the pictures themselves; if given, frames of another size than it was
    calibrated for are refused with a reason (its pixels would mean nothing). A clip that changes its size on the way
    ends there, with a reason; what came before stays.
    """
    settings = settings or AnalysisSettings()
    started, cpu_started = time.perf_counter(), time.process_time()
    look = _Look(settings)
    table = _DetectionTable(clip)
    observer = None
    episodes: list[SlotEpisode] = []
    zoom = settings.shelf_zoom if camera is not None and camera.kind == "shelf" else 1.0
    count = looks = height = width = 0
    area = 0.0
    reason = ""
    try:
        for index, frame in enumerate(frames(clip.path)):
            if index and frame.shape[:2] != (height, width):
                reason = "the frames' size changes"
                break
            height, width = frame.shape[:2]
            if index == 0:
                if camera is not None and (camera.width_px, camera.height_px) != (width, height):
                    reason = "frame size differs from the camera's calibration"
                    break
                if slots or zones:
                    from assets.vision.slots.observer import SlotObserver
                    from assets.vision.slots.settings import SlotSettings

                    observer = SlotObserver(slots, zones, (height, width), slot_settings or SlotSettings())
            count += 1
            time_s = clip.time_s(index)
            boxes: Boxes | None = None
            region = look.at(frame, time_s)
            if region is not None:
                boxes = detector.detect(frame, None if region == WHOLE else region, zoom)
                look.found(boxes, width, height)
                table.add(index, frame, boxes)
                looks += 1
                area += (region[2] - region[0]) * (region[3] - region[1])
            if observer is not None:
                people = None if boxes is None else boxes[boxes[:, 4] >= settings.slot_box_prob, :4]
                observer.observe(frame, time_s, people)
    except UnreadableClipError as error:
        reason = str(error)
    if observer is not None:
        episodes = observer.close()
    detections = table.frame()
    stats = ClipStats(
        frame_count=count,
        looked_at_count=looks,
        detection_count=detections.height,
        looked_at_area_share=area / looks if looks else 0.0,
        seconds=time.perf_counter() - started,
        cpu_s=time.process_time() - cpu_started,
        reason=reason or ("" if count else "empty"),
    )
    return ClipAnalysis(detections, episode_frame(clip, episodes), stats)


class _DetectionTable:
    """Collects rows of vision/detections."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip
        self._index: list[npt.NDArray[np.int32]] = []
        self._boxes: list[Boxes] = []
        self._described: list[tuple[npt.NDArray[np.float32], ...]] = []

    def add(self, index: int, frame_bgr: npt.NDArray[np.uint8], boxes: Boxes) -> None:
        if len(boxes):
            self._index.append(np.full(len(boxes), index, dtype=np.int32))
            self._boxes.append(boxes)
            self._described.append(describe(frame_bgr, boxes))

    def frame(self) -> pl.DataFrame:
        schema = DETECTIONS.schema
        if not self._boxes:
            return pl.DataFrame(schema=schema)
        clip = self._clip
        index, boxes = np.concatenate(self._index), np.concatenate(self._boxes)
        within = np.concatenate([np.arange(len(part), dtype=np.int16) for part in self._boxes])
        appearance, upper, lower = (np.concatenate(part) for part in zip(*self._described, strict=True))
        table = pl.DataFrame(
            {
                "frame_index": index,
                "detection_index": within,
                "captured_at": [clip.instant(clip.time_s(int(i))) for i in index],
                "left_px": boxes[:, 0],
                "top_px": boxes[:, 1],
                "width_px": boxes[:, 2],
                "height_px": boxes[:, 3],
                "score_prob": boxes[:, 4],
                "appearance": appearance.tolist(),
                "clothing_upper": upper.tolist(),
                "clothing_lower": lower.tolist(),
            },
            schema={name: schema[name] for name in schema if name not in _PLACE},
        )
        return _placed(table, clip, "captured_at").select(schema.names())


_PLACE = ("store_id", "capture_hour", "camera_id", "clip_id")


def _placed(table: pl.DataFrame, clip: Clip, instant: str) -> pl.DataFrame:
    return table.with_columns(
        store_id=pl.lit(clip.store_id),
        camera_id=pl.lit(clip.camera_id),
        clip_id=pl.lit(clip.clip_id),
        capture_hour=capture_hour_of(instant),
    )


def episode_frame(clip: Clip, episodes: Sequence[SlotEpisode]) -> pl.DataFrame:
    """Rows of vision/slot_episodes, ordered as the observer gave them."""
    schema = SLOT_EPISODES.schema
    rows = [
        {
            "episode_id": hashlib.sha256(
                f"{clip.clip_id}|{item.slot_id}|{item.kind}|{item.started_s:.3f}".encode()
            ).hexdigest()[:24],
            "slot_id": item.slot_id,
            "kind": item.kind,
            "started_at": clip.instant(item.started_s),
            "ended_at": clip.instant(item.ended_s),
            "changed_at": clip.instant(item.changed_s),
            "presence_change": item.presence_change,
            "appearance_change": item.appearance_change,
            "facings_change": item.facings_change,
            "put_prob": item.put_prob,
            "pick_prob": item.pick_prob,
            "contact_x_px": None if item.contact_px is None else item.contact_px[0],
            "contact_y_px": None if item.contact_px is None else item.contact_px[1],
            "has_person": item.has_person,
            "patch": item.patch,
        }
        for item in episodes
    ]
    table = pl.DataFrame(rows, schema={name: schema[name] for name in schema if name not in _PLACE})
    return _placed(table, clip, "started_at").select(schema.names())
