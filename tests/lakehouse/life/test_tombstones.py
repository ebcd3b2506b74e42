from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from lakehouse import errors
from lakehouse.lake import Lake
from lakehouse.life.tombstones import NO_LEDGER, load_tombstones
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import replace_partition
from tests.lakehouse.small_tables import DAY, INFO, NOW, SIGHTS, TOTALS, sights, totals

HOURS = list(DAY.capture_hours[:2])


def put_on_ledger(lake: Lake, subject_id: str, received_at: datetime) -> None:
    row = pa.table({"subject_id": [subject_id], "received_at": pa.array([received_at], pa.timestamp("us", "UTC"))})
    write_deltalake(f"{lake.root}/privacy/tombstones", row, mode="append")


def test_without_a_ledger_there_are_none_and_that_is_known(lake: Lake) -> None:
    assert load_tombstones(lake).version == NO_LEDGER
    assert load_tombstones(lake).rows.is_empty()


def test_rows_from_before_the_request_do_not_come_back_later_ones_do(lake: Lake) -> None:
    erased = "somebody"
    first_of_hour = pl.col("captured_at").dt.second() == 0
    rows = sights(HOURS).with_columns(person=pl.when(first_of_hour).then(pl.lit(erased)).otherwise("person"))
    request = datetime.fromtimestamp(DAY.start_at.timestamp() + 1800, UTC)
    before_request = rows.filter((pl.col("person") == erased) & (pl.col("captured_at") < request)).height
    after_request = rows.filter((pl.col("person") == erased) & (pl.col("captured_at") >= request)).height
    assert (before_request, after_request) == (1, 1)
    put_on_ledger(lake, erased, request)
    report = replace_partition(lake, SIGHTS, rows, DAY.partition(SIGHTS), commit=INFO, now=NOW)
    assert (report.rows_tombstoned, report.rows_kept, report.ledger_version) == (1, 5, 0)
    found = scan(lake, SIGHTS).collect()
    assert found.filter((pl.col("person") == erased) & (pl.col("captured_at") < request)).is_empty()
    assert found.filter(pl.col("person") == erased).height == after_request
    assert found.filter(pl.col("person") != erased).height == rows.filter(pl.col("person") != erased).height


def test_a_rerun_after_the_request_drops_what_the_first_run_wrote(lake: Lake) -> None:
    rows = sights(HOURS)
    replace_partition(lake, SIGHTS, rows, DAY.partition(SIGHTS), commit=INFO, now=NOW)
    for person in rows.get_column("person").unique():
        put_on_ledger(lake, person, NOW)
    report = replace_partition(lake, SIGHTS, rows, DAY.partition(SIGHTS), commit=INFO, now=NOW)
    assert (report.rows_tombstoned, report.rows_kept) == (6, 0)
    assert scan(lake, SIGHTS).collect().is_empty()


def test_the_commit_records_the_ledger_it_was_checked_against(lake: Lake) -> None:
    put_on_ledger(lake, "somebody", NOW)
    put_on_ledger(lake, "somebody else", NOW)
    replace_partition(lake, TOTALS, totals({1: 1}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    log = Path(lake.uri(TOTALS)) / "_delta_log/00000000000000000001.json"
    assert json.loads(log.read_text().splitlines()[0])["commitInfo"]["ledger_version"] == 1


def test_a_ledger_that_cannot_be_read_stops_the_write(lake: Lake) -> None:
    put_on_ledger(lake, "somebody", NOW - timedelta(days=1))
    for file in Path(f"{lake.root}/privacy/tombstones").glob("*.parquet"):
        file.unlink()
    with pytest.raises(errors.StorageFailed, match="privacy/tombstones"):
        replace_partition(lake, SIGHTS, sights(HOURS), DAY.partition(SIGHTS), commit=INFO, now=NOW)
    assert scan(lake, SIGHTS).collect().is_empty()
