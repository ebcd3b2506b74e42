"""`orchestration run` as a person starts it: deletion comes first, a job that fails stops no other, a signal ends it in
order."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from benchmarks.killed_runs import EXPIRED
from lakehouse.contracts.store_reference import STORES
from lakehouse.leases.hold import hold_lease
from lakehouse.leases.holder import THIS_PROCESS
from orchestration.__main__ import main
from orchestration.runs.dead_runs import UNFINISHED, locks_of
from orchestration.runs.instance import open_instance
from orchestration.runs.locks import Process, process_of
from resources.settings import Settings, load_settings
from tests.e2e.tiny_store import land_reference

REPOSITORY = Path(__file__).resolve().parents[3]
LAST_WORDS = "nothing is lost, the next start goes on from here"


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The command names its home to Dagster and its run to leases, and takes the signals: all is put back."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    monkeypatch.setattr(THIS_PROCESS, "run_id", "")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a run has been and nothing has landed."""
    home = tmp_path_factory.mktemp("begun")
    command = [sys.executable, "-m", "orchestration", "--home", str(home), "run"]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, timeout=300)
    return home


@pytest.fixture
def settings(begun: Path, tmp_path: Path) -> Settings:
    shutil.copytree(begun, tmp_path / "home")
    return load_settings(home=tmp_path / "home")


def runs_of(settings: Settings) -> list[dg.DagsterRun]:
    """First to last."""
    with open_instance(settings) as instance:
        return [record.dagster_run for record in instance.get_run_records(ascending=True)]


def test_with_nothing_landed_it_sweeps_first(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    before = len(runs_of(settings))
    expired = settings.footage_root / EXPIRED
    expired.parent.mkdir(parents=True)
    expired.write_bytes(b"old")
    assert main(["--home", str(settings.home), "run"]) == 0
    assert not expired.exists()
    jobs = [run.job_name for run in runs_of(settings)[before:]]
    assert jobs[0] == "sweep"
    assert set(jobs[1:]) <= {"sweep", "deliveries"}
    assert "nothing new has landed" in capsys.readouterr().out


def test_a_job_that_fails_is_named_and_stops_no_other(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    before = len(runs_of(settings))
    landing = settings.landing_root
    land_reference(landing)
    # A table whose log is gone: nobody else reads it today.
    table = settings.home / "lake" / "orders" / "slot_views"
    table.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(table / "_delta_log", ignore_errors=True)
    (table / "part-0.parquet").touch()
    decision = landing / "reviews" / "2026-11-22.jsonl"
    decision.parent.mkdir(parents=True)
    decision.write_text("{}\n")
    assert main(["--home", str(settings.home), "run"]) == 1
    said = capsys.readouterr().out
    assert "orders/slot_views: data files lie there without a log" in " ".join(said.split())
    (last,) = [line for line in said.splitlines() if line.startswith("failed: ")]
    assert "reference data and history" in last
    succeeded = {run.job_name: run.status is dg.DagsterRunStatus.SUCCESS for run in runs_of(settings)[before:]}
    assert succeeded.pop("reference") is False
    assert succeeded.keys() >= {"sweep", "review", "deliveries"}
    assert all(succeeded.values())
    assert not decision.exists()


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_signal_ends_it_in_order_in_the_middle_of_a_step(
    settings: Settings, number: signal.Signals, name: str
) -> None:
    """The step waits for a lease, which it would for two minutes, and says who holds it. The last words prove that the
    process ended by itself: when its time is up it is ended without a word."""
    land_reference(settings.landing_root)
    command = [sys.executable, "-m", "orchestration", "--home", str(settings.home), "run"]
    pipe = subprocess.PIPE
    with hold_lease(settings.lake(), STORES), subprocess.Popen(
        command, cwd=REPOSITORY, stdout=pipe, stderr=pipe, text=True
    ) as process:  # fmt: skip
        assert process.stdout is not None
        waits = f"waits for the lease of orders/stores, held by process {os.getpid()} since "
        assert any(waits in line for line in process.stdout), "it ended without waiting"
        (working,) = [run for run in runs_of(settings) if run.status in UNFINISHED]
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert f"stopped by {name}: {LAST_WORDS}" in out
    assert "Traceback" not in out + err
    with open_instance(settings) as instance:
        ended = instance.get_run_by_id(working.run_id)
        assert ended is not None
        assert ended.status is dg.DagsterRunStatus.CANCELED
        assert process_of(locks_of(instance), working.run_id) is not Process.ALIVE
    assert not [run for run in runs_of(settings) if run.status in UNFINISHED]
