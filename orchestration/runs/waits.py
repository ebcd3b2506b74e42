"""What a run waits for: the pool, and the run that holds its place."""

from __future__ import annotations

from datetime import datetime

import dagster as dg

from orchestration.runs import locks
from orchestration.runs.dead_runs import locks_of


def waits_for(instance: dg.DagsterInstance, run_id: str) -> str | None:
    """One sentence on the pool that a run waits for, and who holds it since when; None if it waits for none."""
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
