"""kill -9 at every step of every kind of write: old or new, never a mix; a rerun heals; nothing is left
behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from lakehouse.contract import TableContract
from lakehouse.errors import ContractVersionMismatch, TableDamaged
from lakehouse.lake import Lake
from lakehouse.leases.hold import hold_lease
from lakehouse.tables.commit import no_steps
from lakehouse.tables.commit_notes import read_note
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import replace_partition
from lakehouse.upkeep.log_trimming import trim_logs
from tests.lakehouse.killed_process import HOURS, NEW_SIGHTS, SCENARIOS, Killer, content
from tests.lakehouse.small_tables import DAY, INFO, NOW, SIGHTS, data_files, sights

REPOSITORY = Path(__file__).parents[2]


def start(root: Path, scenario: str, step: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.lakehouse.killed_process", str(root), scenario, str(step)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
    )


def steps_of(scenario: str, folder: Path) -> int:
    """How many steps the action has; the renames are those of the files and of nothing else."""
    _, before, act = SCENARIOS[scenario]
    lake = Lake(str(folder / "counting"))
    before(lake, no_steps)
    killer = Killer(-1)
    act(lake, killer)
    return (
        len(killer.seen)
        + killer.seen.count("file written")
        + sum(killer.seen.count(step) for step in ("noted", "mark noted"))
    )


def read(lake: Lake, contract: TableContract) -> pl.DataFrame:
    try:
        return content(lake, contract)
    except ContractVersionMismatch:
        return content(lake, NEW_SIGHTS)


def states(scenario: str, folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    contract, before, act = SCENARIOS[scenario]
    lake = Lake(str(folder / "whole"))
    before(lake, no_steps)
    old = read(lake, contract)
    act(lake, no_steps)
    return old, read(lake, contract)


def assert_nothing_left(process: subprocess.Popen[str]) -> None:
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_at_every_step(scenario: str, tmp_path: Path) -> None:
    contract, before, act = SCENARIOS[scenario]
    old, new = states(scenario, tmp_path)
    count = steps_of(scenario, tmp_path)
    assert count >= 5
    outcomes = set()
    for step in range(count):
        lake = Lake(str(tmp_path / f"step-{step}"))
        before(lake, no_steps)
        process = start(Path(lake.root), scenario, step)
        _, complaint = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, f"step {step} was not reached: {complaint}"
        assert_nothing_left(process)

        with hold_lease(lake, contract, wait_s=0.0):
            pass  # a killed holder holds nothing
        found = migrated_or_not(lake) if scenario == "migrate" else read(lake, contract)
        assert found.equals(old) or found.equals(new), f"a mix after step {step}"
        outcomes.add("new" if found.equals(new) else "old")

        act(lake, no_steps)
        assert read(lake, contract).equals(new), f"no healing after step {step}"
        healed, note = lake.open(contract), read_note(lake, contract)
        assert healed is not None
        assert note is not None
        assert note.version == healed.version(), f"the note is behind after step {step}"
        trim_logs(lake, [contract], pause_s=0.0)
        table = lake.open(contract)
        assert table is not None
        live = set(pl.DataFrame(table.get_add_actions()).get_column("path"))
        assert data_files(Path(lake.uri(contract))) == live, f"leftovers after step {step}"
    assert outcomes == {"old", "new"}


@pytest.mark.parametrize("lost", [1, 2])
def test_a_drop_from_a_damaged_table_killed_at_every_step_hides_no_damage(lost: int, tmp_path: Path) -> None:
    """A drop commits: a log that lacks an entry must not grow until it fits its note again."""
    _, before, act = SCENARIOS["drop"]

    def damaged(lake: Lake) -> None:
        before(lake, no_steps)
        for seed in range(1, lost + 1):
            rows = sights(HOURS, seed=seed)
            replace_partition(lake, SIGHTS, rows, DAY.partition(SIGHTS), commit=INFO, now=NOW)
        for version in range(2, 2 + lost):
            (Path(lake.uri(SIGHTS)) / "_delta_log" / f"{version:020d}.json").unlink()

    counting = Lake(str(tmp_path / "counting"))
    damaged(counting)
    killer = Killer(-1)
    act(counting, killer)
    for step in range(len(killer.seen)):
        lake = Lake(str(tmp_path / f"step-{step}"))
        damaged(lake)
        process = start(Path(lake.root), "drop", step)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        for _ in range(2):
            with pytest.raises(TableDamaged, match="its log ends at"):
                scan(lake, SIGHTS)
            act(lake, no_steps)
        assert not any(HOURS[0] in name for name in data_files(Path(lake.uri(SIGHTS))))


def migrated_or_not(lake: Lake) -> pl.DataFrame:
    """A migration killed between its two commits has the new rows under the old version number."""
    table = lake.open(SIGHTS)
    assert table is not None
    rows = pl.DataFrame(table.to_pyarrow_table()).sort(SIGHTS.key)
    columns = NEW_SIGHTS if "weight_kg" in rows.columns else SIGHTS
    return rows.select(list(columns.schema)).cast(dict(columns.schema))  # type: ignore[arg-type]


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """Between the steps lies native code: here the clock decides, not a hook."""
    lake = Lake(str(tmp_path / "lake"))
    partition = DAY.partition(SIGHTS)
    replace_partition(lake, SIGHTS, sights(HOURS), partition, commit=INFO, now=NOW)
    known = [content(lake, SIGHTS), sights(HOURS, seed=1).sort(SIGHTS.key)]
    moments = random.Random(7)
    started = time.monotonic()
    process = start(Path(lake.root), "replace", -1)
    process.communicate(timeout=60)
    whole_s = time.monotonic() - started
    for _ in range(8):
        replace_partition(lake, SIGHTS, sights(HOURS), partition, commit=INFO, now=NOW)
        process = start(Path(lake.root), "replace", -1)
        # The first part of its life is imports; the write is near the end.
        time.sleep(whole_s * moments.uniform(0.7, 1.0))
        process.kill()
        process.communicate(timeout=60)
        assert_nothing_left(process)
        found = content(lake, SIGHTS)
        assert any(found.equals(one) for one in known)
    replace_partition(lake, SIGHTS, sights(HOURS, seed=1), partition, commit=INFO, now=NOW)
    assert content(lake, SIGHTS).equals(known[1])
