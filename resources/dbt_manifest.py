"""dbt's manifest, parsed anew when the dbt project has changed. Dagster reads from it which models and tests exist."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DBT_PROJECT = Path(__file__).resolve().parent.parent / "dbt_project"
_SOURCES = ("*.yml", "*.sql", "*.md")


class DbtProjectInvalid(Exception):
    """dbt could not parse the project; the message is dbt's own, about files of the project."""


def prepare_manifest(project: Path = DBT_PROJECT) -> Path:
    """Path of a manifest that fits the project's files as they are.

    The location must load on a fresh clone in an empty environment, and a manifest in the repository would carry the
    path of the machine it was made on: so it is made at the first load (some seconds) and kept in target/ under the
    hash of what it was made from. Two processes that do this at once both end with the same file.
    """
    place = project / "target" / f"manifest-{_digest(project)}.json"
    if not place.exists():
        parse(project, place)
    return place


def parse(project: Path, place: Path) -> None:
    """Parses the project and puts its manifest at `place`. Raises DbtProjectInvalid."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        command = [sys.executable, "-m", "dbt.cli.main", "--no-send-anonymous-usage-stats", "--no-partial-parse", "parse"]
        folders = ["--project-dir", project, "--profiles-dir", project, "--target-path", scratch, "--log-path", scratch]
        environment = {"PATH": os.defpath, "HOME": scratch, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            [*command, *map(str, folders)], capture_output=True, text=True, check=False, env=environment
        )
        if done.returncode:
            raise DbtProjectInvalid(done.stdout[-2000:] or done.stderr[-2000:])
        for old in place.parent.glob("manifest-*.json"):
            old.unlink(missing_ok=True)
        shutil.move(Path(scratch) / "manifest.json", place)


def _digest(project: Path) -> str:
    digest = hashlib.sha256()
    target = project / "target"
    for pattern in _SOURCES:
        for path in sorted(project.rglob(pattern)):
            if target in path.parents:
                continue
            digest.update(str(path.relative_to(project)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]
