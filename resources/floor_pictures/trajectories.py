"""Everybody's way on the floor plan, and what was picked where: for whoever judges a review item.

Shows dots and lines, never a person or a frame. It is movement data all the same and dies with it: it is no
picture for metadata or for any place that outlives 72 hours.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from resources.floor_pictures.plan import INK, PAPER, Canvas, Colour, Plan, Points, small_png

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
_POINTS_AT_ONCE = 5
_BEYOND_M = 0.1
_FOOT_PX = 34
_LEGEND = (("pick", "pick"), ("put_back", "put back"), ("restock", "restock"))


def floor_trajectories_png(
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

    def draw(width: int) -> bytes:
        canvas = Canvas(plan, width, foot_px=_FOOT_PX)
        canvas.floor()
        canvas.furniture(named=True)
        colours = _trajectories(canvas, plan, track_points)
        _events(canvas, slots, shelf_events, colours)
        canvas.title(title)
        _legend(canvas, len(colours))
        return canvas.png()

    return small_png(draw, width_px)


def _trajectories(canvas: Canvas, plan: Plan, track_points: pl.DataFrame) -> dict[str, Colour]:
    paths = track_points.sort("captured_at").partition_by("track_id", as_dict=True, maintain_order=True)
    colours: dict[str, Colour] = {}
    for (track_id,), path in paths.items():
        colour = colours[str(track_id)] = _PEOPLE[len(colours) % len(_PEOPLE)]
        way = _smooth(path.select("x_m", "y_m").to_numpy().astype(np.float64))
        way = np.clip(way, -_BEYOND_M, np.array([plan.width_m, plan.depth_m]) + _BEYOND_M)
        canvas.line(way, colour, 2)
        canvas.mark(way[0], colour, 3)
    return colours


def _events(canvas: Canvas, slots: pl.DataFrame, shelf_events: pl.DataFrame, colours: dict[str, Colour]) -> None:
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
        _event(canvas, place, kind, colours.get(track_id, _UNATTRIBUTED))


def _event(canvas: Canvas, place: Points, kind: str, colour: Colour) -> None:
    if kind == "restock":
        half = 0.05
        square = place + half * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
        canvas.area(square, colour, PAPER)
        return
    canvas.mark(place, PAPER, 7)
    canvas.mark(place, colour, 6)
    if kind == "put_back":
        canvas.mark(place, PAPER, 3)


def _legend(canvas: Canvas, people: int) -> None:
    x, y = float(canvas.margin_px), canvas.foot_top_px + 20
    for kind, label in _LEGEND:
        _event(canvas, canvas.on_floor(x + 6, y - 4), kind, INK)
        x = canvas.text(label, (x + 18, y), INK) + 18
    canvas.mark(canvas.on_floor(x, y - 4), _UNATTRIBUTED, 6)
    x = canvas.text("nobody named", (x + 12, y), INK) + 18
    canvas.text("1 trajectory" if people == 1 else f"{people} trajectories", (x, y), INK)
    canvas.metre(y)


def _smooth(way: Points) -> Points:
    """Mean over half a second each, ends kept: what a reader's eye would draw."""
    inner = [way[start : start + _POINTS_AT_ONCE].mean(axis=0) for start in range(0, len(way), _POINTS_AT_ONCE)]
    return np.vstack([way[:1], *inner, way[-1:]])
