from __future__ import annotations

from pathlib import Path

import pytest

from lakehouse.contract import TableContract
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import upsert
from tests.lakehouse.small_tables import CARDS, DAY, INFO, NOW, PLAIN_CARDS, data_files, file_contents, totals


@pytest.mark.parametrize("table", [CARDS, PLAIN_CARDS], ids=lambda table: table.name)
def test_same_keys_are_replaced_others_added(lake: Lake, table: TableContract) -> None:
    upsert(lake, table, totals({1: 10, 2: 20}), commit=INFO, now=NOW)
    report = upsert(lake, table, totals({2: 99, 3: 30}), commit=INFO, now=NOW)
    assert (report.rows_kept, report.rows_removed) == (2, 2)
    assert dict(scan(lake, table).select("row_id", "amount_fen").collect().iter_rows()) == {
        1: 10,
        2: 99,
        3: 30,
    }


def test_a_row_that_moves_to_another_partition_leaves_its_old_one(lake: Lake) -> None:
    other = StoreDay("s002", DAY.business_date)
    upsert(lake, CARDS, totals({1: 10, 2: 20}), commit=INFO, now=NOW)
    upsert(lake, CARDS, totals({2: 21}, other), commit=INFO, now=NOW)
    assert scan(lake, CARDS, DAY.partition(CARDS)).collect().get_column("row_id").to_list() == [1]
    assert scan(lake, CARDS, other.partition(CARDS)).collect().get_column("amount_fen").to_list() == [21]


def test_untouched_partitions_stay_byte_identical(lake: Lake) -> None:
    other = StoreDay("s002", DAY.business_date)
    upsert(lake, CARDS, totals({1: 10}), commit=INFO, now=NOW)
    upsert(lake, CARDS, totals({2: 20}, other), commit=INFO, now=NOW)
    before = file_contents(Path(lake.uri(CARDS)))
    upsert(lake, CARDS, totals({2: 22}, other), commit=INFO, now=NOW)
    after = file_contents(Path(lake.uri(CARDS)))
    assert {name: after[name] for name in before} == before
    assert len(data_files(Path(lake.uri(CARDS)))) == 3


def test_the_same_rows_again_commit_nothing(lake: Lake) -> None:
    rows = totals({1: 10, 2: 20})
    upsert(lake, CARDS, rows, commit=INFO, now=NOW)
    assert not upsert(lake, CARDS, rows.reverse(), commit=INFO, now=NOW).committed
    assert not upsert(lake, CARDS, rows.head(1), commit=INFO, now=NOW).committed
