"""Ends runs whose process is gone, and frees what they held. A killed process can't do it itself, Dagster's own
storage would keep its place in a pool for ever, and the step of every later run would wait for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.events import JobFailureData, RunFailureReason

from orchestration.runs.locks import Process, forget_all_but, process_of

UNSEEN_LIMIT = timedelta(minutes=2)
"""A run without a lock file is dead after this long: its process takes the lock before the first step, and starting
one takes seconds."""

# A queued run has no process that could be gone: the next daemon takes it from the queue.
UNFINISHED = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
_GONE = "The process that executed this run is gone: it was killed, or the machine went down."


@dataclass(frozen=True)
class DeadRun:
    """A run that was ended here, and the status that it had kept."""

    run_id: str
    job: str
    status: dg.DagsterRunStatus


def locks_of(instance: dg.DagsterInstance) -> Path:
    """The folder of the run locks, below Dagster's home."""
    return Path(instance.root_directory) / "run_locks"


def end_dead_runs(instance: dg.DagsterInstance, now: datetime) -> list[DeadRun]:
    """Marks dead runs failed (those being cancelled: cancelled), and frees the places of every run that has ended.

    `now`: UTC. Safe to call at any time, by several processes at once.
    """
    folder = locks_of(instance)
    dead = []
    records = instance.get_run_records(dg.RunsFilter(statuses=list(UNFINISHED)))
    for record in records:
        run = record.dagster_run
        if not is_gone(folder, run.run_id, now - record.update_timestamp):
            continue
        # It may have ended in order since the list was read.
        current = instance.get_run_by_id(run.run_id)
        if current is None or current.is_finished:
            continue
        end(instance, current)
        dead.append(DeadRun(run.run_id, run.job_name, current.status))
    free_places(instance)
    forget_all_but(folder, {record.dagster_run.run_id for record in records} - {run.run_id for run in dead})
    return dead


def is_gone(folder: Path, run_id: str, untouched: timedelta) -> bool:
    """Whether an unfinished run is dead. `untouched`: how long ago its status changed."""
    match process_of(folder, run_id):
        case Process.ALIVE:
            return False
        case Process.GONE:
            return True
        case _:
            return untouched > UNSEEN_LIMIT


def end(instance: dg.DagsterInstance, run: dg.DagsterRun, why: str = _GONE) -> None:
    """Marks an unfinished run failed, or cancelled if that was asked for, and frees its places."""
    if run.status is dg.DagsterRunStatus.CANCELING:
        instance.report_run_canceled(run, why)
    else:
        reason = JobFailureData(error=None, failure_reason=RunFailureReason.UNEXPECTED_TERMINATION)
        instance.report_run_failed(run, why, reason)
    instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)


def free_places(instance: dg.DagsterInstance) -> None:
    """Frees places in pools, and in the lines before them, of runs that have ended or are no longer recorded."""
    storage = instance.event_log_storage
    held = set(storage.get_concurrency_run_ids())
    for pool in storage.get_concurrency_keys():
        held |= storage.get_concurrency_info(pool).active_run_ids
    for run_id in held:
        run = instance.get_run_by_id(run_id)
        is_over = run is None or run.is_finished
        # A run that was forced to its end on paper may still be working.
        if is_over and process_of(locks_of(instance), run_id) is not Process.ALIVE:
            storage.free_concurrency_slots_for_run(run_id)
