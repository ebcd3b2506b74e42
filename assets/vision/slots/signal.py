"""What one shelf slot looks like: rectified patches, brightness gain, presence and change.

Every slot is cut out of the picture as one small patch of fixed size, its own area (the core) between two
strips of its surroundings, left and right. All slots of a camera lie side by side in one sheet, so that a frame
costs one `cv2.remap` however many slots there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from assets.vision.slots.settings import SlotSettings

# Samples of a patch: enough to count facings, few enough to keep ten a second of every slot.
PATCH_HEIGHT = 24
CORE_WIDTH = 16
STRIP_WIDTH = 5
PATCH_WIDTH = CORE_WIDTH + 2 * STRIP_WIDTH
CORE = slice(STRIP_WIDTH, STRIP_WIDTH + CORE_WIDTH)
# How far a strip reaches beside the slot, as a share of the slot's width.
STRIP_SHARE = 0.35

_NEIGHBOURS = np.ones((3, 3), np.uint8)
# Grey values that are added to a brightness before something is divided by it: in the dark, noise is no change.
_DARK = 8.0

FloatArray = npt.NDArray[np.float32]
ByteArray = npt.NDArray[np.uint8]


def ordered_quad(polygon_px: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Four corners (4, 2), clockwise in the picture from the upper left, that stand for a polygon (n, 2).

    A convex quadrilateral keeps its corners; anything else is replaced by its bounding box.
    """
    points = np.asarray(polygon_px, dtype=np.float64).reshape(-1, 2)
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    box = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    if len(points) != 4:
        return box
    centre = points.mean(axis=0)
    angle = np.arctan2(points[:, 1] - centre[1], points[:, 0] - centre[0])
    quad = points[np.argsort(angle)]
    quad = np.roll(quad, -int(np.argmin(quad.sum(axis=1))), axis=0)
    following = np.roll(quad, -1, axis=0) - quad
    before = quad - np.roll(quad, 1, axis=0)
    cross = before[:, 0] * following[:, 1] - before[:, 1] * following[:, 0]
    # A guard: four corners that turn back or enclose next to nothing were not drawn around a slot.
    if np.all(cross > 1e-6) and _area(quad) > 0.35 * _area(box):
        return quad
    return box


def _area(quad: npt.NDArray[np.float64]) -> float:
    x, y = quad[:, 0], quad[:, 1]
    return 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))


def patch_coordinates(polygon_px: npt.NDArray[np.floating]) -> FloatArray:
    """Picture coordinates (PATCH_HEIGHT, PATCH_WIDTH, 2) of the samples of a slot's patch."""
    quad = ordered_quad(polygon_px)
    unit = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)
    to_picture = cv2.getPerspectiveTransform(unit, quad.astype(np.float32))
    inside = (np.arange(CORE_WIDTH) + 0.5) / CORE_WIDTH
    beside = (np.arange(STRIP_WIDTH) + 0.5) / STRIP_WIDTH * STRIP_SHARE
    u = np.concatenate([-beside[::-1], inside, 1.0 + beside])
    v = (np.arange(PATCH_HEIGHT) + 0.5) / PATCH_HEIGHT
    grid = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 1, 2).astype(np.float32)
    placed = cv2.perspectiveTransform(grid, to_picture)
    return placed.reshape(PATCH_HEIGHT, PATCH_WIDTH, 2).astype(np.float32)


@dataclass(frozen=True)
class Atlas:
    """Sampling maps that cut all patches of one camera out of a frame at once.

    `coordinates_px` is (S, PATCH_HEIGHT, PATCH_WIDTH, 2) in pixels of the full frame; `shrink` is the factor
    by which the frame is reduced before sampling, so that a large slot is averaged and not picked at.
    """

    coordinates_px: FloatArray
    shrink: int
    _map_xy: npt.NDArray[np.int16]
    _map_fraction: npt.NDArray[np.uint16]

    @classmethod
    def build(cls, polygons_px: Sequence[npt.NDArray[np.floating]], settings: SlotSettings) -> Atlas:
        """Maps for slots with outlines (n, 2) in pixels of the full frame."""
        coordinates = np.stack([patch_coordinates(polygon) for polygon in polygons_px])
        step = np.linalg.norm(np.diff(coordinates[:, :, CORE], axis=2), axis=-1)
        shrink = int(np.clip(np.floor(float(np.median(step)) / settings.sample_pitch_px), 1, settings.most_shrink))
        # Side by side, not one below the other: OpenCV pays for every row of a picture.
        flat = coordinates.transpose(1, 0, 2, 3).reshape(PATCH_HEIGHT, -1, 2)
        reduced = (flat + 0.5) / shrink - 0.5
        map_xy, map_fraction = cv2.convertMaps(
            np.ascontiguousarray(reduced[..., 0]), np.ascontiguousarray(reduced[..., 1]), cv2.CV_16SC2
        )
        return cls(
            coordinates,
            shrink,
            np.asarray(map_xy, dtype=np.int16),
            np.asarray(map_fraction, dtype=np.uint16),
        )

    def cut(self, frame_bgr: ByteArray) -> ByteArray:
        """The sheet of all S patches side by side, (PATCH_HEIGHT, S * PATCH_WIDTH, 3), of a frame (H, W, 3)."""
        source = frame_bgr
        if self.shrink > 1:
            height, width = frame_bgr.shape[:2]
            size = (max(1, width // self.shrink), max(1, height // self.shrink))
            source = np.asarray(cv2.resize(frame_bgr, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        cut = cv2.remap(source, self._map_xy, self._map_fraction, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cut, dtype=np.uint8)


def patches_of(sheet: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A sheet (PATCH_HEIGHT, S * PATCH_WIDTH, ...) taken apart: (S, PATCH_HEIGHT, PATCH_WIDTH, ...), contiguous."""
    apart = sheet.reshape(PATCH_HEIGHT, -1, PATCH_WIDTH, *sheet.shape[2:])
    return np.ascontiguousarray(np.moveaxis(apart, 1, 0))


def thumbnail(frame_bgr: ByteArray) -> FloatArray:
    """A grid (12, 16, 3) of single pixels of the frame, for brightness only: medians over it are taken."""
    rows = (np.arange(12) * 2 + 1) * frame_bgr.shape[0] // 24
    columns = (np.arange(16) * 2 + 1) * frame_bgr.shape[1] // 32
    return np.asarray(frame_bgr[rows[:, None], columns[None, :]], dtype=np.float32)


def gains_to(reference: FloatArray, thumbnails: FloatArray, settings: SlotSettings) -> FloatArray:
    """Factors per colour channel (T, 3) that take thumbnails (T, 12, 16, 3) to the brightness of `reference`.

    The median over the picture, so that what moves or is taken away does not count. Clipped or near-black
    cells say nothing about gain and are left out.
    """
    flat, base = thumbnails.reshape(len(thumbnails), -1, 3), reference.reshape(-1, 3)
    dark, bright = settings.darkest_level, settings.brightest_level
    usable = (base.min(axis=-1) > dark) & (base.max(axis=-1) < bright)
    usable = usable[None] & (flat.min(axis=-1) > dark) & (flat.max(axis=-1) < bright)
    ratio = np.where(usable[..., None], base[None] / np.maximum(flat, 1.0), np.nan)
    gains = np.ones((len(flat), 3), dtype=np.float32)
    enough = usable.sum(axis=1) >= settings.least_cells
    if enough.any():
        gains[enough] = np.clip(np.nanmedian(ratio[enough], axis=1), 1.0 / settings.most_gain, settings.most_gain)
    return gains


def brightness_step(earlier_grey: FloatArray, later_grey: FloatArray, settings: SlotSettings) -> float:
    """Factor of brightness between two coarse grey pictures a moment apart: the median cell's."""
    ratio = ((later_grey + 1.0) / (earlier_grey + 1.0)).ravel()
    middle = len(ratio) // 2
    return float(np.clip(np.partition(ratio, middle)[middle], 1.0 / settings.most_gain, settings.most_gain))


def residual_against_surroundings(patch_bgr: FloatArray) -> float:
    """Mean absolute difference of the core from the background interpolated between the two strips.

    Divided by the patch's brightness. Taken row by row: a shelf edge that runs through both strips is background too.
    It tells an object against a plain wall; on a crowded shelf the strips hold products, and it tells little.
    """
    patch = patch_bgr.astype(np.float32)
    left = np.median(patch[:, :STRIP_WIDTH], axis=1)
    right = np.median(patch[:, -STRIP_WIDTH:], axis=1)
    weight = ((np.arange(CORE_WIDTH) + 0.5) / CORE_WIDTH).astype(np.float32)[None, :, None]
    background = left[:, None] * (1 - weight) + right[:, None] * weight
    residual = np.abs(patch[:, CORE] - background).mean()
    return float(residual / (patch.mean() + 1.0))


def roughness_beside(patch_bgr: FloatArray) -> float:
    """How textured the strips are: mean sideways gradient over brightness; a shelf's edge does not count."""
    grey = patch_bgr.astype(np.float32).mean(axis=-1)
    left = np.abs(np.diff(grey[:, :STRIP_WIDTH], axis=1)).mean()
    right = np.abs(np.diff(grey[:, -STRIP_WIDTH:], axis=1)).mean()
    return float(max(left, right) / (grey.mean() + 1.0))


def edge_energy(patch_bgr: FloatArray) -> float:
    """Mean gradient magnitude of the core over the patch's brightness."""
    grey = patch_bgr.astype(np.float32).mean(axis=-1)
    rows = np.diff(grey, axis=0)[:, CORE]
    columns = np.diff(grey, axis=1)[:, STRIP_WIDTH : STRIP_WIDTH + CORE_WIDTH - 1]
    return float((np.abs(rows).mean() + np.abs(columns).mean()) / (grey.mean() + 1.0))


def presence_log_ratio(before_bgr: FloatArray, after_bgr: FloatArray) -> float:
    """How much more of an object there is after than before: mean log-ratio of residual and edge energy.

    Positive: something came; negative: something went; near zero: the slot holds what it held.
    """
    # What is added is the noise of an empty slot: without it, two empty slots would differ by any factor.
    residual = np.log(
        (residual_against_surroundings(after_bgr) + 0.01) / (residual_against_surroundings(before_bgr) + 0.01)
    )
    # The same for edges.
    edges = np.log((edge_energy(after_bgr) + 0.005) / (edge_energy(before_bgr) + 0.005))
    return float(0.5 * (residual + edges))


def change_map(before_bgr: FloatArray, after_bgr: FloatArray) -> FloatArray:
    """`patch_change` of the core alone, (PATCH_HEIGHT, CORE_WIDTH)."""
    return patch_change(before_bgr, after_bgr)[:, CORE]


def relit(before_bgr: FloatArray, after_bgr: FloatArray, settings: SlotSettings) -> tuple[FloatArray, FloatArray]:
    """Both patches as they would look under the light halfway between them.

    A shadow that fell on the shelf vanishes; an object that came or went differs in texture and colour too.
    """
    size = (settings.light_samples, settings.light_samples)
    light = (cv2.blur(after_bgr.mean(axis=-1), size) + _DARK) / (cv2.blur(before_bgr.mean(axis=-1), size) + _DARK)
    half = np.sqrt(np.clip(light, settings.least_light, 1 / settings.least_light))[..., None]
    return (
        np.asarray(before_bgr * half, dtype=np.float32),
        np.asarray(after_bgr / half, dtype=np.float32),
    )


def border_share(one_bgr: FloatArray, other_bgr: FloatArray, level: float) -> float:
    """Share of the patch's rim that differs by more than `level`: what reaches in from outside lies over it."""
    differs = patch_change(one_bgr, other_bgr) > level
    rim = np.ones(differs.shape, dtype=bool)
    rim[3:-2, 2:-2] = False  # three samples above, two on the other sides
    return float(differs[rim].mean())


def patch_change(before_bgr: FloatArray, after_bgr: FloatArray) -> FloatArray:
    """Absolute difference (PATCH_HEIGHT, PATCH_WIDTH) of two patches of equal gain, over their brightness.

    A sample is compared with the range of its neighbours in the other patch, and the other way round, so that a camera
    that shook by a pixel is no change.
    """
    before, after = cv2.convertScaleAbs(before_bgr), cv2.convertScaleAbs(after_bgr)
    outside = [
        cv2.max(
            cv2.subtract(cv2.erode(one, _NEIGHBOURS), other),
            cv2.subtract(other, cv2.dilate(one, _NEIGHBOURS)),
        )
        for one, other in ((before, after), (after, before))
    ]
    difference = np.asarray(cv2.max(outside[0], outside[1]), dtype=np.float32).max(axis=-1)
    brightness = 0.5 * (cv2.mean(before)[:3] + np.array(cv2.mean(after)[:3])).mean() + _DARK
    return np.asarray(difference / brightness, dtype=np.float32)
