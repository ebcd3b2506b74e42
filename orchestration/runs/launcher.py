"""How the daemon's runs are executed and watched. dagster.yaml names the launcher, the code location the executor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import dagster as dg
from dagster._core.definitions.executor_definition import IN_PROC_CONFIG
from dagster._core.execution.retries import RetryMode
from dagster._core.executor.in_process import InProcessExecutor
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus

from lakehouse.leases.holder import THIS_PROCESS
from orchestration.runs import locks
from orchestration.runs.dead_runs import is_gone, locks_of
from resources.clock import Clock


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's launcher, which lets run monitoring ask whether the process of a run lives: the default one can't say,
    so that monitoring would never end a run whose process is gone."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Run monitoring asks for STARTED runs, also those that `orchestration run` executes."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """RUNNING while the run's lock is held, NOT_FOUND when its process is gone."""
        record = self._instance.get_run_record_by_id(run.run_id)
        untouched = Clock().now() - record.update_timestamp if record else timedelta.max
        if is_gone(locks_of(self._instance), run.run_id, untouched):
            return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the process that executed it is gone")
        return CheckRunHealthResult(WorkerStatus.RUNNING)


class _WatchedExecutor(InProcessExecutor):
    """Executes the steps in the run's own process, under the run's lock."""

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[dg.DagsterEvent]:
        # Until the process ends: the run's end is written after the executor has returned.
        locks.hold_until_exit(locks_of(plan_context.instance), plan_context.run_id)
        THIS_PROCESS.run_id = plan_context.run_id
        yield from super().execute(plan_context, execution_plan)


@dg.executor(name="in_process", config_schema=IN_PROC_CONFIG)
def watched_executor(context: dg.InitExecutorContext) -> InProcessExecutor:
    """`in_process` of Dagster, with a lock that says that the run lives."""
    config = context.executor_config
    return _WatchedExecutor(
        retries=RetryMode.from_config(config["retries"]),  # type: ignore[arg-type]
        marker_to_close=config.get("marker_to_close"),  # type: ignore[arg-type]
    )
