"""The one clock. Everything that needs the time takes it from here, so that a test can set it."""

from __future__ import annotations

from datetime import UTC, datetime

import dagster as dg

from resources.clock_reading import ClockReading, read_machine, simulated_reading


class Clock(dg.ConfigurableResource):  # type: ignore[type-arg]
    """The time in UTC. `fixed_at`, an ISO 8601 instant with its zone, stops it there; empty means the
    machine's clock."""

    fixed_at: str = ""

    def now(self) -> datetime:
        """Now, UTC, with microseconds. Raises ValueError for a fixed instant without a zone."""
        if not self.fixed_at:
            return datetime.now(UTC)
        fixed = datetime.fromisoformat(self.fixed_at)
        if fixed.tzinfo is None:
            raise ValueError("the clock's fixed instant needs a time zone")
        return fixed.astimezone(UTC)

    def reading(self) -> ClockReading:
        """Now, with what speaks for it. A fixed instant says nothing about the machine's clock and says so."""
        return simulated_reading(self.now()) if self.fixed_at else read_machine()
