"""`python -m benchmarks [--json] [--landing DIR] [--pets DIR]`: cost of the vision chain and its peers, and
the trackers' scores.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from evaluation.stdout import libraries_to_stderr

ROOT = Path(__file__).resolve().parent.parent
LANDING = ROOT / "simulation" / "store_day" / "landing"
PETS = ROOT.parent / "shared" / "data" / "tracking" / "PETS09-S2L1"
PACKAGES = (
    "openvino",
    "opencv-python-headless",
    "numpy",
    "scipy",
    "polars",
    "trackers",
    "norfair",
    "trackeval",
)
LOOPS = ("decode", "ours", "naive")


def versions() -> dict[str, str]:
    """Versions of what was measured."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def processor() -> str:
    """The processor's name, as the system gives it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def loop(name: str, landing: Path) -> dict[str, Any]:
    """One loop over the footage in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.chain", name, str(landing)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {
            "error": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}"
        }
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def measure(chosen: argparse.Namespace) -> dict[str, Any]:
    """The parts that were asked for, by name."""
    result: dict[str, Any] = {"processor": processor(), "cores": os.cpu_count(), "versions": versions()}
    if chosen.only != "tracking":
        result["store_day"] = {name: loop(name, chosen.landing) for name in LOOPS}
    if chosen.only != "chain":
        if (chosen.pets / "det.txt").is_file():
            from benchmarks.pets import compare

            result["pets09_s2l1"] = compare(chosen.pets)
        else:
            result["pets09_s2l1"] = {"skipped": "the sequence is not there; it may not be shipped (non-commercial)"}
    return result


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--landing", type=Path, default=LANDING, help="landing folder of a store-day")
    parser.add_argument("--pets", type=Path, default=PETS, help="folder with vtest.avi, gt.txt and det.txt")
    parser.add_argument("--json", action="store_true", help="print one JSON object only")
    parser.add_argument("--only", choices=("chain", "tracking"), help="measure only this part")
    chosen = parser.parse_args()
    with libraries_to_stderr():
        result = measure(chosen)
    if chosen.json:
        print(json.dumps(result))
        return 0
    print(json.dumps({key: result[key] for key in ("processor", "cores", "versions")}, indent=1))
    for part in ("store_day", "pets09_s2l1"):
        for name, row in result.get(part, {}).items():
            print(f"{part:>12}  {name:<20} {json.dumps(row)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
