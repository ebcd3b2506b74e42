"""The shipped store-day through whole runs, against misfortune: bad deliveries beside it, and signals in the middle.
Thirty signals: `python -m benchmarks.killed_runs`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from benchmarks.killed_runs import contents, prepare, trials
from tests.e2e.bad_deliveries import land_every_kind

pytestmark = pytest.mark.long
KILLS = 5


@dataclass(frozen=True)
class Undisturbed:
    """A folder with two homes, one in which the day has landed and one that a run has finished, and how long that
    run took in seconds."""

    folder: Path
    landed: Path
    seconds: float


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("whole")
    landed, seconds = prepare(folder)
    return Undisturbed(folder, landed, seconds)


def test_what_a_signal_cuts_off_is_finished_by_the_next_run(undisturbed: Undisturbed) -> None:
    done = trials(undisturbed.folder, undisturbed.landed, undisturbed.seconds, KILLS, seed=2)
    faults = {f"{trial.signal} after {trial.killed_after_s} s": trial.faults for trial in done}
    assert len(faults) == KILLS
    assert not any(faults.values()), faults


def reasons(home: Path) -> Iterator[tuple[str, str]]:
    """File as it was delivered, and reason, of everything that was refused."""
    for found in (home / "landing" / "rejected").rglob("*.reason.json"):
        record = json.loads(found.read_bytes())
        yield from ((record["source"], line["reason"]) for line in record["lines"])


def test_bad_deliveries_beside_a_good_day_change_nothing_of_it(undisturbed: Undisturbed, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(undisturbed.landed, home)
    landed = json.loads((home / "landing" / "store_day_offset.json").read_bytes())
    deliveries = land_every_kind(home / "landing", "s001", date.fromisoformat(landed["store_dates"][0]))
    done = subprocess.run(
        [sys.executable, "-m", "orchestration", "run"],
        env=os.environ | {"OPENAISLE_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert contents(home) == contents(undisturbed.folder / "undisturbed")
    refused = set(reasons(home))
    for delivery in deliveries:
        if delivery.reason is None:
            assert (home / "landing" / delivery.path).exists(), "it waits"
            continue
        assert (delivery.path, delivery.reason) in refused or delivery.path.endswith(".mp4")
        assert not (home / "landing" / delivery.path).exists()
    assert (home / "landing" / "elsewhere.mp4").read_bytes() == b"not to be touched"
