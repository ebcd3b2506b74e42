"""`python -m evaluation tracking | events | receipts …`: scores for anybody's footage.

The one place of this package that knows the algorithms: it hands them to the scorers, which do not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from evaluation.events import SeenEvent, ShelfFile
    from evaluation.mot import MotBoxes

COMMANDS = ("tracking", "events", "receipts")


def _track(video: Path, detections: MotBoxes | None) -> tuple[MotBoxes, int, str]:
    """Our tracker on a video, with the detections given or our own detector on every frame."""
    import numpy as np

    from assets.vision.detection.detector import NanoDetector
    from assets.vision.detection.settings import DetectorSettings
    from assets.vision.single_video.tracks import VIDEO_WIDTH_PX, track_video
    from evaluation.mot import MotBoxes

    if detections is None:
        detector = NanoDetector(DetectorSettings(width_px=VIDEO_WIDTH_PX))
        result, source = track_video(video, detector), detector.version
    else:
        table = np.column_stack([detections.ltwh_px, detections.score])
        bounds = np.searchsorted(detections.frame, np.arange(int(detections.frame.max(initial=0)) + 2))

        def given(frame: int) -> np.ndarray:
            return table[bounds[frame] : bounds[frame + 1]] if frame + 1 < len(bounds) else table[:0]

        result, source = track_video(video, given=given), "given"
    order = np.lexsort((result.tracks.track, result.frame))
    boxes = MotBoxes(
        result.frame[order], result.tracks.track[order] + 1, result.tracks.ltwh_px[order], np.ones(len(order))
    )
    return boxes, result.frame_count, source


def _watch(video: Path, shelf: ShelfFile) -> Sequence[SeenEvent]:
    """Our slot measure on a video."""
    from assets.vision.single_video.shelf import watch_areas

    return watch_areas(video, shelf)


def main(argv: Sequence[str] | None = None) -> int:
    """Dispatch; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m evaluation", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="see python -m evaluation COMMAND --help")
    chosen = parser.parse_args(argv)
    if chosen.command == "tracking":
        from evaluation.tracking import main as tracking
        from resources.preflight import NotReady

        try:
            return tracking(chosen.arguments, _track)
        except NotReady as error:
            parser.exit(2, f"evaluation tracking: {error}\n")
    if chosen.command == "events":
        from evaluation.events import main as events

        return events(chosen.arguments, _watch)
    from evaluation.receipts import main as receipts

    return receipts(chosen.arguments)


if __name__ == "__main__":
    sys.exit(main())
