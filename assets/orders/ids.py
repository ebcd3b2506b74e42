"""Names of things that must come out the same on every rerun: short hashes of what makes a thing itself."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, date, datetime

_SEPARATOR = "\x1f"


def short_hash(*parts: str) -> str:
    """24 hexadecimal digits of the SHA-256 of the parts."""
    return hashlib.sha256(_SEPARATOR.join(parts).encode()).hexdigest()[:24]


def instant_text(instant: datetime) -> str:
    """An instant as it enters a hash: UTC, microseconds."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def order_number(store_id: str, business_date: date, visit_id: str) -> str:
    """Order number of a visit, as S001-20261122-K7Q2M4XD5RPT: 60 bits of the visit's hash, so that two
    visits of one store and day share one with a probability below 1e-9 at 10,000 visits."""
    digest = hashlib.sha256(_SEPARATOR.join(("order", store_id, visit_id)).encode()).digest()
    code = base64.b32encode(digest)[:12].decode()
    return f"{store_id.upper()}-{business_date:%Y%m%d}-{code}"


def review_id_of_visit(visit_id: str) -> str:
    """Review item of a visit."""
    return short_hash("review", "visit", visit_id)


def review_id_of_event(event_id: str) -> str:
    """Review item of an event that belongs to nobody."""
    return short_hash("review", "event", event_id)
