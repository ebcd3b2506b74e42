"""A run whose process was killed while a step held a pool's place is ended, and the place is free again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from orchestration.runs.dead_runs import end_dead_runs, locks_of
from orchestration.runs.locks import Process, hold, process_of

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
