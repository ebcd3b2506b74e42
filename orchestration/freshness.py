"""How old each kind of asset may be before the UI says so."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

LATE: dict[dg.AssetKey, dg.FreshnessPolicy] = {
    # The sweep's promise is hours, not days: half an hour without one eats the margin before the limit.
    dg.AssetKey(["privacy", "sweeps"]): dg.FreshnessPolicy.time_window(
        fail_window=timedelta(minutes=60), warn_window=timedelta(minutes=30)
    ),
    # Both are looked at every 15 minutes: who watches the stores is watched, too.
    **{
        dg.AssetKey(["privacy", name]): dg.FreshnessPolicy.time_window(
            fail_window=timedelta(hours=2), warn_window=timedelta(hours=1)
        )
        for name in ("refused_deliveries", "store_freshness")
    },
    dg.AssetKey(["analytics", "store_days"]): dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=30), warn_window=timedelta(hours=26)
    ),
}
"""By asset. Store-days have none: a closed store delivers nothing, and that is no fault; privacy/store_freshness knows
opening hours."""
