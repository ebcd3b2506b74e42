"""How many people were where on a store-day: a picture of nobody in particular, which may outlive their movement.

Every number in it stands for at least `LEAST_PEOPLE` people, or it is left out, and what is left out leaves no
mark anywhere else in the picture either: not in the colour scale, not in a sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl

from lakehouse.store_day import STORE_ZONE
from resources.floor_pictures.plan import FAINT, INK, PAPER, Canvas, Colour, Plan, small_png

CELL_M = 0.25
"""Side of a floor cell: two fit into a person, so that a lane between gondolas is several wide."""

LEAST_PEOPLE = 3
"""Fewest people behind anything that is shown. With two, each of them could subtract themselves and know the other's
way; from three on nobody can. Small stores on quiet days are the ones that more than three would leave blank."""

_LONGEST_STEP_S = 1.0
_STEPS_A_DECADE = 6
_DECADES = 2
# ColorBrewer's YlGnBu (C. Brewer, colorbrewer2.org), without its palest: lightness falls all the way, so that it is
# read right with any colour vision and in grey; RGB.
_SCALE = np.array(
    [
        (237, 248, 177),
        (199, 233, 180),
        (127, 205, 187),
        (65, 182, 196),
        (29, 145, 192),
        (34, 94, 168),
        (37, 52, 148),
        (8, 29, 88),
    ],
    dtype=np.float64,
)
_BAR: Colour = (29, 145, 192)
_FOOT_PX = 118
_HOURS = 24
_KINDS = ("pick", "put_back")
_BY = ("started_in_entrance", "ended_in_exit")


@dataclass(frozen=True)
class Density:
    """`cells`: column, row (from the floor's lower left corner), person_s. `hours`: hour of the store's day,
    person_s in those cells. `handled`: gondola_id, type (pick or put_back), events. Only what at least
    `LEAST_PEOPLE` people stand behind has a row."""

    cells: pl.DataFrame
    hours: pl.DataFrame
    handled: pl.DataFrame


def density_of(
    slots: pl.DataFrame, tracks: pl.DataFrame, track_points: pl.DataFrame, shelf_events: pl.DataFrame
) -> Density:
    """The densities of a store-day.

    `slots`: slot_id, gondola_id; `tracks`: track_id, started_in_entrance, ended_in_exit; `track_points`:
    track_id, captured_at, x_m, y_m; `shelf_events`: slot_id, type, track_id.

    People are counted as tracks that came in through the entrance, or as those that left by the exit, whichever
    are more: nobody does either twice in a visit, so that a person whom the cameras lost and found again, and who
    therefore has several tracks, counts once.
    """
    step_s = pl.col("captured_at").diff().shift(-1).over("track_id", order_by="captured_at").dt.total_milliseconds()
    points = track_points.join(tracks.select("track_id", *_BY), "track_id").select(
        "track_id",
        *_BY,
        (pl.col("x_m").cast(pl.Float64) / CELL_M).floor().cast(pl.Int32).alias("column"),
        (pl.col("y_m").cast(pl.Float64) / CELL_M).floor().cast(pl.Int32).alias("row"),
        pl.col("captured_at").dt.convert_time_zone(STORE_ZONE).dt.hour().cast(pl.Int32).alias("hour"),
        (step_s / 1000.0).fill_null(0.0).clip(0.0, _LONGEST_STEP_S).alias("person_s"),
    )
    cells = _of_enough(points, "column", "row", counted=pl.col("person_s").sum().round(3))
    shown = points.join(cells, ["column", "row"], how="semi")
    hours = _of_enough(shown, "hour", counted=pl.col("person_s").sum().round(3))
    events = (
        shelf_events.filter(pl.col("type").is_in(_KINDS))
        .join(slots.select("slot_id", "gondola_id"), "slot_id")
        .join(tracks.select("track_id", *_BY), "track_id", how="left")
    )
    handled = _of_enough(events, "gondola_id", "type", counted=pl.len().cast(pl.Int64).alias("events"))
    return Density(cells, hours, handled)


def floor_density_png(plan: Plan, density: Density, *, title: str = "", width_px: int = 720) -> bytes:
    """A PNG of at most 64 kB: person-seconds per floor cell by colour, picks and put-backs per gondola, and
    person-minutes per hour of the day. The title may be ASCII only."""
    greatest = density.cells["person_s"].max()
    scale = _Scale.up_to(float(greatest) if isinstance(greatest, float) else 1.0)

    def draw(width: int) -> bytes:
        canvas = Canvas(plan, width, foot_px=_FOOT_PX)
        canvas.floor()
        corner = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float64)
        floor_m = np.array([plan.width_m, plan.depth_m])
        for column, row, person_s in density.cells.iter_rows():
            square = np.clip((corner + np.array([column, row])) * CELL_M, 0.0, floor_m)
            canvas.area(square, scale.colour(person_s))
        canvas.furniture(named=False)
        _handled(canvas, plan, density.handled)
        canvas.title(title)
        _legend(canvas, scale)
        _hours(canvas, density.hours)
        return canvas.png()

    return small_png(draw, width_px)


@dataclass(frozen=True)
class _Scale:
    """Logarithmic, in steps: a colour says a cell's person-seconds to within a fifth, not to the second."""

    top_s: float

    @classmethod
    def up_to(cls, greatest_s: float) -> _Scale:
        return cls(_round_up(greatest_s))

    def colour(self, person_s: float) -> Colour:
        decades = _DECADES + math.log10(max(person_s, 1e-9) / self.top_s)
        last = _STEPS_A_DECADE * _DECADES - 1
        return self.colour_of_step(min(max(math.floor(decades * _STEPS_A_DECADE), 0), last))

    def colour_of_step(self, step: int) -> Colour:
        place = step / (_STEPS_A_DECADE * _DECADES - 1) * (len(_SCALE) - 1)
        red, green, blue = (round(float(np.interp(place, range(len(_SCALE)), _SCALE[:, c]))) for c in range(3))
        return red, green, blue


def _of_enough(rows: pl.DataFrame, *key: str, counted: pl.Expr) -> pl.DataFrame:
    people = pl.max_horizontal(*(pl.col("track_id").filter(pl.col(side)).n_unique() for side in _BY))
    groups = rows.group_by(key).agg(counted, people.alias("people"))
    return groups.filter(pl.col("people") >= LEAST_PEOPLE).drop("people").sort(key)


def _handled(canvas: Canvas, plan: Plan, handled: pl.DataFrame) -> None:
    """Name and counts on every gondola, in a row or, on one that stands upright on the plan, in a column."""
    counts = {(gondola_id, kind): events for gondola_id, kind, events in handled.iter_rows()}
    for name, outline in plan.gondolas:
        x, y = canvas.on_sheet(outline.mean(axis=0))
        wide, deep = np.ptp(outline, axis=0)
        words = [name, *(str(counts.get((name, kind), "-")) for kind in _KINDS)]
        widths = [canvas.text_width(words[0])] + [18 + canvas.text_width(word) for word in words[1:]]
        left, top = x - (sum(widths) + 28) / 2, y + 5
        for place, (word, width) in enumerate(zip(words, widths, strict=True)):
            if deep > wide:
                left, top = x - width / 2, y + 5 + (place - 1) * 20
            if place:
                _symbol(canvas, _KINDS[place - 1], left + 6, top - 4)
            canvas.text(word, (left + (18 if place else 0), top), INK)
            left += width + 14


def _symbol(canvas: Canvas, kind: str, x_px: float, y_px: float) -> None:
    place = canvas.on_floor(x_px, y_px)
    canvas.mark(place, INK, 5)
    if kind == "put_back":
        canvas.mark(place, PAPER, 3)


def _legend(canvas: Canvas, scale: _Scale) -> None:
    x, y = float(canvas.margin_px), canvas.foot_top_px + 20.0
    steps, wide = _STEPS_A_DECADE * _DECADES, 11
    for step in range(steps):
        canvas.box(x + step * wide, y - 10, x + (step + 1) * wide, y, scale.colour_of_step(step))
    for decade in range(_DECADES + 1):
        words = f"{scale.top_s / 10 ** (_DECADES - decade):g}"
        at = x + decade * wide * _STEPS_A_DECADE - canvas.text_width(words) * decade / _DECADES
        canvas.text(words, (at, y + 14), INK)
    x += steps * wide + 14
    canvas.text(f"person-seconds per cell of {CELL_M:g} m", (x, y), INK)
    canvas.text(f"blank or -: fewer than {LEAST_PEOPLE} people", (x, y + 14), INK)
    x += 240
    for kind, label in (("pick", "picks"), ("put_back", "put-backs")):
        _symbol(canvas, kind, x + 6, y - 4)
        x = canvas.text(label, (x + 16, y), INK) + 18
    canvas.metre(y)


def _hours(canvas: Canvas, hours: pl.DataFrame) -> None:
    """Person-minutes in the coloured cells, by hour of the store's day: a gap is an hour that nobody filmed, or in
    which next to nobody came."""
    minutes = {hour: person_s / 60 for hour, person_s in hours.iter_rows()}
    top = _round_up(max(minutes.values(), default=1.0))
    left, right = canvas.margin_px + 150.0, canvas.width_px - canvas.margin_px
    ground, high = canvas.foot_top_px + 98.0, 42.0
    wide = (right - left) / _HOURS
    canvas.text("person-minutes in", (canvas.margin_px, ground - 24), INK)
    canvas.text("those cells, by hour", (canvas.margin_px, ground - 10), INK)
    canvas.box(left, ground, right, ground + 1, FAINT)
    canvas.box(left, ground - high, right, ground - high + 0.5, FAINT)
    words = f"{top:g}"
    canvas.text(words, (left - canvas.text_width(words) - 4, ground - high + 5), INK)
    for hour, value in sorted(minutes.items()):
        # Twentieths: as with the colours, how long exactly one more person stayed is not to be read from a bar.
        bar = math.ceil(value / top * 20) / 20 * high
        canvas.box(left + hour * wide + 2, ground - bar, left + (hour + 1) * wide - 2, ground, _BAR)
    for hour in range(0, _HOURS + 1, 6):
        words = f"{hour}"
        canvas.text(words, (left + hour * wide - canvas.text_width(words) * hour / _HOURS, ground + 14), INK)


def _round_up(value: float) -> float:
    """The next of ... 1, 2, 5, 10, 20, 50 ..."""
    decade = 10.0 ** math.floor(math.log10(max(value, 1e-3)))
    return next((step * decade for step in (1, 2, 5) if value <= step * decade), 10 * decade)
