"""Parses the dbt project from nothing, and holds what Dagster knows of it against the result, as `make
check` does."""

from __future__ import annotations

from rich.console import Console

from assets.analytics.marts.dbt import DbtProjectInvalid, manifest
from assets.analytics.marts.dbt_graph import load_graph, reduce_manifest


def parse_project() -> int:
    """Returns the exit status and says what is wrong."""
    try:
        graph = reduce_manifest(manifest())
    except (DbtProjectInvalid, ValueError) as error:
        Console(stderr=True).print(str(error), markup=False)
        return 1
    if graph != load_graph():
        Console(stderr=True).print("the dbt project has changed: run `python -m assets.analytics`", markup=False)
        return 1
    Console().print(f"dbt project parses: {len(graph.marts)} marts, {len(graph.tests)} tests")
    return 0
