"""What every start does with runs whose process is gone, also if Dagster's record of one cannot be read."""

from __future__ import annotations

import io
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test
from rich.console import Console

from orchestration.commands.cut_off_runs import end_cut_off_runs
from orchestration.runs.dead_runs import locks_of
from orchestration.runs.instance import open_instance
from resources.settings import load_settings


@pytest.mark.parametrize(
    ("is_damaged", "said"),
    [
        (False, "(store_day) was cut off earlier: ended now, its places are free"),
        (True, "ending what was cut off failed: Dagster's record in "),
    ],
)
def test_a_dead_run_is_ended_or_said_and_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_damaged: bool, said: str
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    settings = load_settings({}, home=tmp_path)
    with open_instance(settings) as instance:
        run = create_run_for_test(instance, job_name="store_day", status=dg.DagsterRunStatus.STARTED)
        locks_of(instance).mkdir()
        (locks_of(instance) / run.run_id).write_text("1")
        instance.report_engine_event("begun", run)
    if is_damaged:
        for file in (settings.dagster_home / "history" / "runs").glob(f"{run.run_id}.db*"):
            file.write_bytes(b"x" * 5000)
    console = Console(file=io.StringIO(), width=400)
    with open_instance(settings) as instance:
        assert end_cut_off_runs(settings, instance, console) is not is_damaged
    assert isinstance(console.file, io.StringIO)
    assert said in console.file.getvalue()
