"""One loop over a store-day's footage, in a process of its own: `python -m benchmarks.chain LOOP LANDING`
prints JSON.

Loops: `ours` (decode, gate, detector, appearance, slots, then tracks and merge of the day), `decode` (nothing
but decoding), `naive` (the detector at 416x416 in fp32 on every frame, ByteTrack of `trackers`). Cost is user
and system time of the whole process from its first line of work, children included; imports are counted
apart.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

IMPORTS_STARTED = sum(os.times()[:4])

from assets.vision.clip_analysis.decode_pass import analyse_clip  # noqa: E402
from assets.vision.clip_analysis.settings import AnalysisSettings  # noqa: E402
from assets.vision.detection.detector import NanoDetector  # noqa: E402
from assets.vision.detection.settings import DetectorSettings  # noqa: E402
from assets.vision.footage.clip import frames  # noqa: E402
from assets.vision.trajectories.merge import trajectories  # noqa: E402
from benchmarks.store_footage import StoreFootage, read_store_footage  # noqa: E402

NAIVE_SECONDS = 5.0


def ours(footage: StoreFootage) -> dict[str, Any]:
    """The chain as the pipeline runs it."""
    import polars as pl

    detector = NanoDetector(DetectorSettings())
    parts = [
        analyse_clip(
            clip,
            footage.cameras[clip.camera_id],
            footage.slots[clip.camera_id],
            footage.zones[clip.camera_id],
            detector,
            AnalysisSettings(),
        )
        for clip in footage.clips
    ]
    analysed = sum(os.times()[:4])
    found = trajectories(pl.concat([part.detections for part in parts]), footage.cameras, footage.plan)
    return {
        "detector": detector.version,
        "tracks": found.tracks.height,
        "detections": sum(part.stats.detection_count for part in parts),
        "looked_at_share": sum(p.stats.looked_at_count for p in parts)
        / max(1, sum(p.stats.frame_count for p in parts)),
        "merge_cpu_s": sum(os.times()[:4]) - analysed,
    }


def decode(footage: StoreFootage) -> dict[str, Any]:
    """Decoding alone: the limit."""
    return {"frames": sum(1 for clip in footage.clips for _ in frames(clip.path))}


def naive(footage: StoreFootage) -> dict[str, Any]:
    """What one writes first; of every clip only the first NAIVE_SECONDS, since each second costs the same."""
    import cv2
    import numpy as np
    import supervision
    from trackers import ByteTrackTracker

    detector = NanoDetector(DetectorSettings(width_px=416, precision="fp32", score_prob=0.25))
    done = 0.0
    for clip in footage.clips:
        tracker = ByteTrackTracker()
        for number, frame in enumerate(frames(clip.path)):
            if clip.time_s(number) >= NAIVE_SECONDS:
                break
            boxes = detector.detect(np.asarray(cv2.resize(frame, (416, 416)), dtype=np.uint8))
            boxes[:, :4] *= np.array([frame.shape[1], frame.shape[0]] * 2) / 416
            corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:4]], axis=1)
            kinds = np.zeros(len(boxes), dtype=int)
            tracker.update(supervision.Detections(xyxy=corners, confidence=boxes[:, 4], class_id=kinds))
            done += 1.0 / clip.fps
    return {"camera_seconds": done, "detector": detector.version}


def main() -> None:
    name, landing = sys.argv[1], Path(sys.argv[2])
    footage = read_store_footage(landing)
    started = sum(os.times()[:4])
    loops: dict[str, Callable[[StoreFootage], dict[str, Any]]] = {
        "ours": ours,
        "decode": decode,
        "naive": naive,
    }
    result = loops[name](footage)
    cpu_s = sum(os.times()[:4]) - started
    camera_seconds = float(result.pop("camera_seconds", footage.camera_seconds))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(
        json.dumps(
            {
                "camera_seconds": round(camera_seconds, 1),
                "cpu_s": round(cpu_s, 2),
                "camera_seconds_per_core_second": round(camera_seconds / cpu_s, 2),
                "import_cpu_s": round(started - IMPORTS_STARTED, 2),
                "peak_rss_mib": round(peak),
                **{key: round(value, 3) if isinstance(value, float) else value for key, value in result.items()},
            }
        )
    )


if __name__ == "__main__":
    main()
