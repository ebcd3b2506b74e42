"""What we write is plain Delta: DuckDB and delta-rs read the same rows, and neither sees what was dropped."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest
from deltalake import DeltaTable

from lakehouse.lake import Lake
from lakehouse.tables.writer import replace_partition
from lakehouse.upkeep.expired_hours import drop_expired
from lakehouse.upkeep.log_trimming import trim_logs
from tests.lakehouse.small_tables import DAY, INFO, NOW, SIGHTS, sights

HOURS = list(DAY.capture_hours[:3])


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    package = pytest.importorskip("duckdb_extension_delta")
    (extension,) = Path(package.__file__).parent.glob("extensions/*/delta.duckdb_extension")
    folder = tmp_path_factory.mktemp("extensions")
    connection = duckdb.connect(config={"extension_directory": str(folder)})
    connection.execute(f"install '{extension}'")
    return connection


def by_duckdb(duck: duckdb.DuckDBPyConnection, lake: Lake) -> pl.DataFrame:
    rows = duck.sql(f"select * from delta_scan('{lake.uri(SIGHTS)}') order by row_id").pl()
    return rows.cast(dict(SIGHTS.schema))  # type: ignore[arg-type]


def by_delta(lake: Lake) -> pl.DataFrame:
    rows = pl.DataFrame(DeltaTable(lake.uri(SIGHTS)).to_pyarrow_table())
    return rows.select(list(SIGHTS.schema)).sort("row_id")


def test_others_read_what_we_wrote_and_nothing_that_was_dropped(
    duck: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    lake = Lake(str(tmp_path / "my 店"))
    for seed in (0, 1):
        replace_partition(lake, SIGHTS, sights(HOURS, seed=seed), DAY.partition(SIGHTS), commit=INFO, now=NOW)
    rows = sights(HOURS, seed=1)
    assert by_duckdb(duck, lake).equals(rows)
    assert by_delta(lake).equals(rows)
    drop_expired(lake, SIGHTS, commit=INFO, now=DAY.start_at + timedelta(hours=72))
    left = sights(HOURS[1:], seed=1)
    assert by_duckdb(duck, lake).equals(left)
    trim_logs(lake, [SIGHTS], pause_s=0.0)
    assert by_duckdb(duck, lake).equals(left)
    assert by_delta(lake).equals(left)


def test_bounds_in_the_log_let_duckdb_skip_and_never_lose_a_row(duck: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    replace_partition(lake, SIGHTS, sights(HOURS), DAY.partition(SIGHTS), commit=INFO, now=NOW)
    for at in sights(HOURS).get_column("captured_at"):
        query = f"select count(*) from delta_scan('{lake.uri(SIGHTS)}') where captured_at between $1 and $1"
        found = duck.execute(query, [at]).fetchone()
        assert found == (1,)
