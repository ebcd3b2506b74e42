"""The analytics domain, as Dagster sees it."""

from __future__ import annotations

import dagster as dg

from assets.analytics.marts.assets import marts

ASSETS = [marts]


def definitions() -> dg.Definitions:
    """Assets and their checks, which are dbt's tests; resources are given where the domains are merged."""
    return dg.Definitions(assets=ASSETS)
