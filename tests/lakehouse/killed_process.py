"""A process that does one write, drop or migration and kills itself (SIGKILL) at its n-th step.

`python -m tests.lakehouse.killed_process ROOT SCENARIO STEP`; STEP -1 kills nothing and prints the step
names. Besides the steps that the engine reports, every rename of a finished file counts as one, before it
happens.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl

from lakehouse.contract import Column, TableContract
from lakehouse.lake import Lake
from lakehouse.tables.commit import Steps
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import append_once, replace_partition, upsert
from lakehouse.upkeep.expired_hours import drop_expired
from lakehouse.upkeep.migrations import Migration, migrate
from tests.lakehouse.small_tables import CARDS, DAY, INFO, LEDGER, NOW, SIGHTS, sights, totals

HOURS = list(DAY.capture_hours[:3])
TWO_HOURS_GONE = DAY.start_at + timedelta(hours=1 + 71, minutes=30)
NEW_SIGHTS = replace(
    SIGHTS,
    version=2,
    columns=(*SIGHTS.columns, Column("weight_kg", pl.Float64, "Added later.", "kg", nullable=True)),
)
ADD_WEIGHT = Migration(SIGHTS.path, 1, lambda rows: rows.with_columns(weight_kg=pl.lit(None, pl.Float64)))

Action = Callable[[Lake, Steps], object]


def _replace(seed: int) -> Action:
    partition = DAY.partition(SIGHTS)
    return lambda lake, steps: replace_partition(
        lake, SIGHTS, sights(HOURS, seed=seed), partition, commit=INFO, now=NOW, steps=steps
    )


def _append(rows: dict[int, int]) -> Action:
    return lambda lake, steps: append_once(lake, LEDGER, totals(rows), commit=INFO, now=NOW, steps=steps)


def _upsert(rows: dict[int, int]) -> Action:
    return lambda lake, steps: upsert(lake, CARDS, totals(rows), commit=INFO, now=NOW, steps=steps)


def _drop(lake: Lake, steps: Steps) -> object:
    return drop_expired(lake, SIGHTS, commit=INFO, now=TWO_HOURS_GONE, steps=steps)


def _migrate(lake: Lake, steps: Steps) -> object:
    return migrate(lake, NEW_SIGHTS, commit=INFO, now=NOW, migrations=(ADD_WEIGHT,), steps=steps)


def _nothing(lake: Lake, steps: Steps) -> None:
    pass


SCENARIOS: dict[str, tuple[TableContract, Action, Action]] = {
    "first write": (SIGHTS, _nothing, _replace(0)),
    "replace": (SIGHTS, _replace(0), _replace(1)),
    "append": (LEDGER, _append({1: 10, 2: 20}), _append({2: 99, 3: 30})),
    "upsert": (CARDS, _upsert({1: 10, 2: 20}), _upsert({2: 99, 3: 30})),
    "drop": (SIGHTS, _replace(0), _drop),
    "migrate": (SIGHTS, _replace(0), _migrate),
}
"""Per scenario the table, what was there before, and the action that is killed."""


class Killer:
    """Counts steps; at the chosen one the process dies."""

    def __init__(self, chosen: int) -> None:
        self.chosen = chosen
        self.seen: list[str] = []

    def __call__(self, step: str) -> None:
        if len(self.seen) == self.chosen:
            os.kill(os.getpid(), signal.SIGKILL)
        self.seen.append(step)


def main(root: str, scenario: str, chosen: int) -> None:
    killer = Killer(chosen)
    rename = Path.replace

    def rename_as_step(self: Path, target: Any) -> Path:
        killer("about to rename")
        return rename(self, target)

    Path.replace = rename_as_step  # type: ignore[method-assign, assignment]
    SCENARIOS[scenario][2](Lake(root), killer)
    sys.stdout.write("\n".join(killer.seen))


def content(lake: Lake, contract: TableContract) -> pl.DataFrame:
    """The table's rows in the order of its key."""
    return scan(lake, contract).collect().sort(contract.key)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
