"""What each visit carried out: the net of its picks and put-backs.

Events of all visits are taken together, in order of time, because what is put back must have been in somebody's hands.
A put-back cancels that person's latest pick of the product. Without such a pick there are three explanations: another
product of theirs was put in the wrong place, somebody else put it there, or nobody saw the pick. The likeliest is
chosen; each of the others lowers the confidence of what it would have changed.

Vision names the product that is put into another product's slot: it compares colours with what that person took
(assets/vision/shelf_events/holdings.py). Baskets take its word for it: shelf events do not say how sure the name is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import polars as pl

from assets.orders.baskets.settings import NettingSettings
from lakehouse.contracts.columns import INSTANT
from lakehouse.contracts.orders import BASKETS
from lakehouse.contracts.vision import SHELF_EVENTS
from lakehouse.store_day import capture_hour_of

MOVING_TYPES = ("pick", "put_back", "swap", "restock")
"""Types of shelf events that move goods."""

_SMALLEST = 1e-9
"""A guard: probabilities are multiplied and divided by, so none is 0."""


@dataclass(frozen=True)
class Netting:
    """`baskets`: rows of that table. `closings`: one row per visit that is not staff: visit_id, pieces,
    confidence_prob (that the whole basket is right), has_unknown_product, last_event_at (null without
    events), event_count. `unattributed`: shelf events that move goods and belong to no visit."""

    baskets: pl.DataFrame
    closings: pl.DataFrame
    unattributed: pl.DataFrame


_CLOSING_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
    "visit_id": pl.String,
    "pieces": pl.Int32,
    "confidence_prob": pl.Float32,
    "has_unknown_product": pl.Boolean,
    "last_event_at": INSTANT,
    "event_count": pl.Int32,
}
CLOSINGS_SCHEMA = pl.Schema(_CLOSING_COLUMNS)


@dataclass(frozen=True)
class _Event:
    event_id: str
    happened_at: datetime
    slot_id: str
    type: str
    product_id: str | None
    quantity: int
    event_prob: float
    attribution_prob: float
    visit_id: str


@dataclass(frozen=True)
class _Pick:
    """A pick as it was booked: `prob`, the certainty it left; `is_held`, whether it counts as having
    happened."""

    event: _Event
    prob: float
    is_held: bool


@dataclass
class _Hands:
    """What one visitor holds, latest last, and how sure each product's count is."""

    binding_prob: float
    entered_at: datetime
    exited_at: datetime | None
    held: list[str | None] = field(default_factory=list)
    sure: dict[str | None, float] = field(default_factory=dict)
    event_ids: dict[str | None, list[str]] = field(default_factory=dict)
    latest_pick: dict[str, _Pick] = field(default_factory=dict)
    last_event_at: datetime | None = None
    event_count: int = 0

    def note(self, product_id: str | None, event: _Event, prob: float) -> None:
        """Writes an event down under the product whose count it concerns."""
        self.sure[product_id] = self.sure.get(product_id, 1.0) * prob
        self.event_ids.setdefault(product_id, []).append(event.event_id)
        self.last_event_at = event.happened_at
        self.event_count += 1

    def doubt(self, product_id: str | None, prob: float) -> None:
        """Lowers the certainty of a product's count."""
        self.sure[product_id] = self.sure.get(product_id, 1.0) * prob

    def could_return(self, product_id: str | None, moment: datetime) -> bool:
        """Whether the visitor is in the store at that moment and holds the product."""
        is_inside = self.entered_at <= moment and (self.exited_at is None or moment <= self.exited_at)
        return is_inside and product_id is not None and product_id in self.held

    def latest_of(self, product_id: str | None) -> tuple[datetime, str]:
        """Key by which holders are sorted: when the hands were last seen at work, then the product's last event."""
        return self.last_event_at or self.entered_at, self.event_ids[product_id][-1]

    def put_down(self, product_id: str | None) -> None:
        """Takes the latest piece of a product out of the hands."""
        latest = len(self.held) - 1 - self.held[::-1].index(product_id)
        del self.held[latest]


def net(
    shelf_events: pl.DataFrame,
    visits: pl.DataFrame,
    visit_tracks: pl.DataFrame,
    settings: NettingSettings | None = None,
) -> Netting:
    """Baskets of the visits, from rows of `shelf_events`, `visits` and `visit_tracks`. The order of rows
    does not matter; an event is in at most one basket."""
    settings = settings or NettingSettings()
    moving = shelf_events.filter(pl.col("type").is_in(MOVING_TYPES)).sort("happened_at", "event_id")
    known = visit_tracks.select("track_id", "visit_id").join(
        visits.select("visit_id", "state", "entered_at", "exited_at"), "visit_id"
    )
    placed = moving.join(known, "track_id", how="left", maintain_order="left")
    # A trajectory that goes on after its exit scan has become somebody else's.
    margin = timedelta(seconds=settings.scan_margin_s)
    is_of_visit = pl.col("visit_id").is_not_null() & (
        (pl.col("happened_at") >= pl.col("entered_at") - margin)
        & (pl.col("happened_at") <= pl.col("exited_at").fill_null(pl.col("happened_at")) + margin)
    )
    unattributed = placed.filter(~is_of_visit & (pl.col("type") != "restock"))
    billable = visits.filter(pl.col("state") != "staff").sort("entered_at", "visit_id")
    stays = billable.select("visit_id", "binding_prob", "entered_at", "exited_at")
    hands = {visit_id: _Hands(*stay) for visit_id, *stay in stays.iter_rows()}
    for event in _events(placed.filter(is_of_visit & (pl.col("state") != "staff"))):
        _apply(event, hands, settings)
    return Netting(_lines(billable, hands), _closings(hands), unattributed.select(SHELF_EVENTS.schema.names()))


def _events(placed: pl.DataFrame) -> Iterator[_Event]:
    columns = (
        "event_id",
        "happened_at",
        "slot_id",
        "type",
        "product_id",
        "quantity",
        "event_prob",
        "attribution_prob",
        "visit_id",
    )
    for row in placed.select(columns).iter_rows(named=True):
        yield _Event(**row)


def _apply(event: _Event, hands: dict[str, _Hands], settings: NettingSettings) -> None:
    own = hands[event.visit_id]
    prob = event.event_prob * event.attribution_prob
    is_likely = event.event_prob >= settings.least_event_prob
    if event.type == "pick":
        booked = max(prob if is_likely else 1.0 - prob, _SMALLEST)
        own.latest_pick[event.slot_id] = _Pick(event, booked, is_likely)
    if event.type == "put_back" and _is_undone(event, own, settings):
        return
    if not is_likely:
        own.note(event.product_id, event, max(1.0 - prob, _SMALLEST))
    elif event.type == "pick":
        own.held += [event.product_id] * max(event.quantity, 1)
        own.note(event.product_id, event, max(prob, _SMALLEST))
    elif event.type == "swap":
        _exchange(event, own, prob, settings)
    else:
        for piece in range(max(event.quantity, 1)):
            _put_back(event, piece == 0, hands, settings)


def _is_undone(event: _Event, own: _Hands, settings: NettingSettings) -> bool:
    """Whether the put-back leaves its slot as it was before this visitor's latest pick there; if so, books the pair.

    A slot that looks as before has lost nothing, whether something was taken and returned or a shadow made it look so.
    So both events are true or both are false, unless one of them is an error by itself. And one person did both.
    """
    pick = own.latest_pick.get(event.slot_id)
    if pick is None or (pick.event.product_id, pick.event.quantity) != (event.product_id, event.quantity):
        return False
    if pick.is_held and own.held.count(event.product_id) < event.quantity:
        return False
    taken, returned = pick.event.event_prob, event.event_prob
    together = taken * returned + (1.0 - taken) * (1.0 - returned)
    alone = settings.lone_error_prob * taken * (1.0 - returned)
    undone = together / max(together + alone, _SMALLEST)
    if undone < settings.least_event_prob:
        return False
    one_hand = 1.0 - settings.second_hand_prob * (1.0 - pick.event.attribution_prob * event.attribution_prob)
    for _ in range(event.quantity if pick.is_held else 0):
        own.put_down(event.product_id)
    own.note(event.product_id, event, undone * one_hand / pick.prob)
    del own.latest_pick[event.slot_id]
    return True


def _exchange(event: _Event, own: _Hands, prob: float, settings: NettingSettings) -> None:
    """Something else stands in the slot than before: the visitor took the slot's product and put down what they held,
    if they held anything."""
    if not own.held:
        own.note(event.product_id, event, 1.0 - prob * settings.swap_prob)
        return
    put_down = own.held[-1]
    own.put_down(put_down)
    own.held.append(event.product_id)
    own.note(event.product_id, event, prob * settings.swap_prob)
    own.doubt(put_down, settings.swap_prob)


def _put_back(event: _Event, is_first_piece: bool, hands: dict[str, _Hands], settings: NettingSettings) -> None:
    own, product_id = hands[event.visit_id], event.product_id
    if product_id is not None and product_id in own.held:
        own.put_down(product_id)
        _note(own, product_id, event, event.event_prob * event.attribution_prob, is_first_piece)
        return
    holders = [other for other in hands.values() if other.could_return(product_id, event.happened_at)]
    holders.sort(key=lambda other: other.latest_of(product_id), reverse=True)
    stranger = (1.0 - event.attribution_prob) / len(holders) if holders else 0.0
    misplaced = event.attribution_prob * settings.wrong_slot_prob / len(set(own.held)) if own.held else 0.0
    missed = event.attribution_prob * settings.missed_pick_prob
    share = event.event_prob / max(stranger * len(holders) + misplaced + missed, _SMALLEST)
    if holders and stranger > max(misplaced, missed):
        likeliest = holders.pop(0)
        likeliest.put_down(product_id)
        _note(likeliest, product_id, event, stranger * share, is_first_piece)
    elif own.held and misplaced >= missed:
        put_down = own.held[-1]
        own.put_down(put_down)
        _note(own, put_down, event, misplaced * share, is_first_piece)
    else:
        _note(own, product_id, event, 1.0, is_first_piece)
        if own.held:
            own.doubt(own.held[-1], 1.0 - misplaced * share)
    for other in holders:
        other.doubt(product_id, 1.0 - stranger * share)


def _note(hands: _Hands, product_id: str | None, event: _Event, prob: float, is_first_piece: bool) -> None:
    if is_first_piece:
        hands.note(product_id, event, prob)
    else:
        hands.doubt(product_id, prob)


def _lines(visits: pl.DataFrame, hands: dict[str, _Hands]) -> pl.DataFrame:
    rows = []
    for visit_id, own in hands.items():
        for product_id in sorted({product for product in own.held if product is not None}):
            rows.append(
                {
                    "visit_id": visit_id,
                    "product_id": product_id,
                    "quantity": own.held.count(product_id),
                    "confidence_prob": _as_prob(own.binding_prob * own.sure[product_id]),
                    "event_ids": own.event_ids[product_id],
                }
            )
    columns = ("visit_id", "product_id", "quantity", "confidence_prob", "event_ids")
    lines = pl.DataFrame(rows, {name: BASKETS.schema[name] for name in columns})
    return (
        lines.join(visits.select("visit_id", "store_id", "entered_at"), "visit_id", maintain_order="left")
        .with_columns(capture_hour_of("entered_at").alias("capture_hour"))
        .select(BASKETS.schema.names())
        .sort("entered_at", "visit_id", "product_id")
    )


def _closings(hands: dict[str, _Hands]) -> pl.DataFrame:
    rows = []
    for visit_id, own in hands.items():
        whole = own.binding_prob
        for prob in own.sure.values():
            whole *= prob
        rows.append(
            {
                "visit_id": visit_id,
                "pieces": sum(product is not None for product in own.held),
                "confidence_prob": _as_prob(whole),
                "has_unknown_product": None in own.held,
                "last_event_at": own.last_event_at,
                "event_count": own.event_count,
            }
        )
    return pl.DataFrame(rows, CLOSINGS_SCHEMA)


def _as_prob(value: float) -> float:
    return min(max(value, 0.0), 1.0)
