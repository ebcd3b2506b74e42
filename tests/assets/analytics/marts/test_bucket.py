"""The marts of a lake that lies in an S3-compatible bucket."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
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


@pytest.fixture
def bucket_lake() -> Iterator[Lake]:
    pytest.importorskip("moto.server")
    import boto3  # type: ignore[import-untyped]

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        options = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
        }
        client = boto3.client(
            "s3",
            endpoint_url=options["AWS_ENDPOINT_URL"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket="analytics")
        yield Lake("s3://analytics/lake", options)
    finally:
        server.kill()
        server.wait()


def test_marts_are_built_from_a_bucket(bucket_lake: Lake, tmp_path: Path) -> None:
    fill(bucket_lake)
    file = tmp_path / "warehouse" / "analytics.duckdb"
    with building(file, bucket_lake, ["store_days"]) as build:
        results = dbt.build(DBT_PROJECT, build.profiles, build.scratch, {"lake": bucket_lake.root})
        kinds = {result.error_kind for result in results.values() if result.error_kind}
        assert failures(load_graph(), results) == [], kinds
    assert row_counts(file, ["store_days"]) == {"store_days": 2}
