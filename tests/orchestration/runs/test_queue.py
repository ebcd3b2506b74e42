"""Deletion never queues behind other runs, by Dagster's own queue with the dagster.yaml that ships and real runs."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test, create_test_daemon_workspace_context
from dagster._core.workspace.load_target import PythonFileTarget
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from orchestration.runs.instance import REPOSITORY
from orchestration.runs.queue import LANE_TAG, RETENTION_ASSETS, RETENTION_JOBS, Lane, lane_of

LOCATION = """
import socket
import dagster as dg
from orchestration.runs.launcher import watched_executor

def work(name, port):
    with socket.create_connection(("127.0.0.1", port)) as line:
        line.sendall(name.encode())
        line.recv(1)

@dg.job
def sweep():
    dg.op(name="sweeping")(lambda: work("sweep", PORT))()

@dg.job
def store_day():
    dg.op(name="decoding")(lambda: work("store_day", PORT))()

defs = dg.Definitions(jobs=[sweep, store_day], executor=watched_executor)
"""
ANSWERS_WITHIN_S = 120.0
"""A run that has not begun by then will not."""


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


@pytest.fixture
def at_work() -> Iterator[socket.socket]:
    """Where a run reports that its step works; it works until it hears something."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(ANSWERS_WITHIN_S)
        yield server


def test_a_sweep_starts_beside_two_long_runs_and_a_third_waits(tmp_path: Path, at_work: socket.socket) -> None:
    shutil.copyfile(REPOSITORY / "dagster.yaml", tmp_path / "dagster.yaml")
    code = tmp_path / "location.py"
    code.write_text(LOCATION.replace("PORT", str(at_work.getsockname()[1])))
    target = PythonFileTarget(str(code), None, str(REPOSITORY), "here")
    with (
        dg.DagsterInstance.from_config(str(tmp_path)) as instance,
        create_test_daemon_workspace_context(target, instance) as context,
        ExitStack() as calls,
    ):
        workspace = context.create_request_context()
        (location,) = workspace.code_locations
        daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)

        def submit(name: str) -> str:
            job = location.get_repository("__repository__").get_full_job(name)
            run = create_run_for_test(
                instance,
                name,
                status=dg.DagsterRunStatus.NOT_STARTED,
                remote_job_origin=job.get_remote_origin(),
                job_code_origin=job.get_python_origin(),
            )
            return instance.submit_run(run.run_id, workspace).run_id

        def look_at_the_queue() -> None:
            assert [error for error in daemon.run_iteration(context) if error] == []

        def next_at_work() -> tuple[str, socket.socket]:
            line = calls.enter_context(at_work.accept()[0])
            return line.recv(100).decode(), line

        def status(run_id: str) -> dg.DagsterRunStatus:
            run = instance.get_run_by_id(run_id)
            assert run is not None
            return run.status

        long = [submit("store_day") for _ in range(3)]
        look_at_the_queue()
        working = [next_at_work(), next_at_work()]
        assert [name for name, _ in working] == ["store_day", "store_day"]
        sweep = submit("sweep")
        look_at_the_queue()
        name, line = next_at_work()
        assert name == "sweep"
        lanes = {run.run_id: run.tags[LANE_TAG] for run in instance.get_runs()}
        assert lanes == {**dict.fromkeys(long, "ordinary"), sweep: "retention"}
        started, queued = dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.QUEUED
        assert sorted(status(run_id).value for run_id in long) == [queued.value, started.value, started.value]
        assert status(sweep) is started
        for _, each in (*working, (name, line)):
            each.sendall(b".")
