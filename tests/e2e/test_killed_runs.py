"""A run that is killed in the middle is finished by the next. Thirty of them: `python -m benchmarks.killed_runs`."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.killed_runs import prepare, trials

KILLS = 5


@pytest.mark.long
def test_what_a_signal_cuts_off_is_finished_by_the_next_run(tmp_path: Path) -> None:
    landed, undisturbed_s = prepare(tmp_path)
    faults = {
        f"{trial.signal} after {trial.killed_after_s} s": trial.faults
        for trial in trials(tmp_path, landed, undisturbed_s, KILLS, seed=2)
    }
    assert len(faults) == KILLS
    assert not any(faults.values()), faults
