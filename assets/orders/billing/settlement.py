"""Orders of a store-day: who pays what, and what a person must judge before anybody pays.

Nobody is billed by guess. A visit becomes an order if it has an account, the cameras followed it, the shopper has left,
every product is known, and the whole basket is likely enough to be right. Otherwise it becomes a review item, and so
does every event that belongs to nobody. A reviewer then accepts, changes or drops the order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from assets.orders.baskets.netting import Netting
from assets.orders.billing.settings import BillingPolicy
from assets.orders.ids import order_number, review_id_of_event, review_id_of_visit
from assets.orders.reference.prices import prices_on
from assets.orders.review.decisions import DECIDED_STATE, decide_until, first_decisions
from lakehouse.contracts.orders import ORDER_LINES, ORDERS, REVIEW_ITEMS
from lakehouse.store_day import StoreDay

Line = tuple[str, int]
"""product_id, pieces."""

_EVENT_COLUMNS = ("event_id", "type", "product_id", "quantity", "event_prob", "happened_at")


@dataclass(frozen=True)
class Settlement:
    """Rows of `orders`, `order_lines` and `review_items`."""

    orders: pl.DataFrame
    order_lines: pl.DataFrame
    review_items: pl.DataFrame


@dataclass(frozen=True)
class _Decision:
    state: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class _Visit:
    visit_id: str
    account_id: str | None
    entered_at: datetime
    exited_at: datetime | None
    payment_method: str | None
    state: str
    has_track: bool
    pieces: int
    confidence_prob: float
    has_unknown_product: bool
    last_event_at: datetime | None
    event_count: int

    @property
    def closed_at(self) -> datetime:
        """When the basket closed; the last thing seen of it while it is open."""
        return self.exited_at or self.last_event_at or self.entered_at


def settle(
    store_day: StoreDay,
    visits: pl.DataFrame,
    netting: Netting,
    prices: pl.DataFrame,
    decisions: pl.DataFrame,
    policy: BillingPolicy | None = None,
) -> Settlement:
    """Orders and review items of a store-day, from rows of `visits`, the netting of its events, rows of
    `prices` and of `review_decisions`. The order of rows does not matter; the same rows give the same
    orders."""
    policy = policy or BillingPolicy()
    day = store_day.business_date
    price_of = dict(prices_on(prices, store_day.store_id, day).iter_rows())
    decided = _decided(decisions)
    basket_lines: dict[str, list[tuple[str, int, float]]] = {}
    for visit_id, *line in netting.baskets.select("visit_id", "product_id", "quantity", "confidence_prob").iter_rows():
        basket_lines.setdefault(visit_id, []).append(tuple(line))
    rows = _Rows(store_day, price_of)
    for visit in _visits(store_day, visits, netting):
        lines = sorted(basket_lines.get(visit.visit_id, []))
        review_id = review_id_of_visit(visit.visit_id)
        reason = _reason(visit, [product for product, *_ in lines], price_of, policy)
        decision = decided.get(review_id)
        if reason is None and decision is None:
            rows.bill(visit, lines, "none")
            continue
        state = decision.state if decision else "waiting"
        rows.ask(review_id, visit, reason or "low_confidence", lines, state)
        if decision and state == "accepted":
            rows.bill(visit, [line for line in lines if line[0] in price_of], state)
        elif decision and state == "amended":
            rows.bill(visit, [(product, pieces, 1.0) for product, pieces in decision.lines], state)
    for event in netting.unattributed.select(_EVENT_COLUMNS).iter_rows(named=True):
        decision = decided.get(review_id := review_id_of_event(event["event_id"]))
        rows.ask_event(review_id, event, decision.state if decision else "waiting")
    return rows.settlement()


def _decided(decisions: pl.DataFrame) -> dict[str, _Decision]:
    found = {}
    for review_id, decision, products, pieces in (
        first_decisions(decisions).select("review_id", "decision", "product_ids", "quantities").iter_rows()
    ):
        found[review_id] = _Decision(DECIDED_STATE[decision], tuple(sorted(zip(products, pieces, strict=True))))
    return found


def _visits(store_day: StoreDay, visits: pl.DataFrame, netting: Netting) -> list[_Visit]:
    columns = ("visit_id", "account_id", "entered_at", "exited_at", "payment_method", "state", "has_track")
    of_day = visits.filter(
        (pl.col("store_id") == store_day.store_id)
        & (pl.col("business_date") == store_day.business_date.isoformat())
        & (pl.col("state") != "staff")
    )
    joined = of_day.select(columns).join(netting.closings, "visit_id").sort("entered_at", "visit_id")
    return [_Visit(**row) for row in joined.iter_rows(named=True)]


def _reason(visit: _Visit, products: Sequence[str], price_of: Mapping[str, int], policy: BillingPolicy) -> str | None:
    """Why a person must look at the visit; None if nobody has to."""
    is_sure = visit.confidence_prob >= policy.least_order_prob
    if visit.account_id is None:
        return "no_account" if visit.pieces or visit.has_unknown_product else None
    if not visit.has_track:
        return "no_track"
    if not visit.event_count:
        return None
    if visit.state == "open":
        return "no_exit"
    if visit.has_unknown_product or any(product not in price_of for product in products):
        return "unknown_product"
    return None if is_sure else "low_confidence"


class _Rows:
    """Collects the rows of a store-day's three tables."""

    def __init__(self, store_day: StoreDay, price_of: Mapping[str, int]) -> None:
        self._day = store_day
        self._place = {"store_id": store_day.store_id, "business_date": store_day.business_date.isoformat()}
        self._price_of = price_of
        self._orders: list[dict[str, object]] = []
        self._lines: list[dict[str, object]] = []
        self._items: list[dict[str, object]] = []

    def bill(self, visit: _Visit, lines: Sequence[tuple[str, int, float]], state: str) -> None:
        """An order, unless nothing was carried out or nobody can pay."""
        if not lines or visit.account_id is None:
            return
        order_no = order_number(self._day.store_id, self._day.business_date, visit.visit_id)
        amounts = [pieces * self._price_of[product] for product, pieces, _ in lines]
        self._orders.append(
            self._place
            | {
                "order_no": order_no,
                "visit_id": visit.visit_id,
                "account_id": visit.account_id,
                "created_at": visit.closed_at,
                "amount_fen": sum(amounts),
                "payment_method": visit.payment_method,
                "confidence_prob": 1.0 if state == "amended" else visit.confidence_prob,
                "review_state": state,
            }
        )
        for (product, pieces, prob), amount in zip(lines, amounts, strict=True):
            self._lines.append(
                self._place
                | {
                    "order_no": order_no,
                    "product_id": product,
                    "quantity": pieces,
                    "unit_price_fen": self._price_of[product],
                    "amount_fen": amount,
                    "confidence_prob": prob,
                }
            )

    def ask(
        self, review_id: str, visit: _Visit, reason: str, lines: Sequence[tuple[str, int, float]], state: str
    ) -> None:
        """A review item for a visit, with the lines that the cameras suggest."""
        proposed = [(product, pieces) for product, pieces, _ in lines]
        self._item(review_id, visit.visit_id, visit.closed_at, reason, visit.confidence_prob, proposed, state)

    def ask_event(self, review_id: str, event: Mapping[str, Any], state: str) -> None:
        """A review item for an event that belongs to nobody. Only what was taken is missing from the shelf."""
        is_missing = event["type"] != "put_back" and event["product_id"] is not None and event["quantity"]
        proposed = [(event["product_id"], event["quantity"])] if is_missing else []
        self._item(review_id, None, event["happened_at"], "unattributed_events", event["event_prob"], proposed, state)

    def settlement(self) -> Settlement:
        """The rows as frames of their contracts."""
        return Settlement(
            pl.DataFrame(self._orders, ORDERS.schema).sort("created_at", "order_no"),
            pl.DataFrame(self._lines, ORDER_LINES.schema).sort("order_no", "product_id"),
            pl.DataFrame(self._items, REVIEW_ITEMS.schema).sort("raised_at", "review_id"),
        )

    def _item(
        self,
        review_id: str,
        visit_id: str | None,
        raised_at: datetime,
        reason: str,
        prob: float,
        proposed: Sequence[Line],
        state: str,
    ) -> None:
        value = sum(pieces * self._price_of.get(product, 0) for product, pieces in proposed)
        self._items.append(
            self._place
            | {
                "review_id": review_id,
                "visit_id": visit_id,
                "raised_at": raised_at,
                "evidence_expires_at": decide_until(self._day),
                "reason": reason,
                "confidence_prob": prob,
                "product_ids": [product for product, _ in proposed],
                "quantities": [pieces for _, pieces in proposed],
                "amount_fen": value,
                "state": state,
            }
        )
