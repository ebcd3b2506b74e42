"""How instants are written: in the simulated store's files, and in the names of its clips."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(instant: datetime) -> str:
    """File name of a clip that begins at an instant (UTC, to the millisecond)."""
    return f"{instant.strftime('%Y%m%dT%H%M%S')}.{instant.microsecond // 1000:03d}Z"


def iso(instant: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
