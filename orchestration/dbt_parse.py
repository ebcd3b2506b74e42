"""Parses the dbt project from nothing, as `make check` does."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console

from resources.dbt_manifest import DBT_PROJECT, DbtProjectInvalid, parse


def parse_project() -> int:
    """Returns the exit status and says what dbt said if it failed."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            parse(DBT_PROJECT, Path(scratch) / "manifest.json")
        except DbtProjectInvalid as error:
            Console(stderr=True).print(str(error), markup=False)
            return 1
    Console().print("dbt project parses")
    return 0
