"""A run whose process was killed while a step held a pool's place is ended, and the place is free again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from orchestration.runs.dead_runs import end_dead_runs, locks_of
from orchestration.runs.locks import Process, hold, process_of
from orchestration.runs.queue import RETENTION_ASSETS, RETENTION_JOBS, Lane, lane_of

REPOSITORY = Path(__file__).resolve().parents[3]
HOLDER = """
import sys, time
from pathlib import Path
from orchestration.runs.locks import hold
with hold(Path(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_killed_run_is_ended_and_its_place_is_free(tmp_path: Path) -> None:
    @dg.job
    def decoding() -> None: ...

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        run = instance.create_run_for_job(decoding, status=dg.DagsterRunStatus.STARTED)
        storage = instance.event_log_storage
        storage.set_concurrency_slots("footage", 1)
        storage.claim_concurrency_slot("footage", run.run_id, "clip_analysis")
        command = [sys.executable, "-c", HOLDER, str(locks_of(instance)), run.run_id]
        with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            assert end_dead_runs(instance, datetime.now(UTC)) == []
            os.kill(holder.pid, signal.SIGKILL)
            holder.wait()
        assert [dead.run_id for dead in end_dead_runs(instance, datetime.now(UTC))] == [run.run_id]
        ended = instance.get_run_by_id(run.run_id)
        assert ended is not None
        assert ended.status is dg.DagsterRunStatus.FAILURE
        assert storage.claim_concurrency_slot("footage", "another", "clip_analysis").is_claimed


def test_a_lock_that_was_let_go_in_order_leaves_no_file(tmp_path: Path) -> None:
    with hold(tmp_path, "a"):
        assert process_of(tmp_path, "a") is Process.ALIVE
    assert process_of(tmp_path, "a") is Process.UNSEEN


@pytest.mark.parametrize(
    ("job", "assets", "lane"),
    [
        (min(RETENTION_JOBS), None, Lane.RETENTION),
        ("__ASSET_JOB", RETENTION_ASSETS, Lane.RETENTION),
        ("__ASSET_JOB", None, Lane.ORDINARY),
        ("store_day", {dg.AssetKey(["vision", "tracks"])}, Lane.ORDINARY),
    ],
)
def test_only_the_sweep_is_in_the_lane_of_retention(job: str, assets: set[dg.AssetKey] | None, lane: Lane) -> None:
    assert lane_of(job, assets) is lane


def test_the_sweep_passes_two_busy_runs(tmp_path: Path) -> None:
    """Dagster's own queue, with the dagster.yaml that ships."""
    from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
    from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

    from orchestration.runs.instance import REPOSITORY as SHIPPED
    from orchestration.runs.queue import LANE_TAG

    @dg.job
    def some_job() -> None: ...

    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "repository"), "some_job")
    (tmp_path / "dagster.yaml").write_text((SHIPPED / "dagster.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:

        def made(status: dg.DagsterRunStatus, lane: Lane) -> str:
            return instance.create_run_for_job(
                some_job, status=status, tags={LANE_TAG: lane.value}, remote_job_origin=origin
            ).run_id

        for _ in range(2):
            made(dg.DagsterRunStatus.STARTED, Lane.ORDINARY)
        made(dg.DagsterRunStatus.QUEUED, Lane.ORDINARY)
        sweep = made(dg.DagsterRunStatus.QUEUED, Lane.RETENTION)
        daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
        found = daemon._get_runs_to_dequeue(instance, instance.get_concurrency_config(), None)
        assert [run.run_id for run in found] == [sweep]
