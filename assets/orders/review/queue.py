"""The review queue: what waits, and how a decision is written down.

A decision is a line in landing/reviews/; it counts once the next run has taken it from there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from assets.orders.review.decisions import current_items, resolve
from lakehouse.contracts import orders, store_reference
from lakehouse.lake import Lake
from lakehouse.store_day import STORE_ZONE
from lakehouse.tables.reader import scan
from resources.landing.deliveries import REVIEWS
from resources.landing.file_access import append_line
from resources.landing.folder import SOURCE_FILE, SOURCE_LINE, Landing, landed_schema
from resources.landing.lines import parse_line
from resources.landing.refusals import Reason, Refused

_ADVICE = {
    ("lines", Reason.NOT_ALLOWED): "amend needs --line product=pieces, accept and reject take none",
    ("lines", Reason.DUPLICATE_KEY): "name each product in one --line only",
    ("lines", Reason.OUT_OF_RANGE): "a line has 1 to 100 pieces",
    ("lines", Reason.UNKNOWN_REFERENCE): "an amendment names products with a price in that store on that day",
    ("reviewer_id", Reason.NOT_AN_ID): "--reviewer takes up to 64 letters, digits and . _ : -",
    ("reason", Reason.OUT_OF_RANGE): "--reason takes up to 500 characters",
    ("decision", Reason.NOT_ALLOWED): "a product is unknown: amend it with --line product=pieces, or reject it",
    ("", Reason.NOBODY_TO_BILL): "no account stands behind it, so only reject settles it",
    ("", Reason.ALREADY_DECIDED): "the first decision counts; a change of mind is a refund",
    ("", Reason.EVIDENCE_EXPIRED): "the evidence had to go, and with it the item closed unbilled",
}
"""By field and reason of a refusal; an empty field stands for any."""


class CommandError(Exception):
    """The command cannot be done; the message says why."""


@dataclass(frozen=True)
class Queue:
    """`items`: rows of `review_items` in their current state, decisions in landing included; `decisions`:
    those in the table and those in landing."""

    items: pl.DataFrame
    decisions: pl.DataFrame

    @property
    def waiting(self) -> pl.DataFrame:
        """Items that nobody has decided, the most urgent first."""
        undecided = self.items.filter(pl.col("state") == "waiting")
        return undecided.sort("evidence_expires_at", "raised_at", "review_id")

    def find(self, start: str) -> dict[str, object]:
        """The item whose id begins so. Raises CommandError unless there is exactly one."""
        found = self.items.filter(pl.col("review_id").str.starts_with(start)).rows(named=True)
        if len(found) != 1:
            raise CommandError(f"{len(found)} review items begin with {start}" if found else f"no review item {start}")
        return found[0]


def read_queue(lake: Lake, landing: Landing) -> Queue:
    """The review queue of all stores."""
    items = scan(lake, orders.REVIEW_ITEMS).collect()
    known = scan(lake, orders.REVIEW_DECISIONS).collect()
    landed = landing.read(REVIEWS).frame
    arriving = resolve(landed, items, known, scan(lake, store_reference.PRICES).collect()).decisions
    decisions = pl.concat([known, arriving])
    return Queue(current_items(items, decisions), decisions)


def decide(queue: Queue, landing: Landing, prices: pl.DataFrame, line: dict[str, object], now: datetime) -> Path:
    """Writes a decision into landing/reviews/ and returns the file. Raises CommandError for what would be
    refused."""
    line = line | {
        "review_id": queue.find(str(line["review_id"]))["review_id"],
        "decided_at": now.isoformat(),
    }
    raw = json.dumps({name: value for name, value in line.items() if value}).encode()
    try:
        parsed = parse_line(raw, REVIEWS)
    except Refused as refused:
        raise CommandError(_explained(refused.field_name, refused.reason)) from None
    landed = pl.DataFrame([parsed | {SOURCE_FILE: "", SOURCE_LINE: 1}], landed_schema(REVIEWS))
    refused_lines = resolve(landed, queue.items, queue.decisions, prices).refused
    if refused_lines:
        raise CommandError(_explained(refused_lines[0].field, refused_lines[0].reason))
    path = landing.root / "reviews" / f"{now.astimezone(ZoneInfo(STORE_ZONE)):%Y-%m-%d}.jsonl"
    append_line(path, raw)
    return path


def _explained(field: str, reason: Reason) -> str:
    """One sentence for whoever typed the command: what was refused, and what would be taken."""
    advice = _ADVICE.get((field.partition("[")[0].partition(".")[0], reason)) or _ADVICE.get(("", reason), "")
    return f"{field}: {reason}" + (f"; {advice}" if advice else "")
