"""How long a store was open between two instants: a closed store delivers nothing, and that is no fault."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lakehouse.store_day import STORE_ZONE

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class OpeningHours:
    """Opening and closing time, store-local, from midnight. Who closes no later than he opens, closes on the next
    day."""

    opens: timedelta
    closes: timedelta

    @classmethod
    def of(cls, opens_at: str, closes_at: str) -> OpeningHours:
        """From HH:MM as reference data have it, 00:00 to 24:00. Raises ValueError for anything else."""
        return cls(_since_midnight(opens_at), _since_midnight(closes_at))

    def open_between(self, since: datetime, until: datetime) -> timedelta:
        """Time for which the store was open from `since` to `until`, aware instants; none if `until` is not later."""
        zone = ZoneInfo(STORE_ZONE)
        # From the day before: its opening may go past midnight.
        day, last = since.astimezone(zone).date() - _DAY, until.astimezone(zone).date()
        closes = self.closes if self.closes > self.opens else self.closes + _DAY
        found = timedelta()
        while day <= last:
            midnight = datetime.combine(day, time(), zone).astimezone(UTC)
            found += max(min(until, midnight + closes) - max(since, midnight + self.opens), timedelta())
            day += _DAY
        return found


def _since_midnight(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))
