"""What runs by the clock, declared per environment: what an environment does not have is absent, not stopped."""

from __future__ import annotations

import dagster as dg

from lakehouse.store_day import STORE_ZONE
from orchestration.housekeeping import housekeeping
from orchestration.jobs import DELIVERIES, REVIEW, SWEEP


def _schedule(job: dg.JobDefinition | dg.UnresolvedAssetJobDefinition, cron: str, why: str) -> dg.ScheduleDefinition:
    return dg.ScheduleDefinition(
        name=f"{job.name}_schedule",
        job=job,
        cron_schedule=cron,
        execution_timezone=STORE_ZONE,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=why,
    )


# Hours are dropped half an hour before their limit: a sweep every ten minutes leaves room for two that fail.
SWEEPING = _schedule(SWEEP, "*/10 * * * *", "Personal data dies on time.")
# Items close an hour before their store-day seals; four looks fit in between.
CLOSING = _schedule(
    REVIEW, "*/15 * * * *", "Decisions take effect, and what nobody decided closes before the day seals."
)
COUNTING = _schedule(
    DELIVERIES, "7-59/15 * * * *", "Whoever delivers hears soon of what was refused, and of what did not come."
)
TIDYING = _schedule(housekeeping, "30 4 * * *", "Dagster's own storage stays small.")

BY_ENVIRONMENT: dict[str, tuple[dg.ScheduleDefinition, ...]] = {
    "local": (SWEEPING, CLOSING, COUNTING),
    "production": (SWEEPING, CLOSING, COUNTING, TIDYING),
}


def schedules_of(environment: str) -> tuple[dg.ScheduleDefinition, ...]:
    """Raises KeyError for an environment that the settings do not allow."""
    return BY_ENVIRONMENT[environment]
