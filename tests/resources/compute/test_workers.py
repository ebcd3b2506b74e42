"""Worker processes: results in order, one thread each, and none left behind whatever kills their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from resources.compute.workers import work

REPOSITORY = Path(__file__).resolve().parents[3]


def threads_and_square(number: int) -> tuple[int, str | None, int]:
    return number * number, os.environ.get("OMP_NUM_THREADS"), os.getpid()


def fail(number: int) -> int:
    if number == 1:
        raise ValueError("one")
    return number


def test_results_come_in_the_order_of_the_tasks() -> None:
    heard: list[int] = []
    found = work(threads_and_square, [3, 1, 2], 2, lambda index, _result: heard.append(index))
    assert [square for square, _, _ in found.results] == [9, 1, 4]
    assert {threads for _, threads, _ in found.results} == {"1"}
    assert sorted(heard) == [0, 1, 2]
    assert found.core_seconds > 0
    assert os.getpid() not in {pid for _, _, pid in found.results}


def test_no_task_starts_no_process() -> None:
    assert work(fail, [], 2).results == ()


def test_an_exception_of_a_task_is_raised_here() -> None:
    with pytest.raises(ValueError, match="one"):
        work(fail, [0, 1], 2)


def test_no_orphan_when_the_parent_is_killed(tmp_path: Path) -> None:
    script = REPOSITORY / "tests" / "resources" / "compute" / "crash_worker.py"
    parent = subprocess.Popen(
        [sys.executable, str(script), str(tmp_path)], env={**os.environ, "PYTHONPATH": str(REPOSITORY)}
    )
    try:
        assert _until(lambda: len(list(tmp_path.iterdir())) == 2), "the workers did not start"
        pids = [int(path.name) for path in tmp_path.iterdir()]
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert _until(lambda: not any(_is_running(pid) for pid in pids)), "workers outlived their parent"
    finally:
        parent.kill()


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _until(condition: object, seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False
