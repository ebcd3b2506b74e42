"""Watch the shelf slots of one camera over one clip.

`SlotObserver` takes the decoded frames one by one and keeps, ten times a second, what its slots look like (small
patches, a few megabytes a minute) and where something moves. When the clip is over, `close` judges the whole clip at
once: see episodes.py. A clip is analysed by itself; what happens between two clips, stitching.py finds from
their closing and opening states.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from assets.vision.slots.episodes import ClipRecord, SlotEpisode, slot_episodes, zone_touches
from assets.vision.slots.settings import SlotSettings
from assets.vision.slots.signal import (
    CORE,
    PATCH_HEIGHT,
    PATCH_WIDTH,
    Atlas,
    ByteArray,
    FloatArray,
    brightness_step,
    gains_to,
    ordered_quad,
    patches_of,
    thumbnail,
)
from assets.vision.store_view import SlotView


def _core_moments() -> FloatArray:
    """Weights (PATCH_HEIGHT * PATCH_WIDTH, 3): in the core, its column, its row; zero in the strips."""
    row, column = np.mgrid[:PATCH_HEIGHT, :PATCH_WIDTH]
    inside = (column >= CORE.start) & (column < CORE.stop)
    weights = np.stack([inside, inside * (column - CORE.start), inside * row], axis=-1)
    return weights.reshape(-1, 3).astype(np.float32)


_MOMENTS = _core_moments()


class SlotObserver:
    """Collects a clip's slot patches and motion. One instance per clip; not thread-safe.

    `views` are slots, in which something is picked and put back; `zones` are areas in which only touches
    count. `frame_shape` is (height, width) of the frames, for which the polygons were drawn.
    """

    def __init__(
        self,
        views: Sequence[SlotView],
        zones: Sequence[SlotView],
        frame_shape: tuple[int, int],
        settings: SlotSettings,
    ) -> None:
        self._views = tuple(views)
        self._zones = tuple(zones)
        self._frame_shape = frame_shape
        self._settings = settings
        tiles = [(index, tile) for index, zone in enumerate(self._zones) for tile in zone_tiles(zone.polygon_px)]
        self._zone_of_tile = np.array([index for index, _ in tiles], dtype=np.int64)
        polygons = [np.asarray(view.polygon_px, dtype=np.float64) for view in self._views]
        polygons += [tile for _, tile in tiles]
        self._atlas = Atlas.build(polygons, settings) if polygons else None
        self._boxes_around = [
            np.concatenate([polygon.min(axis=0), polygon.max(axis=0)]) for polygon in polygons[: len(self._views)]
        ]
        self._times: list[float] = []
        self._patches: list[ByteArray] = []
        self._thumbnails: list[FloatArray] = []
        self._motion: list[FloatArray] = []
        self._covered: list[npt.NDArray[np.bool_]] = []
        self._recent: deque[tuple[float, ByteArray, FloatArray]] = deque()
        self._looked_s = -np.inf
        self._under_boxes = np.zeros(len(self._views), dtype=bool)
        self._next_s = -np.inf

    def observe(self, frame_bgr: ByteArray, time_s: float, boxes: npt.NDArray[np.floating] | None = None) -> None:
        """Take a frame (H, W, 3) at `time_s` seconds of the clip, times rising.

        Raises ValueError for a frame of another size than `frame_shape`.

        `boxes` (n, 4), left, top, width, height in pixels, are the people found in it, or None if the
        detector did not look at this frame: then the last ones stand for `settings.box_life_s`. Frames that
        come faster than `settings.sample_s` are passed over.
        """
        if boxes is not None:
            self._looked_s = time_s
            self._under_boxes = self._under(np.asarray(boxes, dtype=np.float64).reshape(-1, 4))
        if self._atlas is None or time_s < self._next_s:
            return
        if frame_bgr.shape[:2] != self._frame_shape:
            raise ValueError("a frame's size is not the one for which the slots were drawn")
        step = self._settings.sample_s
        # After a gap the beat starts anew; three quarters, so that a frame that comes a little early counts.
        self._next_s = time_s + 0.75 * step if self._next_s < time_s - step else self._next_s + step
        sheet = self._atlas.cut(frame_bgr)
        grey = cv2.blur(cv2.cvtColor(sheet, cv2.COLOR_BGR2GRAY), (3, 3))
        coarse = thumbnail(frame_bgr)
        light = coarse.mean(axis=-1)
        self._motion.append(self._motion_since(time_s, np.asarray(grey, dtype=np.uint8), light))
        self._times.append(time_s)
        self._patches.append(patches_of(sheet))
        self._thumbnails.append(coarse)
        self._covered.append(self._covered_by_people(time_s))

    def _motion_since(self, time_s: float, grey: ByteArray, light: FloatArray) -> FloatArray:
        """Share of each core's samples that moved over `settings.motion_s`, with the motion's centre.

        (S, 3): share, mean column and mean row in patch samples.
        """
        # Nine tenths, so that a frame that comes a little early is not passed over for one twice as old.
        while len(self._recent) > 1 and time_s - self._recent[1][0] >= 0.9 * self._settings.motion_s:
            self._recent.popleft()
        count = grey.shape[1] // PATCH_WIDTH
        moved = np.zeros((count, 3), dtype=np.float32)
        if self._recent:
            _, earlier, earlier_light = self._recent[0]
            gain = brightness_step(earlier_light, light, self._settings)
            # A guard: less than one grey value of 255 is no step.
            scaled = cv2.convertScaleAbs(earlier, alpha=gain) if abs(gain - 1.0) > 0.004 else earlier
            difference = cv2.absdiff(scaled, grey)
            over = patches_of(difference > self._settings.motion_level).reshape(count, -1)
            sums = over.astype(np.float32) @ _MOMENTS
            moved[:, 0] = sums[:, 0] / _MOMENTS[:, 0].sum()
            moved[:, 1:] = sums[:, 1:] / np.maximum(sums[:, :1], 1.0)
        self._recent.append((time_s, grey, light))
        return moved

    def _covered_by_people(self, time_s: float) -> npt.NDArray[np.bool_]:
        """Whether each slot lies under a person's box, of the last frame looked at."""
        if time_s - self._looked_s > self._settings.box_life_s:
            return np.zeros(len(self._views), dtype=bool)
        return self._under_boxes

    def _under(self, boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Whether each slot lies under one of `boxes` (n, 4) for over `settings.cover_share` of its area."""
        around = np.asarray(self._boxes_around).reshape(-1, 1, 4)
        if not len(boxes) or not len(around):
            return np.zeros(len(around), dtype=bool)
        low = np.maximum(around[..., :2], boxes[None, :, :2])
        high = np.minimum(around[..., 2:], boxes[None, :, :2] + boxes[None, :, 2:])
        shared = np.clip(high - low, 0, None).prod(axis=-1)
        area = (around[..., 2:] - around[..., :2]).prod(axis=-1)
        return np.asarray((shared / area).max(axis=1) > self._settings.cover_share, dtype=bool)

    def close(self) -> list[SlotEpisode]:
        """Everything that happened to the slots and zones in the clip, by time; empty without frames."""
        if not self._times or self._atlas is None:
            return []
        # About sixty samples are enough for a median.
        reference = np.median(np.stack(self._thumbnails[:: max(1, len(self._times) // 60)]), axis=0)
        gains = gains_to(reference.astype(np.float32), np.stack(self._thumbnails), self._settings)
        patches = np.stack(self._patches)
        motion = np.stack(self._motion)
        slot_count = len(self._views)
        record = ClipRecord(
            times_s=np.asarray(self._times),
            gains=gains.astype(np.float32),
            patches=patches[:, :slot_count],
            motion=motion[:, :slot_count],
            covered=np.stack(self._covered),
            coordinates_px=self._atlas.coordinates_px[:slot_count],
        )
        found: list[SlotEpisode] = []
        for index, view in enumerate(self._views):
            found += slot_episodes(record, index, view.slot_id, view.facings, self._settings)
        for index, zone in enumerate(self._zones):
            tiles = slot_count + np.flatnonzero(self._zone_of_tile == index)
            found += zone_touches(
                record.times_s,
                record.gains,
                patches[:, tiles],
                zone.slot_id,
                self._atlas.coordinates_px[tiles],
                self._settings,
            )
        return sorted(found, key=lambda episode: (episode.started_s, episode.slot_id, episode.kind))


def zone_tiles(polygon_px: npt.NDArray[np.floating]) -> list[npt.NDArray[np.float64]]:
    """A long zone cut along its longer axis into pieces about as long as wide, so that patches stay fine."""
    quad = ordered_quad(np.asarray(polygon_px, dtype=np.float64))
    across = 0.5 * float(np.linalg.norm(quad[1] - quad[0]) + np.linalg.norm(quad[2] - quad[3]))
    down = 0.5 * float(np.linalg.norm(quad[3] - quad[0]) + np.linalg.norm(quad[2] - quad[1]))
    # At most twelve pieces, however thin the zone is drawn.
    count = int(np.clip(round(max(across, down) / max(1.0, min(across, down))), 1, 12))
    if count == 1:
        return [quad]
    ends = np.linspace(0.0, 1.0, count + 1)[:, None]
    if down >= across:
        left = quad[0] + ends * (quad[3] - quad[0])
        right = quad[1] + ends * (quad[2] - quad[1])
        return [np.stack([left[k], right[k], right[k + 1], left[k + 1]]) for k in range(count)]
    top = quad[0] + ends * (quad[1] - quad[0])
    bottom = quad[3] + ends * (quad[2] - quad[3])
    return [np.stack([top[k], top[k + 1], bottom[k + 1], bottom[k]]) for k in range(count)]
