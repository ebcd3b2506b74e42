from __future__ import annotations

from pathlib import Path

import polars as pl

from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import MOST_FILES, append_once
from tests.lakehouse.small_tables import DAY, INFO, LEDGER, NOW, file_contents, totals


def test_rows_are_added_once_and_never_change(lake: Lake) -> None:
    append_once(lake, LEDGER, totals({1: 10, 2: 20}), commit=INFO, now=NOW)
    before = file_contents(Path(lake.uri(LEDGER)))
    report = append_once(lake, LEDGER, totals({2: 99, 3: 30}), commit=INFO, now=NOW)
    assert (report.rows_kept, report.rows_present, report.rows_removed) == (1, 1, 0)
    assert dict(scan(lake, LEDGER).select("row_id", "amount_fen").collect().iter_rows()) == {
        1: 10,
        2: 20,
        3: 30,
    }
    after = file_contents(Path(lake.uri(LEDGER)))
    assert {name: after[name] for name in before} == before


def test_a_key_in_another_partition_is_present_too(lake: Lake) -> None:
    append_once(lake, LEDGER, totals({1: 10}), commit=INFO, now=NOW)
    report = append_once(lake, LEDGER, totals({1: 10}, StoreDay("s002", DAY.business_date)), commit=INFO, now=NOW)
    assert not report.committed


def test_a_rerun_commits_nothing(lake: Lake) -> None:
    rows = totals({1: 10, 2: 20})
    append_once(lake, LEDGER, rows, commit=INFO, now=NOW)
    before = file_contents(Path(lake.uri(LEDGER)))
    assert not append_once(lake, LEDGER, rows, commit=INFO, now=NOW).committed
    assert not append_once(lake, LEDGER, rows.clear(), commit=INFO, now=NOW).committed
    assert file_contents(Path(lake.uri(LEDGER))) == before


def test_many_small_appends_stay_few_files(lake: Lake) -> None:
    for row_id in range(MOST_FILES + 3):
        append_once(lake, LEDGER, totals({row_id: row_id}), commit=INFO, now=NOW)
    table = lake.open(LEDGER)
    assert table is not None
    assert pl.DataFrame(table.get_add_actions()).height == 3
    assert scan(lake, LEDGER).collect().get_column("row_id").sort().to_list() == list(range(MOST_FILES + 3))
