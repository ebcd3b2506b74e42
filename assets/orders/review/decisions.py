"""Decisions of reviewers: which count, which are refused, and what closes undecided.

The first valid decision on an item counts, later ones are refused: an accepted order may already be with the payment
provider, so whoever changes their mind makes a refund, not a second decision. A decision made after the evidence had to
be deleted is refused too: there was nothing left to look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from assets.orders.reference.prices import prices_on
from assets.orders.review.settings import ReviewSettings
from lakehouse.contracts.orders import REVIEW_DECISIONS, REVIEW_ITEMS
from lakehouse.life.expiry import seals_at
from lakehouse.store_day import StoreDay
from resources.landing.folder import SOURCE_FILE, SOURCE_LINE, Rejection
from resources.landing.refusals import Reason

OF_NOBODY = frozenset({"no_account", "unattributed_events"})
"""Reasons of items that no account stands behind: there is nobody to bill, so they can only be rejected."""

SYSTEM = "system"
EXPIRED = "evidence expired before a decision"

DECIDED_STATE: Mapping[str, str] = {
    "accept": "accepted",
    "amend": "amended",
    "reject": "rejected",
    "unbilled": "unbilled",
}


@dataclass(frozen=True)
class Resolution:
    """`decisions`: new rows of `review_decisions`. `refused`: landed lines that count for nothing, with the
    reason."""

    decisions: pl.DataFrame
    refused: tuple[Rejection, ...]


def decide_until(store_day: StoreDay, settings: ReviewSettings | None = None) -> datetime:
    """Last moment at which an item of that day can be decided, UTC."""
    return seals_at(store_day) - (settings or ReviewSettings()).closing_margin


def first_decisions(decisions: pl.DataFrame) -> pl.DataFrame:
    """The row that counts of every item's rows of `review_decisions`: the first."""
    return decisions.sort("decided_at", "review_id").unique("review_id", keep="first", maintain_order=True)


def resolve(landed: pl.DataFrame, items: pl.DataFrame, known: pl.DataFrame, prices: pl.DataFrame) -> Resolution:
    """New decisions from a landing batch's frame.

    `items`: rows of `review_items` that the decisions may be about; `known`: rows of `review_decisions`;
    `prices`: rows of `prices`, which say what an amendment may name. A decision delivered again is neither
    new nor refused. Who accepts must know what is billed: an item with an unknown product can be amended or
    rejected. Where nobody can be billed, an item can only be rejected.
    """
    item_of = {row["review_id"]: row for row in items.select(_ITEM_COLUMNS).iter_rows(named=True)}
    when_decided: dict[str, datetime] = dict(first_decisions(known).select("review_id", "decided_at").iter_rows())
    taken = set(known.select(_SAME).iter_rows())
    on_sale: dict[tuple[str, str], set[str]] = {}
    rows: list[dict[str, object]] = []
    refused: list[Rejection] = []
    for line in landed.sort("decided_at", "review_id", SOURCE_FILE, SOURCE_LINE).iter_rows(named=True):
        review_id, decided_at = line["review_id"], line["decided_at"]
        if (same := tuple(line[name] for name in _SAME)) in taken:
            continue
        item = item_of.get(review_id)
        amended = line["lines"] or []
        reason, field = None, ""
        if item is None:
            reason, field = Reason.UNKNOWN_REVIEW, "review_id"
        elif review_id in when_decided:
            reason, field = Reason.ALREADY_DECIDED, "review_id"
        elif decided_at >= item["evidence_expires_at"]:
            reason, field = Reason.EVIDENCE_EXPIRED, "decided_at"
        elif line["decision"] == "accept" and item["reason"] == "unknown_product":
            reason, field = Reason.NOT_ALLOWED, "decision"
        elif line["decision"] != "reject" and item["reason"] in OF_NOBODY:
            reason, field = Reason.NOBODY_TO_BILL, "decision"
        else:
            place = (item["store_id"], item["business_date"])
            if place not in on_sale:
                on_sale[place] = set(prices_on(prices, place[0], date.fromisoformat(place[1]))["product_id"])
            if any(entry["product_id"] not in on_sale[place] for entry in amended):
                reason, field = Reason.UNKNOWN_REFERENCE, "lines.product_id"
        if reason is not None or item is None:
            refused.append(Rejection(line[SOURCE_FILE], line[SOURCE_LINE], field, reason or Reason.UNKNOWN_REVIEW))
            continue
        taken.add(same)
        when_decided[review_id] = decided_at
        rows.append(
            {
                "store_id": item["store_id"],
                "business_date": item["business_date"],
                "product_ids": [entry["product_id"] for entry in amended],
                "quantities": [entry["quantity"] for entry in amended],
                **{name: line[name] for name in ("review_id", "decided_at", "decision", "reviewer_id", "reason")},
            }
        )
    return Resolution(pl.DataFrame(rows, REVIEW_DECISIONS.schema), tuple(refused))


def expire(items: pl.DataFrame, known: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """New rows of `review_decisions` for items that nobody decided in time: unbilled, by the system, at the
    moment their time was up. The same at any later `now`."""
    open_items = items.join(known.select("review_id").unique(), "review_id", how="anti")
    return (
        open_items.filter(pl.col("evidence_expires_at") <= now)
        .select(
            "store_id",
            "business_date",
            "review_id",
            pl.col("evidence_expires_at").alias("decided_at"),
            pl.lit("unbilled").alias("decision"),
            pl.lit([], dtype=pl.List(pl.String)).alias("product_ids"),
            pl.lit([], dtype=pl.List(pl.Int32)).alias("quantities"),
            pl.lit(SYSTEM).alias("reviewer_id"),
            pl.lit(EXPIRED).alias("reason"),
        )
        .select(REVIEW_DECISIONS.schema.names())
        .sort("decided_at", "review_id")
    )


def current_items(items: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Rows of `review_items` with the state that the decisions give them, also where the day was not
    settled again since."""
    decided = first_decisions(decisions).select(
        "review_id",
        pl.col("decision").replace_strict(DECIDED_STATE, return_dtype=pl.String).alias("decided_state"),
    )
    return (
        items.join(decided, "review_id", how="left", maintain_order="left")
        .with_columns(pl.coalesce("decided_state", "state").alias("state"))
        .select(REVIEW_ITEMS.schema.names())
    )


_SAME = ("review_id", "decided_at", "decision", "reviewer_id")
_ITEM_COLUMNS = ("review_id", "store_id", "business_date", "evidence_expires_at", "reason")
