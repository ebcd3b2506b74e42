"""`make run`, killed at random moments and finished by the next one: `python -m benchmarks.killed_runs --kills 30`.

Each trial lands the same store-day in a home of its own, starts `orchestration run`, sends it a signal (KILL, TERM and
INT in turn) at a random moment, and runs it again. Printed per trial: the signal, when it came, how long the stopped
process took to end, and how long the next run took beside an undisturbed one. What must hold is in `Trial.faults`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from lakehouse.contract import RetentionClass
from lakehouse.contracts import CONTRACTS
from lakehouse.tables.reader import scan
from resources.settings import load_settings

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
STUCK_S = 600.0
"""A run that takes longer than this waits for something that does not come."""
ENDS_WITHIN_S = 5.0
"""Within this time a run that was told to end has ended."""
EXPIRED = "s001/c1/2020-01-01T00Z/20200101T000000.000Z-0123456789abcdef.mp4"
"""A clip far past its limit, below the footage root."""


@dataclass(frozen=True)
class Trial:
    """One killed run and the one after it. Times in seconds."""

    signal: str
    killed_after_s: float
    ended_after_s: float
    finished_after_s: float
    faults: tuple[str, ...]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.killed_runs", description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        landed, undisturbed_s = prepare(Path(folder))
        _tell({"undisturbed_s": round(undisturbed_s, 1)})
        is_sound = True
        for trial in trials(Path(folder), landed, undisturbed_s, given.kills, given.seed):
            is_sound &= not trial.faults
            _tell(asdict(trial))
    return 0 if is_sound else 1


def _tell(row: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()


def prepare(folder: Path) -> tuple[Path, float]:
    """Lands a store-day below `folder` and takes it through a run. Returns the home as it was landed, and the seconds
    of the run; the finished home lies at folder/undisturbed."""
    landed, undisturbed = folder / "landed", folder / "undisturbed"
    # A home has swept before: in one that never has, an unsynchronised clock could not be told from a wrong one, and
    # nothing old would go before a person vouches for it.
    _command(landed, "orchestration", "run")
    _command(landed, "simulation", "land", "--home", str(landed))
    shutil.copytree(landed, undisturbed)
    started = time.monotonic()
    _command(undisturbed, "orchestration", "run")
    return landed, time.monotonic() - started


def trials(folder: Path, landed: Path, undisturbed_s: float, kills: int, seed: int) -> Iterator[Trial]:
    """The trials, one after the other; moments are drawn evenly over an undisturbed run."""
    draw = random.Random(seed)
    expected = contents(folder / "undisturbed")
    for number in range(kills):
        home = folder / f"trial-{number}"
        shutil.copytree(landed, home)
        expired = load_settings(home=home).footage_root / EXPIRED
        expired.parent.mkdir(parents=True)
        expired.write_bytes(b"old")
        yield _trial(home, SIGNALS[number % len(SIGNALS)], draw.uniform(0.5, undisturbed_s), expected, expired)
        shutil.rmtree(home)


def contents(home: Path) -> dict[str, str]:
    """Hash of every table's rows, in a fixed order, but for what a run enters about itself."""
    lake = load_settings(home=home).lake()
    found = {}
    for path, table in CONTRACTS.items():
        if table.retention is RetentionClass.LEDGER:
            continue
        rows = scan(lake, table).collect()
        rows = rows.sort([name for name in table.key if name in rows.columns])
        stable = rows.select(pl.col(sorted(rows.columns))).write_ipc(None, compat_level=pl.CompatLevel.oldest())
        found["/".join(path)] = hashlib.sha256(stable.getvalue()).hexdigest()
    return found


def _trial(home: Path, number: signal.Signals, after_s: float, expected: dict[str, str], expired: Path) -> Trial:
    killed = subprocess.Popen(
        _arguments(home, "orchestration", "run"), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    time.sleep(after_s)
    was_running = killed.poll() is None
    started = time.monotonic()
    killed.send_signal(number)
    _, said = killed.communicate(timeout=STUCK_S)
    ended_after_s = time.monotonic() - started
    faults = []
    if was_running and ended_after_s > ENDS_WITHIN_S:
        faults.append(f"ended {ended_after_s:.1f} s after {number.name}")
    if "Traceback" in said:
        faults.append("a traceback")
    if workers := _left_alive(home):
        faults.append(f"{workers} processes of the killed run live on")
    started = time.monotonic()
    try:
        _command(home, "orchestration", "run")
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        faults.append(f"the next run: {type(error).__name__}")
    finished_after_s = time.monotonic() - started
    if expired.exists():
        faults.append("an expired clip lives on")
    found = contents(home)
    faults += [f"{table} differs" for table in sorted(expected) if found[table] != expected[table]]
    return Trial(number.name, round(after_s, 1), round(ended_after_s, 1), round(finished_after_s, 1), tuple(faults))


def _left_alive(home: Path) -> int:
    """Processes that still work for a home, a moment after the run that started them has ended."""
    time.sleep(1.0)
    count = 0
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            count += f"OPENAISLE_HOME={home}\0".encode() in environment
    return count


def _arguments(home: Path, module: str, *arguments: str) -> list[str]:
    return ["/usr/bin/env", f"OPENAISLE_HOME={home}", sys.executable, "-m", module, *arguments]


def _command(home: Path, module: str, *arguments: str) -> None:
    subprocess.run(_arguments(home, module, *arguments), check=True, capture_output=True, timeout=STUCK_S)


if __name__ == "__main__":
    sys.exit(main())
