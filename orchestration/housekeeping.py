"""Keeps Dagster's own storage small: runs and their events are no record that anybody needs for ever."""

from datetime import timedelta

import dagster as dg

from orchestration.runs.dead_runs import end_dead_runs
from resources.clock import Clock

KEEP = timedelta(days=30)
MOST_PER_RUN = 500
_ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def forget_old_runs(instance: dg.DagsterInstance, clock: Clock) -> int:
    """Deletes ended runs last touched more than KEEP ago, at most MOST_PER_RUN of them. Returns how many.

    Dagster deletes what a run says of its tables, too. So the run stays that made a table as it is: without it a table
    that seldom changes, as a floor plan does, would count as never made.
    """
    needed = {
        record.asset_entry.last_materialization_record.run_id
        for record in instance.get_asset_records()
        if record.asset_entry.last_materialization_record
    }
    ended = dg.RunsFilter(statuses=_ENDED, updated_before=clock.now() - KEEP)
    records = instance.get_run_records(ended, limit=MOST_PER_RUN + len(needed), ascending=True)
    old = [run_id for record in records if (run_id := record.dagster_run.run_id) not in needed]
    for run_id in old:
        instance.delete_run(run_id)
    return len(old)


@dg.op(description="Deletes runs that ended more than 30 days ago, but for the last of each table.")
def delete_old_runs(context: dg.OpExecutionContext, clock: Clock) -> None:
    """Runs and their event logs go; of each table the run stays that made it as it is."""
    # What is dead but not ended would be kept for ever.
    end_dead_runs(context.instance, clock.now())
    context.log.info(f"{forget_old_runs(context.instance, clock)} runs deleted")


@dg.job(description="Keeps Dagster's own storage small: deletes runs that ended more than 30 days ago.")
def housekeeping() -> None:
    """Launched by a schedule, or by hand."""
    delete_old_runs()
