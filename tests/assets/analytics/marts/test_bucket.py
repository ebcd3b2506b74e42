"""The marts of a lake that lies in an S3-compatible bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from assets.analytics.marts import dbt
from assets.analytics.marts.assets import failures
from assets.analytics.marts.dbt import DBT_PROJECT
from assets.analytics.marts.dbt_graph import load_graph
from assets.analytics.marts.warehouse import building, row_counts
from lakehouse.lake import Lake
from tests.assets.analytics.marts.conftest import fill

pytest.importorskip("duckdb_extension_httpfs", reason="DuckDB reads a bucket by its httpfs extension")


def test_marts_are_built_from_a_bucket(bucket_lake: Lake, tmp_path: Path) -> None:
    fill(bucket_lake)
    file = tmp_path / "warehouse" / "analytics.duckdb"
    with building(file, bucket_lake, ["store_days"]) as build:
        results = dbt.build(DBT_PROJECT, build.profiles, build.scratch, {"lake": bucket_lake.root})
        kinds = {result.error_kind for result in results.values() if result.error_kind}
        assert failures(load_graph(), results) == [], kinds
    assert row_counts(file, ["store_days"]) == {"store_days": 2}
