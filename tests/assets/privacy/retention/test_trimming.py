"""A value that was replaced is gone from the disk a day later, and not before its time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from assets.privacy.retention.trimming import trim_daily
from lakehouse.contracts.privacy import ACCOUNTS
from lakehouse.lake import Lake
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import upsert

START = datetime(2026, 3, 1, tzinfo=UTC)
CANARY = "account-canary-0d41"


def put(lake: Lake, account_id: str, status: str) -> None:
    row = {"account_id": account_id, "created_at": START, "status": status, "is_simulated": True}
    upsert(lake, ACCOUNTS, pl.DataFrame([row], ACCOUNTS.schema), commit=CommitInfo("run", "code"), now=START)


def data_files(lake: Lake) -> int:
    return sum(file.key.endswith(".parquet") and "_delta_log" not in file.key for file in lake.objects.list())


def test_replaced_files_go_once_a_day(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    put(lake, CANARY, "active")
    assert trim_daily(lake, START).tables == (), "nothing is a day old"
    put(lake, CANARY, "cancelled")
    assert data_files(lake) == 2
    assert trim_daily(lake, START + timedelta(hours=23)).tables == ()
    assert data_files(lake) == 2

    (trimmed,) = trim_daily(lake, START + timedelta(hours=24)).tables
    assert trimmed.table == ACCOUNTS.path
    assert trimmed.data_files_removed == 1
    assert data_files(lake) == 1
    assert scan(lake, ACCOUNTS).select("account_id", "status").collect().rows() == [(CANARY, "cancelled")]
    assert trim_daily(lake, START + timedelta(hours=25)).tables == ()
    # A clock that went backwards trims nothing anew and loses nothing.
    assert trim_daily(lake, START).tables == ()
