"""What a run waits for, and who holds it: a table's lease, or a place in a pool."""

from __future__ import annotations

from datetime import datetime

import dagster as dg

from lakehouse.leases.attempts import Wait, current_waits
from orchestration.runs import locks
from orchestration.runs.dead_runs import locks_of


def waits_for(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """One sentence on what a run of this process waits for, and who holds it since when; None if it waits for
    nothing."""
    for wait in current_waits():
        return f"waits for the lease of {wait.table}, {_held(instance, wait)}"
    storage = instance.event_log_storage
    for pool in sorted(storage.get_concurrency_keys()):
        info = storage.get_concurrency_info(pool)
        waiting = any(step.run_id == run_id and step.assigned_timestamp is None for step in info.pending_steps)
        if not waiting:
            continue
        since = {(step.run_id, step.step_key): step.assigned_timestamp for step in info.pending_steps}
        holders = [
            _holder(instance, slot.run_id, since.get((slot.run_id, slot.step_key))) for slot in info.claimed_slots
        ]
        return f"waits for the pool {pool}, held by {', '.join(holders) or 'a run that is just starting'}"
    return None


def _held(instance: dg.DagsterInstance, wait: Wait) -> str:
    by = wait.holder
    # A run on another machine is on another record, and a command is no run.
    if by is None or not by.run_id or not instance.has_run(by.run_id):
        return wait.words
    return f"held by {_holder(instance, by.run_id, by.since)}"


def _holder(instance: dg.DagsterInstance, run_id: str, since: datetime | None) -> str:
    run = instance.get_run_by_id(run_id)
    words = [f"run {run_id[:8]}"]
    known = [run.job_name] if run else []
    if pid := locks.process_id(locks_of(instance), run_id):
        known.append(f"process {pid}")
    if known:
        words.append(f"({', '.join(known)})")
    if since:
        words.append(f"since {since:%H:%M:%S} UTC")
    return " ".join(words)
