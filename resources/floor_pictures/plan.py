"""The store's floor plan as a small picture, to draw on: floor, zones, gondolas and gates, in metres.

What is drawn on it: everybody's way (resources/floor_pictures/trajectories.py), which is movement data and dies with
it, or how many people were where (resources/floor_pictures/density.py), which names nobody and may stay. OpenCV is
loaded on first use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from resources.floor_pictures.palette_png import palette_png

MAX_BYTES = 64_000

Points = NDArray[np.float64]
Colour = tuple[int, int, int]

PAPER: Colour = (255, 255, 255)
INK: Colour = (60, 60, 60)
FAINT: Colour = (160, 160, 160)
SMALL_TEXT = 0.38
_FLOOR: Colour = (247, 246, 244)
_GONDOLA: Colour = (214, 210, 204)
_ENTRANCE: Colour = (222, 240, 224)
_EXIT: Colour = (222, 230, 246)
_DRAWN_LARGER = 2


@dataclass(frozen=True)
class Plan:
    """What of a store is drawn; metres, x to the right and y up."""

    width_m: float
    depth_m: float
    gondolas: tuple[tuple[str, Points], ...]
    entrance: Points
    exit: Points
    gates: Points

    @classmethod
    def of_store(cls, stores: pl.DataFrame, store_id: str) -> Plan:
        """From the `stores` table. Raises ValueError for a store that is not in it."""
        rows = stores.filter(pl.col("store_id") == store_id).rows(named=True)
        if not rows:
            raise ValueError(f"store {store_id} has no reference data")
        row = rows[0]
        outlines = [np.asarray(outline, dtype=np.float64) for outline in row["gondola_polygons_m"]]
        return cls(
            row["floor_width_m"],
            row["floor_depth_m"],
            tuple(zip(row["gondola_ids"], outlines, strict=True)),
            np.asarray(row["entrance_zone_m"], dtype=np.float64),
            np.asarray(row["exit_zone_m"], dtype=np.float64),
            np.asarray(row["gate_positions_m"], dtype=np.float64).reshape(-1, 2),
        )


def small_png(draw: Callable[[int], bytes], width_px: int) -> bytes:
    """The picture that `draw` makes at the greatest width, `width_px` or less, at which it has at most 64 kB."""
    picture = draw(width_px)
    while len(picture) > MAX_BYTES:
        width_px = int(width_px * 0.85)
        picture = draw(width_px)
    return picture


class Canvas:
    """A picture in the plan's metres, drawn larger and scaled down for smooth edges.

    Places on the floor are (2,) or (n, 2) in metres; places on the sheet, for titles and legends, are x to the right
    and y down in pixels of the finished picture. Text is ASCII.
    """

    def __init__(self, plan: Plan, width_px: int, *, foot_px: int) -> None:
        import cv2

        self._cv2: Any = cv2
        self.margin_px, self.head_px, self.width_px = 14, 40, width_px
        self._px_per_m = (width_px - 2 * self.margin_px) / plan.width_m
        self.foot_top_px = int(plan.depth_m * self._px_per_m) + self.head_px
        height = (self.foot_top_px + foot_px) * _DRAWN_LARGER
        self._image = np.full((height, width_px * _DRAWN_LARGER, 3), PAPER, np.uint8)
        self._plan = plan

    def floor(self) -> None:
        """The floor with its entrance and exit zones."""
        plan = self._plan
        corners = ((0.0, 0.0), (plan.width_m, 0.0), (plan.width_m, plan.depth_m), (0.0, plan.depth_m))
        self.area(np.array(corners), _FLOOR, FAINT)
        self.area(plan.entrance, _ENTRANCE)
        self.area(plan.exit, _EXIT)

    def furniture(self, *, named: bool) -> None:
        """Gondolas, gates, and the words for the zones; `named`: with the names of the gondolas."""
        plan = self._plan
        for name, outline in plan.gondolas:
            self.area(outline, _GONDOLA, FAINT)
            if named:
                x, y = self.on_sheet(outline.mean(axis=0))
                self.text(name, (x - self.text_width(name, 0.4) / 2, y + 5), FAINT, 0.4)
        for gate in plan.gates:
            self.line(gate + np.array([(0.0, -0.25), (0.0, 0.25)]), INK, 3)
        for word, zone in (("in", plan.entrance), ("out", plan.exit)):
            corner = np.array([zone[:, 0].min(), zone[:, 1].max()])
            self.text(word, self.on_sheet(corner + np.array([0.06, -0.16])), INK, 0.4)

    def title(self, words: str) -> None:
        """The heading."""
        self.text(words, (self.margin_px, self.head_px - 14), INK, 0.5)

    def metre(self, y_px: float) -> None:
        """A bar one metre long at the right edge."""
        end = self.width_px - self.margin_px
        bar = np.stack([self.on_floor(end - self._px_per_m, y_px), self.on_floor(end, y_px)])
        self.line(bar, INK, 2)
        self.text("1 m", (end - self._px_per_m / 2 - 9, y_px - 5), INK)

    def png(self) -> bytes:
        """The finished picture."""
        size = (self.width_px, self._image.shape[0] // _DRAWN_LARGER)
        return palette_png(self._cv2.resize(self._image, size, interpolation=self._cv2.INTER_AREA))

    def on_sheet(self, place: Points) -> tuple[float, float]:
        """Place on the sheet of a place on the floor."""
        x, y = self._pixels(place) / _DRAWN_LARGER
        return float(x), float(y)

    def on_floor(self, x_px: float, y_px: float) -> Points:
        """Place on the floor, or in its plane, of a place on the sheet."""
        x_m = (x_px - self.margin_px) / self._px_per_m
        return np.array([x_m, self._plan.depth_m - (y_px - self.head_px) / self._px_per_m])

    def area(self, outline: Points, fill: Colour, edge: Colour | None = None) -> None:
        """A filled outline on the floor."""
        corners = [self._pixels(outline)]
        self._cv2.fillPoly(self._image, corners, fill, self._cv2.LINE_AA)
        if edge is not None:
            self._cv2.polylines(self._image, corners, True, edge, _DRAWN_LARGER, self._cv2.LINE_AA)

    def line(self, way: Points, colour: Colour, width_px: int) -> None:
        """A line over places on the floor."""
        thickness = width_px * _DRAWN_LARGER
        self._cv2.polylines(self._image, [self._pixels(way)], False, colour, thickness, self._cv2.LINE_AA)

    def mark(self, place: Points, colour: Colour, radius_px: int) -> None:
        """A dot on the floor."""
        x, y = self._pixels(place)
        radius = radius_px * _DRAWN_LARGER
        self._cv2.circle(self._image, (int(x), int(y)), radius, colour, -1, self._cv2.LINE_AA)

    def box(self, left_px: float, top_px: float, right_px: float, bottom_px: float, fill: Colour) -> None:
        """A filled box on the sheet."""
        left, top, right, bottom = (round(value * _DRAWN_LARGER) for value in (left_px, top_px, right_px, bottom_px))
        self._image[top:bottom, left:right] = fill

    def text(self, words: str, origin: tuple[float, float], colour: Colour, scale: float = SMALL_TEXT) -> float:
        """Writes the words on the sheet, from their lower left corner on; returns where they end."""
        x, y = (round(value * _DRAWN_LARGER) for value in origin)
        size = scale * _DRAWN_LARGER
        self._cv2.putText(self._image, words, (x, y), self._font, size, colour, _DRAWN_LARGER, self._cv2.LINE_AA)
        return origin[0] + self.text_width(words, scale)

    def text_width(self, words: str, scale: float = SMALL_TEXT) -> float:
        """Width of the words in pixels."""
        (wide, _), _ = self._cv2.getTextSize(words, self._font, scale * _DRAWN_LARGER, _DRAWN_LARGER)
        return float(wide) / _DRAWN_LARGER

    def _pixels(self, metres: Points) -> NDArray[np.int32]:
        x = metres[..., 0] * self._px_per_m + self.margin_px
        y = (self._plan.depth_m - metres[..., 1]) * self._px_per_m + self.head_px
        return np.round(np.stack([x, y], axis=-1) * _DRAWN_LARGER).astype(np.int32)

    @property
    def _font(self) -> int:
        return int(self._cv2.FONT_HERSHEY_SIMPLEX)
