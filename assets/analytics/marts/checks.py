"""dbt's marts and tests as Dagster's assets and checks."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from assets.analytics.marts.dbt_graph import DbtGraph, Mart, MartColumn

DOMAIN = "analytics"
FIT_CHECK = "holds_no_personal_data"


def mart_key(name: str) -> dg.AssetKey:
    """[analytics, mart]."""
    return dg.AssetKey([DOMAIN, name])


def mart_specs(graph: DbtGraph) -> Sequence[dg.AssetSpec]:
    """One asset a mart. Owners, freshness and automation are mapped onto it where the domains are merged."""
    return [_spec(mart) for mart in graph.marts]


def check_specs(graph: DbtGraph) -> Sequence[dg.AssetCheckSpec]:
    """One check per dbt test, those of the staging models included, and per mart the look into the
    finished file."""
    tests = [
        dg.AssetCheckSpec(
            name=test.name,
            asset=mart_key(test.mart),
            description=test.description,
            blocking=test.is_blocking,
        )
        for test in graph.tests
    ]
    fit = [
        dg.AssetCheckSpec(
            name=FIT_CHECK,
            asset=mart_key(mart.name),
            description="The new file holds the marts and nothing else; no column is personal, an identifier "
            "that no contract knows as harmless, or of a nested type.",
            blocking=True,
        )
        for mart in graph.marts
    ]
    return [*tests, *fit]


def _spec(mart: Mart) -> dg.AssetSpec:
    return dg.AssetSpec(
        key=mart_key(mart.name),
        deps=[dg.AssetKey(list(source)) for source in mart.sources],
        description=f"{mart.description}\n\nAnalysts read it as `{mart.schema}.{mart.name}` in "
        f"warehouse/analytics.duckdb; its SQL is dbt_project/{mart.path}.",
        group_name=DOMAIN,
        kinds={"dbt", "duckdb"},
        # No row is about a person, so no clock runs.
        tags={"layer": "gold", "retention": "none", "pii": "none"},
        metadata={
            "dagster/column_schema": dg.TableSchema(columns=[_column(column) for column in mart.columns]),
            "dagster/table_name": f"{mart.schema}.{mart.name}",
        },
    )


def _column(column: MartColumn) -> dg.TableColumn:
    unit = f" [{column.unit}]" if column.unit else ""
    tags = {"unit": column.unit} if column.unit else {}
    return dg.TableColumn(column.name, column.data_type, f"{column.description}{unit}", tags=tags)
