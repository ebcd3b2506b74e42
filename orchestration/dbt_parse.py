"""Parses the dbt project, so that `make check` finds a broken model without building anything."""

from __future__ import annotations


def parse() -> int:
    """Returns the exit status. Raises what dbt raises, with dbt's own message."""
    from resources.dbt_manifest import prepare_manifest  # noqa: PLC0415 - imports dbt

    prepare_manifest()
    return 0
