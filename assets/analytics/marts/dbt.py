"""dbt in a process of its own: parses the project, builds and tests the marts, and says what came of every
node.

dbt's messages may quote a value that a cast could not read, so none is passed on: only states, counts and
seconds.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DBT_PROJECT = Path(__file__).resolve().parents[3] / "dbt_project"

_PR_SET_PDEATHSIG = 1
_KIND = re.compile(r"\b([A-Z][A-Za-z]+(?: [A-Z][A-Za-z]+)? Error)\b")


class DbtProjectInvalid(Exception):
    """dbt could not parse the project; the message is dbt's own, about files of the project."""


class DbtStopped(Exception):
    """dbt ended without results; the message is its exit status. Holds nothing of what dbt said."""


@dataclass(frozen=True)
class NodeResult:
    """What came of one model or test. `failures`: rows that a test objects to, None where it found nothing
    out. `error_kind`: the kind of error that dbt names, without its text."""

    unique_id: str
    status: str
    failures: int | None
    seconds: float
    error_kind: str

    @property
    def is_good(self) -> bool:
        """Built, passed, or passed with a warning."""
        return self.status in ("success", "pass", "warn")

    @property
    def found_nothing_out(self) -> bool:
        """It raised or was skipped, which says nothing about the data."""
        return self.status not in ("success", "pass", "warn", "fail")


def build(project: Path, profiles: Path, scratch: Path, variables: Mapping[str, str]) -> dict[str, NodeResult]:
    """Builds every model and runs every test, in dependency order. Returns the results by dbt's unique id.

    A failed test is a result; nodes behind it are skipped. `profiles` holds the profiles.yml, `scratch` takes
    what dbt leaves behind. Raises DbtStopped.
    """
    done = _dbt(["build", "--vars", json.dumps(dict(variables))], project, profiles, scratch)
    try:
        results = json.loads((scratch / "run_results.json").read_text(encoding="utf-8"))["results"]
    except FileNotFoundError:
        raise DbtStopped(f"dbt ended with status {done.returncode} before it ran anything") from None
    if not results:
        raise DbtStopped(f"dbt ended with status {done.returncode} and no result")
    return {result["unique_id"]: _result(result) for result in results}


def manifest(project: Path = DBT_PROJECT) -> dict[str, Any]:
    """dbt's manifest of the project as it is. Raises DbtProjectInvalid."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        done = _dbt(["parse"], project, project, scratch)
        if done.returncode:
            raise DbtProjectInvalid(done.stdout[-2000:] or done.stderr[-2000:])
        found: dict[str, Any] = json.loads((scratch / "manifest.json").read_text(encoding="utf-8"))
        return found


def _dbt(arguments: list[str], project: Path, profiles: Path, scratch: Path) -> subprocess.CompletedProcess[str]:
    """Runs dbt with nothing of this process's environment and no word to its makers."""
    command = [sys.executable, "-m", "dbt.cli.main", "--no-send-anonymous-usage-stats", "--no-partial-parse"]
    folders = {
        "--project-dir": project,
        "--profiles-dir": profiles,
        "--target-path": scratch,
        "--log-path": scratch,
    }
    options = [text for name, folder in folders.items() for text in (name, str(folder))]
    environment = {
        "PATH": os.defpath,
        "HOME": str(scratch),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        # The build's folder, not the current one: the caller's may hold a package named as one of dbt's.
        "PYTHONSAFEPATH": "1",
    }
    return subprocess.run(
        [*command, *arguments, *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=scratch,
        env=environment,
        preexec_fn=_die_with_parent,
    )


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _result(raw: Mapping[str, Any]) -> NodeResult:
    kind = _KIND.search(raw.get("message") or "") if raw["status"] in ("error", "fail") else None
    return NodeResult(
        unique_id=raw["unique_id"],
        status=raw["status"],
        failures=raw.get("failures"),
        seconds=float(raw.get("execution_time") or 0.0),
        error_kind=kind[1].replace(" ", "") if kind else "",
    )
