"""The privacy domain, as Dagster sees it."""

from __future__ import annotations

import dagster as dg

from assets.privacy.accounts.assets import accounts
from assets.privacy.deliveries.assets import refused_deliveries
from assets.privacy.retention.assets import sweeps
from assets.privacy.store_freshness.assets import store_freshness

ASSETS = [accounts, refused_deliveries, store_freshness, sweeps]


def definitions() -> dg.Definitions:
    """Assets and their checks; resources are given where the domains are merged."""
    return dg.Definitions(assets=ASSETS)
