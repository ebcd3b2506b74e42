"""What a store may deliver: one entry for each delivery, from which sensor, jobs and tests follow. What comes as lines
of JSON has its allowed fields here, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import polars as pl

from lakehouse.contract import RetentionClass
from lakehouse.contracts.columns import INSTANT
from lakehouse.contracts.orders import DECISIONS, DIRECTIONS, PAYMENT_METHODS
from lakehouse.contracts.privacy import ACCOUNT_STATUSES
from resources.landing.fields import Field, flag, list_of, moment, one_of, text, text_id, whole
from resources.landing.lines import LineFormat
from resources.landing.refusals import Reason, Refused


def _check_order(row: dict[str, object]) -> None:
    lines = row["lines"]
    assert isinstance(lines, list)
    if any(line["quantity"] * line["unit_price_fen"] != line["amount_fen"] for line in lines):
        raise Refused(Reason.ARITHMETIC, "lines.amount_fen")
    if sum(line["amount_fen"] for line in lines) != row["amount_fen"]:
        raise Refused(Reason.ARITHMETIC, "amount_fen")
    if len({line["product_id"] for line in lines}) != len(lines):
        raise Refused(Reason.DUPLICATE_KEY, "lines.product_id")


def _check_review(row: dict[str, object]) -> None:
    lines = row["lines"] or []
    assert isinstance(lines, list)
    if (row["decision"] == "amend") != bool(lines):
        raise Refused(Reason.NOT_ALLOWED, "lines")
    if len({line["product_id"] for line in lines}) != len(lines):
        raise Refused(Reason.DUPLICATE_KEY, "lines.product_id")


_QUANTITY = Field(pl.Int32, whole(1, 100))
_FEN = Field(pl.Int64, whole(1, 10_000_000))
_HISTORY_LINE = {
    "product_id": Field(pl.String, text_id),
    "quantity": _QUANTITY,
    "unit_price_fen": _FEN,
    "amount_fen": _FEN,
}
_REVIEW_LINE = {"product_id": Field(pl.String, text_id), "quantity": _QUANTITY}


def _struct(fields: Mapping[str, Field]) -> pl.List:
    return pl.List(pl.Struct({name: spec.dtype for name, spec in fields.items()}))


GATE_EVENTS = LineFormat(
    "gate_events",
    {
        "account_id": Field(pl.String, text_id),
        "gate_id": Field(pl.String, text_id),
        "scanned_at": Field(INSTANT, moment),
        "direction": Field(pl.String, one_of(DIRECTIONS)),
        "payment_method": Field(pl.String, one_of(PAYMENT_METHODS)),
    },
    by_store=True,
)

ACCOUNTS = LineFormat(
    "accounts",
    {
        "account_id": Field(pl.String, text_id),
        "created_at": Field(INSTANT, moment),
        "status": Field(pl.String, one_of(ACCOUNT_STATUSES)),
        "is_simulated": Field(pl.Boolean, flag),
    },
    by_store=False,
)

ORDERS_HISTORY = LineFormat(
    "orders_history",
    {
        "order_no": Field(pl.String, text_id),
        "account_id": Field(pl.String, text_id),
        "store_id": Field(pl.String, text_id),
        "created_at": Field(INSTANT, moment),
        "payment_method": Field(pl.String, one_of(PAYMENT_METHODS[:3])),
        "amount_fen": _FEN,
        "lines": Field(_struct(_HISTORY_LINE), list_of(_HISTORY_LINE, 500, 1)),
        "is_simulated": Field(pl.Boolean, flag),
    },
    by_store=True,
    check=_check_order,
)

REVIEWS = LineFormat(
    "reviews",
    {
        "review_id": Field(pl.String, text_id),
        "decision": Field(pl.String, one_of(tuple(word for word in DECISIONS if word != "unbilled"))),
        "lines": Field(_struct(_REVIEW_LINE), list_of(_REVIEW_LINE, 500), required=False),
        "reviewer_id": Field(pl.String, text_id),
        "decided_at": Field(INSTANT, moment),
        "reason": Field(pl.String, text(500)),
    },
    by_store=False,
    check=_check_review,
)


@dataclass(frozen=True)
class Delivery:
    """A folder below landing, and what becomes of what lies there.

    `retention`: class of the content, as long as it lies in landing and among the refused. `consumer`: key of the asset
    whose step reads it. `starts`: name of the job that it starts; `store_day` starts one for each store-day.
    `by_store`: whether a folder per store lies between. `lines`: the format of what is delivered as lines of JSON.
    """

    category: str
    retention: RetentionClass
    consumer: tuple[str, str]
    starts: Literal["store_day", "reference", "review"]
    by_store: bool
    lines: LineFormat | None = None


def _of_lines(
    line_format: LineFormat, consumer: tuple[str, str], starts: Literal["store_day", "reference", "review"]
) -> Delivery:
    return Delivery(
        line_format.category, RetentionClass.ACCOUNT, consumer, starts, line_format.by_store, lines=line_format
    )


DELIVERIES: dict[str, Delivery] = {
    delivery.category: delivery
    for delivery in (
        # Of stores and of the chain alike: the readers of its documents know which.
        Delivery("reference", RetentionClass.REFERENCE, ("orders", "stores"), "reference", by_store=False),
        Delivery("footage", RetentionClass.FOOTAGE, ("vision", "footage_segments"), "store_day", by_store=True),
        _of_lines(GATE_EVENTS, ("orders", "gate_events"), "store_day"),
        _of_lines(ACCOUNTS, ("privacy", "accounts"), "reference"),
        _of_lines(ORDERS_HISTORY, ("orders", "historical_orders"), "reference"),
        _of_lines(REVIEWS, ("orders", "review_decisions"), "review"),
    )
}
"""Every delivery, by its folder."""


def started_by(job: str) -> tuple[Delivery, ...]:
    """The deliveries that start a job."""
    return tuple(delivery for delivery in DELIVERIES.values() if delivery.starts == job)
