"""How long reference files wait in landing for what they name."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from assets.orders.reference.settings import ReferenceSettings
from resources.landing.file_access import landed_at


def waits_over(paths: Iterable[Path], now: datetime, settings: ReferenceSettings | None = None) -> int:
    """How often the time for which a reference file may wait has gone by, summed over files: whenever it goes up, a run
    has to refuse what has waited for long enough. A file that is gone by now counts for nothing."""
    patience, times = (settings or ReferenceSettings()).patience, 0
    for path in paths:
        with suppress(OSError):
            times += max(0, (now - landed_at(path)) // patience)
    return times
