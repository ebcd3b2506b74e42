"""Dagster's own storage below OPENAISLE_HOME, set up from the repository's dagster.yaml."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import dagster as dg

from orchestration.runs.records import check_records
from resources.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]


def prepare_dagster_home(settings: Settings) -> Path:
    """Creates the folder, puts the current dagster.yaml into it and names it to Dagster. Returns the folder.

    Raises RecordsUnusable if what Dagster has there cannot be used.
    """
    home = settings.dagster_home
    home.mkdir(parents=True, exist_ok=True)
    unfinished = home / "dagster.yaml.unfinished"
    shutil.copyfile(REPOSITORY / "dagster.yaml", unfinished)
    unfinished.replace(home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    check_records(settings)
    return home


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance whose runs the UI shows. Raises RecordsUnusable."""
    return dg.DagsterInstance.from_config(str(prepare_dagster_home(settings)))
