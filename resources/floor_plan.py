"""The store's floor plan as a small picture: gondolas, zones, gates, trajectories and what was picked
where.

Shows dots and lines on a plan, never a person or a frame. A picture with trajectories is movement data all
the same and dies with them. OpenCV is loaded on first use.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

MAX_BYTES = 64_000

Points = NDArray[np.float64]
Colour = tuple[int, int, int]

_PAPER: Colour = (255, 255, 255)
_FLOOR: Colour = (247, 246, 244)
_INK: Colour = (60, 60, 60)
_FAINT: Colour = (160, 160, 160)
_GONDOLA: Colour = (214, 210, 204)
_ENTRANCE: Colour = (222, 240, 224)
_EXIT: Colour = (222, 230, 246)
_UNATTRIBUTED: Colour = (120, 120, 120)
# Okabe and Ito's colours, told apart also by colour-blind readers; RGB.
_PEOPLE: tuple[Colour, ...] = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (230, 159, 0),
    (120, 94, 240),
    (150, 110, 60),
)
_DRAWN_LARGER = 2
_POINTS_AT_ONCE = 5
_BEYOND_M = 0.1
_LEGEND = (("pick", "pick"), ("put_back", "put back"), ("restock", "restock"))


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


def floor_plan_png(
    plan: Plan,
    slots: pl.DataFrame,
    track_points: pl.DataFrame,
    shelf_events: pl.DataFrame,
    *,
    title: str = "",
    width_px: int = 720,
) -> bytes:
    """A PNG of at most 64 kB.

    `slots`: slot_id, x_m, y_m, normal_deg; `track_points`: track_id, captured_at, x_m, y_m; `shelf_events`:
    event_id, happened_at, slot_id, type, track_id. Every trajectory has its colour, by the order of their
    starts; events have the colour of who did them, grey if nobody can be named; touches are left out. The
    title may be ASCII only.
    """
    width = width_px
    while True:
        picture = _Canvas(plan, width).draw(plan, slots, track_points, shelf_events, title)
        if len(picture) <= MAX_BYTES:
            return picture
        width = int(width * 0.85)


class _Canvas:
    """A picture in the plan's metres, drawn larger and scaled down for smooth edges."""

    def __init__(self, plan: Plan, width_px: int) -> None:
        import cv2

        self._cv2: Any = cv2
        self._margin = 14 * _DRAWN_LARGER
        self._head = 40 * _DRAWN_LARGER
        self._foot = 34 * _DRAWN_LARGER
        self._px_per_m = (width_px * _DRAWN_LARGER - 2 * self._margin) / plan.width_m
        height = int(plan.depth_m * self._px_per_m) + self._head + self._foot
        self._image = np.full((height, width_px * _DRAWN_LARGER, 3), _PAPER, np.uint8)
        self._depth_m = plan.depth_m
        self._floor_m = np.array([plan.width_m, plan.depth_m])
        self._width_px = width_px

    def draw(
        self,
        plan: Plan,
        slots: pl.DataFrame,
        track_points: pl.DataFrame,
        shelf_events: pl.DataFrame,
        title: str,
    ) -> bytes:
        """Everything, as a PNG."""
        corners = ((0.0, 0.0), (plan.width_m, 0.0), (plan.width_m, plan.depth_m), (0.0, plan.depth_m))
        self._area(np.array(corners), _FLOOR, _FAINT)
        self._area(plan.entrance, _ENTRANCE)
        self._area(plan.exit, _EXIT)
        for name, outline in plan.gondolas:
            self._area(outline, _GONDOLA, _FAINT)
            self._text(name, outline.mean(axis=0), _FAINT, centred=True)
        for gate in plan.gates:
            self._line(gate + np.array([(0.0, -0.25), (0.0, 0.25)]), _INK, 3)
        for word, zone in (("in", plan.entrance), ("out", plan.exit)):
            corner = np.array([zone[:, 0].min(), zone[:, 1].max()])
            self._text(word, corner + np.array([0.06, -0.16]), _INK)
        colours = self._trajectories(track_points)
        self._events(slots, shelf_events, colours)
        self._furniture(title, len(colours))
        return self._encoded()

    def _trajectories(self, track_points: pl.DataFrame) -> dict[str, Colour]:
        paths = track_points.sort("captured_at").partition_by("track_id", as_dict=True, maintain_order=True)
        colours: dict[str, Colour] = {}
        for (track_id,), path in paths.items():
            colour = colours[str(track_id)] = _PEOPLE[len(colours) % len(_PEOPLE)]
            way = _smooth(path.select("x_m", "y_m").to_numpy().astype(np.float64))
            way = np.clip(way, -_BEYOND_M, self._floor_m + _BEYOND_M)
            self._line(way, colour, 2)
            self._mark(way[0], colour, 3)
        return colours

    def _events(self, slots: pl.DataFrame, shelf_events: pl.DataFrame, colours: dict[str, Colour]) -> None:
        fronts = {
            slot_id: (np.array([x, y]), np.array([np.cos(np.radians(deg)), np.sin(np.radians(deg))]))
            for slot_id, x, y, deg in slots.select("slot_id", "x_m", "y_m", "normal_deg").iter_rows()
        }
        stacked: dict[tuple[int, int], int] = {}
        drawn = [word for word, _ in _LEGEND]
        events = shelf_events.filter(pl.col("type").is_in(drawn)).sort("happened_at", "event_id")
        for slot_id, kind, track_id in events.select("slot_id", "type", "track_id").iter_rows():
            if slot_id not in fronts:
                continue
            front, normal = fronts[slot_id]
            column = (round(front[0] * 10), round(front[1] * 10))
            stacked[column] = stacked.get(column, -1) + 1
            place = front + normal * (0.10 + 0.16 * stacked[column])
            self._event(place, kind, colours.get(track_id, _UNATTRIBUTED))

    def _event(self, place: Points, kind: str, colour: Colour) -> None:
        if kind == "restock":
            half = 0.05
            square = place + half * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
            self._area(square, colour, _PAPER)
            return
        self._mark(place, _PAPER, 7)
        self._mark(place, colour, 6)
        if kind == "put_back":
            self._mark(place, _PAPER, 3)

    def _furniture(self, title: str, people: int) -> None:
        """Title, legend, and a bar one metre long."""
        self._text_px(title, (self._margin, self._head - 14 * _DRAWN_LARGER), _INK, 0.5)
        y = self._image.shape[0] - self._foot + 20 * _DRAWN_LARGER
        x = self._margin
        for kind, label in _LEGEND:
            self._event(self._metres(x + 6 * _DRAWN_LARGER, y - 4 * _DRAWN_LARGER), kind, _INK)
            x = self._text_px(label, (x + 18 * _DRAWN_LARGER, y), _INK, 0.38) + 18 * _DRAWN_LARGER
        self._mark(self._metres(x, y - 4 * _DRAWN_LARGER), _UNATTRIBUTED, 6)
        x = self._text_px("nobody named", (x + 12 * _DRAWN_LARGER, y), _INK, 0.38) + 18 * _DRAWN_LARGER
        self._text_px("1 trajectory" if people == 1 else f"{people} trajectories", (x, y), _INK, 0.38)
        end = self._image.shape[1] - self._margin
        bar = np.array([self._metres(end - self._px_per_m, y), self._metres(end, y)])
        self._line(bar, _INK, 2)
        self._text_px("1 m", (int(end - self._px_per_m / 2) - 9 * _DRAWN_LARGER, y - 5 * _DRAWN_LARGER), _INK, 0.38)

    def _encoded(self) -> bytes:
        size = (self._width_px, self._image.shape[0] // _DRAWN_LARGER)
        return palette_png(self._cv2.resize(self._image, size, interpolation=self._cv2.INTER_AREA))

    def _pixels(self, metres: Points) -> NDArray[np.int32]:
        x = metres[..., 0] * self._px_per_m + self._margin
        y = (self._depth_m - metres[..., 1]) * self._px_per_m + self._head
        return np.round(np.stack([x, y], axis=-1)).astype(np.int32)

    def _metres(self, x_px: float, y_px: float) -> Points:
        x_m = (x_px - self._margin) / self._px_per_m
        return np.array([x_m, self._depth_m - (y_px - self._head) / self._px_per_m])

    def _area(self, outline: Points, fill: Colour, edge: Colour | None = None) -> None:
        corners = [self._pixels(outline)]
        self._cv2.fillPoly(self._image, corners, fill, self._cv2.LINE_AA)
        if edge is not None:
            self._cv2.polylines(self._image, corners, True, edge, _DRAWN_LARGER, self._cv2.LINE_AA)

    def _line(self, way: Points, colour: Colour, width_px: int) -> None:
        thickness = width_px * _DRAWN_LARGER
        self._cv2.polylines(self._image, [self._pixels(way)], False, colour, thickness, self._cv2.LINE_AA)

    def _mark(self, place: Points, colour: Colour, radius_px: int) -> None:
        x, y = self._pixels(place)
        radius = radius_px * _DRAWN_LARGER
        self._cv2.circle(self._image, (int(x), int(y)), radius, colour, -1, self._cv2.LINE_AA)

    def _text(self, words: str, place: Points, colour: Colour, *, centred: bool = False) -> None:
        scale = 0.4
        x, y = (int(value) for value in self._pixels(place))
        if centred:
            (wide, high), _ = self._cv2.getTextSize(words, self._font, scale * _DRAWN_LARGER, _DRAWN_LARGER)
            x, y = x - wide // 2, y + high // 2
        self._text_px(words, (x, y), colour, scale)

    def _text_px(self, words: str, origin: tuple[int, int], colour: Colour, scale: float) -> int:
        """Writes the words; returns where they end."""
        size = scale * _DRAWN_LARGER
        self._cv2.putText(self._image, words, origin, self._font, size, colour, _DRAWN_LARGER, self._cv2.LINE_AA)
        (wide, _), _ = self._cv2.getTextSize(words, self._font, size, _DRAWN_LARGER)
        return origin[0] + int(wide)

    @property
    def _font(self) -> int:
        return int(self._cv2.FONT_HERSHEY_SIMPLEX)


def _smooth(way: Points) -> Points:
    """Mean over half a second each, ends kept: what a reader's eye would draw."""
    inner = [way[start : start + _POINTS_AT_ONCE].mean(axis=0) for start in range(0, len(way), _POINTS_AT_ONCE)]
    return np.vstack([way[:1], *inner, way[-1:]])


def palette_png(picture: NDArray[np.uint8]) -> bytes:
    """A PNG with one byte a pixel from a picture (h, w, 3), RGB: its 256 most frequent colours, and the
    nearest of them for the others, which lie at the smooth edges of lines. A third of the size of three
    bytes a pixel."""
    packed = picture[..., 0].astype(np.int32) << 16 | picture[..., 1].astype(np.int32) << 8 | picture[..., 2]
    found, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
    colours = found[np.sort(np.argsort(-counts, kind="stable")[:256])]
    places = _nearest(_channels(found), _channels(colours))[places]
    height, width = picture.shape[:2]
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with its filter, 0: none
    rows[:, 1:] = places.reshape(height, width)
    palette = _channels(colours).astype(np.uint8)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    parts = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _channels(packed: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.stack([packed >> 16 & 255, packed >> 8 & 255, packed & 255], axis=-1)


def _nearest(colours: NDArray[np.int32], palette: NDArray[np.int32]) -> NDArray[np.uint8]:
    """(n,) place in the palette (m, 3) that is nearest to each colour (n, 3)."""
    best = np.zeros(len(colours), np.uint8)
    least = np.full(len(colours), np.iinfo(np.int32).max, np.int32)
    for place, colour in enumerate(palette):
        distance = ((colours - colour) ** 2).sum(axis=1, dtype=np.int32)
        closer = distance < least
        best[closer], least[closer] = place, distance[closer]
    return best
