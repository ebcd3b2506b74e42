"""The queue before the daemon's runs: two lanes, so that deletion never waits for anything that is not its own.

Dagster's limit over all runs counts everything, and a priority only sorts who waits: two long runs would hold up the
sweep. So dagster.yaml limits each lane by itself, by a tag, and this coordinator gives every run its tag, however it
was launched.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

import dagster as dg
from dagster._core.run_coordinator import QueuedRunCoordinator, SubmitRunContext

LANE_TAG = "openaisle/lane"
RETENTION_JOBS = frozenset({"sweep"})
RETENTION_ASSETS = frozenset({dg.AssetKey(["privacy", "sweeps"])})


class Lane(StrEnum):
    """What a run waits for: others of its own lane."""

    RETENTION = "retention"
    ORDINARY = "ordinary"


def lane_of(job: str, assets: Collection[dg.AssetKey] | None) -> Lane:
    """The lane of a run by its job, or by its assets if it was launched from the asset graph."""
    is_retention = job in RETENTION_JOBS or (bool(assets) and RETENTION_ASSETS.issuperset(assets or ()))
    return Lane.RETENTION if is_retention else Lane.ORDINARY


class LanedRunCoordinator(QueuedRunCoordinator):
    """Dagster's queue, which gives every run that joins it its lane."""

    def submit_run(self, context: SubmitRunContext) -> dg.DagsterRun:
        """Tags the run and queues it."""
        run = context.dagster_run
        self._instance.add_run_tags(run.run_id, {LANE_TAG: lane_of(run.job_name, run.asset_selection).value})
        return super().submit_run(context)
