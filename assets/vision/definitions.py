"""What the vision domain adds to the platform. Resources and policy come from where the domains are merged."""

from __future__ import annotations

import dagster as dg

from assets.vision.clip_analysis.assets import clip_analysis
from assets.vision.footage.assets import footage_segments
from assets.vision.shelf_events.assets import shelf_events
from assets.vision.trajectories.assets import trajectories

ASSETS = (footage_segments, clip_analysis, trajectories, shelf_events)


def definitions() -> dg.Definitions:
    """The domain's assets with their checks."""
    return dg.Definitions(assets=list(ASSETS))
