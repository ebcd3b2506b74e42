"""Leftovers of deliveries as rows of `privacy/refused_deliveries`: counts, closed words and keyed hashes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime, timedelta

import polars as pl

from assets.privacy.deliveries.leftovers import Leftover
from lakehouse.contracts.privacy import REFUSED_DELIVERIES

STUCK_AFTER = timedelta(hours=1)
"""A file that nothing has taken for this long waits for what does not come: its other half, a slot or product that it
names, a run that does not start. The sensor looks every 30 seconds, and a store-day takes minutes."""

UNKNOWN = "unknown"
"""In the place of a reason that cannot be read any more."""


def refused_deliveries(leftovers: Iterable[Leftover], key: bytes, now: datetime) -> pl.DataFrame:
    """One row per file, field and reason; one per file that is stuck at `now`. `key`: what names are hashed under."""
    rows: list[dict[str, object]] = []
    for left in leftovers:
        if not left.is_refused and now - left.since < STUCK_AFTER:
            continue
        place = {
            "delivery": left.category,
            "store_id": left.store_id,
            "file_key": _file_key(key, left.source),
            "file_name": left.name,
            "state": "refused" if left.is_refused else "stuck",
            "since": left.since,
        }
        reasons = {("", UNKNOWN): 1} if left.reasons is None else left.reasons or {("", ""): 1}
        rows += [
            place | {"field": field, "reason": reason, "lines": count} for (field, reason), count in reasons.items()
        ]
    found = pl.DataFrame(rows, REFUSED_DELIVERIES.schema)
    return found.unique(REFUSED_DELIVERIES.key, keep="last").sort(REFUSED_DELIVERIES.key)


def _file_key(key: bytes, source: str) -> str:
    return hmac.new(key, source.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()[:24]
