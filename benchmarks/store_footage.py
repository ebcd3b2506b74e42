"""The footage that the benchmarks run on: a store-day in the landing format."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from assets.vision.camera import Camera
from assets.vision.footage.catalogue import Probe, Sidecar, clip_of
from assets.vision.footage.clip import Clip
from assets.vision.store_view import SlotView, StorePlan


@dataclass(frozen=True)
class StoreFootage:
    """Clips in order, cameras with what they see, the plan, and how much time of footage there is."""

    clips: tuple[Clip, ...]
    cameras: dict[str, Camera]
    slots: dict[str, list[SlotView]]
    zones: dict[str, list[SlotView]]
    plan: StorePlan
    camera_seconds: float
    frame_count: int


def read_store_footage(landing: Path) -> StoreFootage:
    """Everything below a landing folder with one store. Raises FileNotFoundError if there is no footage."""
    stores = sorted((landing / "reference" / "stores").glob("*"))
    if not stores:
        raise FileNotFoundError(f"no store in {landing.name}/reference/stores")
    store_id = stores[0].name
    store = yaml.safe_load((stores[0] / "store.yaml").read_text())
    entries: list[dict[str, Any]] = yaml.safe_load((stores[0] / "cameras.yaml").read_text())["cameras"]
    clips, camera_seconds, frame_count = [], 0.0, 0
    for path in sorted((landing / "footage" / store_id).glob("*/*.json")):
        sidecar = Sidecar.from_json(json.loads(path.read_text()))
        video = path.with_suffix(".mp4")
        probe = Probe(sidecar, video.name, 0, sidecar.sha256, sidecar.frame_count, sidecar.frame_count, 0, 0, True)
        clip = clip_of(probe, video)
        clips.append(clip)
        frame_count += sidecar.frame_count
        camera_seconds += clip.time_s(sidecar.frame_count - 1) + 1.0 / sidecar.fps
    if not clips:
        raise FileNotFoundError(f"no footage in {landing.name}/footage/{store_id}")
    return StoreFootage(
        clips=tuple(clips),
        cameras={entry["camera_id"]: Camera.from_reference(entry) for entry in entries},
        slots={entry["camera_id"]: [_view(item, "slot_id") for item in entry.get("slots", [])] for entry in entries},
        zones={entry["camera_id"]: [_view(item, "zone_id") for item in entry.get("zones", [])] for entry in entries},
        plan=StorePlan(store_id, np.array(store["entrance_zone_m"], float), np.array(store["exit_zone_m"], float)),
        camera_seconds=camera_seconds,
        frame_count=frame_count,
    )


def _view(item: dict[str, Any], name: str) -> SlotView:
    return SlotView(item[name], np.array(item["polygon_px"], dtype=np.float64))
