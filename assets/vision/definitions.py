"""What the vision domain adds to the platform. Resources and policy come from where the domains are merged."""

from __future__ import annotations

import dagster as dg

from assets.vision.assets import ASSETS


def definitions() -> dg.Definitions:
    """The domain's assets with their checks."""
    return dg.Definitions(assets=list(ASSETS))
