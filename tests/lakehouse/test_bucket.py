"""The same lake in an S3-compatible bucket: nothing but root and options differ."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import polars as pl

from lakehouse.contract import Column
from lakehouse.lake import Lake
from lakehouse.leases.hold import hold_lease
from lakehouse.life import seals
from lakehouse.tables.reader import scan, table_version
from lakehouse.tables.writer import append_once, replace_partition, upsert
from lakehouse.upkeep.expired_hours import drop_expired
from lakehouse.upkeep.log_trimming import trim_logs
from lakehouse.upkeep.migrations import Migration, migrate
from tests.lakehouse.small_tables import CARDS, DAY, INFO, LEDGER, NOW, SIGHTS, TOTALS, sights, totals

HOURS = list(DAY.capture_hours[:3])
REPOSITORY = Path(__file__).parents[2]


def start(lake: Lake, what: str) -> subprocess.Popen[bytes]:
    options = json.dumps(dict(lake.storage_options))
    command = [sys.executable, "-m", "tests.lakehouse.bucket_process", lake.root, options, what]
    return subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE)


def keys(lake: Lake, path: str) -> list[str]:
    return [item.key for item in lake.objects.list(path)]


def test_the_three_modes_rerun_identity_and_reads(bucket_lake: Lake) -> None:
    lake, day = bucket_lake, DAY.partition(SIGHTS)
    assert scan(lake, SIGHTS).collect().is_empty()
    assert replace_partition(lake, SIGHTS, sights(HOURS), day, commit=INFO, now=NOW).version == 1
    before = keys(lake, SIGHTS.path)
    assert not replace_partition(lake, SIGHTS, sights(HOURS).reverse(), day, commit=INFO, now=NOW).committed
    assert keys(lake, SIGHTS.path) == before
    found = scan(lake, SIGHTS, {"capture_hour": HOURS[:2]}).collect()
    assert found.schema == SIGHTS.schema
    assert found.sort("row_id").equals(sights(HOURS[:2]))

    append_once(lake, LEDGER, totals({1: 10}), commit=INFO, now=NOW)
    assert append_once(lake, LEDGER, totals({1: 99, 2: 20}), commit=INFO, now=NOW).rows_present == 1
    upsert(lake, CARDS, totals({1: 10, 2: 20}), commit=INFO, now=NOW)
    upsert(lake, CARDS, totals({2: 99}), commit=INFO, now=NOW)
    for table, expected in ((LEDGER, {1: 10, 2: 20}), (CARDS, {1: 10, 2: 99})):
        assert dict(scan(lake, table).select("row_id", "amount_fen").collect().iter_rows()) == expected


def test_hours_die_and_the_log_is_cut(bucket_lake: Lake) -> None:
    lake = bucket_lake
    for seed in (0, 1):
        replace_partition(lake, SIGHTS, sights(HOURS, seed=seed), DAY.partition(SIGHTS), commit=INFO, now=NOW)
    (dropped,) = drop_expired(lake, SIGHTS, commit=INFO, now=DAY.start_at + timedelta(hours=71, minutes=30)).hours
    assert (dropped.rows_removed, dropped.files_removed, dropped.files_left) == (3, 2, 0)
    assert not any(HOURS[0] in key for key in keys(lake, SIGHTS.path))
    (trimmed,) = trim_logs(lake, [SIGHTS], pause_s=2.1)  # a bucket's clock has whole seconds
    assert trimmed.data_files_removed == 2
    assert trimmed.log_files_removed >= 3
    assert scan(lake, SIGHTS).collect().sort("row_id").equals(sights(HOURS[1:], seed=1))


def test_seals_and_migrations(bucket_lake: Lake) -> None:
    lake = bucket_lake
    replace_partition(lake, TOTALS, totals({1: 10}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    assert seals.seal(lake, DAY, [TOTALS], run_id="r", now=NOW)
    assert not seals.seal(lake, DAY, [TOTALS], run_id="r", now=NOW)
    assert seals.sealed_days(lake) == [DAY]
    later = replace(TOTALS, version=2, columns=(*TOTALS.columns, Column("note", pl.String, "Note.", nullable=True)))
    step = Migration(TOTALS.path, 1, lambda rows: rows.with_columns(note=pl.lit(None, pl.String)))
    assert migrate(lake, later, commit=INFO, now=NOW, migrations=(step,))
    assert scan(lake, later).collect().equals(totals({1: 10}).with_columns(note=pl.lit(None, pl.String)))


def test_eight_writers_at_once(bucket_lake: Lake) -> None:
    writers = [start(bucket_lake, str(number)) for number in range(8)]
    complaints = [writer.communicate(timeout=120)[1] for writer in writers]
    assert [writer.returncode for writer in writers] == [0] * 8, complaints
    found = scan(bucket_lake, TOTALS).collect()
    assert dict(found.select("row_id", "amount_fen").iter_rows()) == {n * 10 + i: 2 for n in range(8) for i in (0, 1)}
    assert scan(bucket_lake, LEDGER).collect().get_column("row_id").sort().to_list() == list(range(8))
    assert table_version(bucket_lake, TOTALS) == 24
    assert table_version(bucket_lake, LEDGER) == 1


def test_a_writer_killed_in_the_middle_leaves_the_old_rows_and_a_lease_that_passes_on(
    bucket_lake: Lake,
) -> None:
    lake = bucket_lake
    replace_partition(lake, TOTALS, totals({1: 10}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    writer = start(lake, "killed")
    writer.communicate(timeout=60)
    assert writer.returncode == -signal.SIGKILL
    assert scan(lake, TOTALS).collect().get_column("amount_fen").to_list() == [10]
    with hold_lease(lake, TOTALS, takeover_s=0.3):
        pass
    replace_partition(lake, TOTALS, totals({1: 11}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    assert scan(lake, TOTALS).collect().get_column("amount_fen").to_list() == [11]
    trim_logs(lake, [TOTALS], pause_s=0.0)
    assert len([key for key in keys(lake, TOTALS.path) if "/_delta_log/" not in key]) == 1
