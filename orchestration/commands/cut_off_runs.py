"""What every start does first: ends the runs whose process is gone, and says which."""

from __future__ import annotations

import dagster as dg
from rich.console import Console
from rich.markup import escape

from orchestration.runs.dead_runs import end_dead_runs
from orchestration.runs.records import explained
from resources.clock import Clock
from resources.settings import Settings
from resources.steps.declare import kind_and_place


def end_cut_off_runs(settings: Settings, instance: dg.DagsterInstance, console: Console) -> bool:
    """Ends dead runs and tells of each. What of Dagster's record cannot be used is said, and stops nothing: the sweep
    needs none of these runs. Returns whether all went well."""
    try:
        dead = end_dead_runs(instance, Clock().now())
    except Exception as error:  # noqa: BLE001 - of whatever kind: the caller goes on
        why = explained(settings, error) or kind_and_place(error)
        console.print(f"[red]ending what was cut off failed[/red]: {escape(why)}", highlight=False)
        return False
    for run in dead:
        console.print(
            f"run {run.run_id[:8]} ({run.job}) was cut off earlier: ended now, its places are free",
            markup=False,
            highlight=False,
        )
    return True
