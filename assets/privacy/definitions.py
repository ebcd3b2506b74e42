"""The privacy domain, as Dagster sees it."""

from __future__ import annotations

import dagster as dg

from assets.privacy.assets import ASSETS


def definitions() -> dg.Definitions:
    """Assets and their checks; resources are given where the domains are merged."""
    return dg.Definitions(assets=ASSETS)
