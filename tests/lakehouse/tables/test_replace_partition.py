from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from lakehouse import errors
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan, table_version
from lakehouse.tables.writer import replace_partition
from tests.lakehouse.small_tables import DAY, INFO, NOW, SIGHTS, TOTALS, data_files, file_contents, sights, totals

HOURS = list(DAY.capture_hours[:3])
WHOLE_DAY = DAY.partition(SIGHTS)


def only(*hours: str) -> dict[str, list[str]]:
    return {"store_id": ["s001"], "capture_hour": list(hours)}


def folder(lake: Lake) -> Path:
    return Path(lake.uri(SIGHTS))


def test_an_absent_table_reads_as_empty_rows_of_the_contract(lake: Lake) -> None:
    found = scan(lake, SIGHTS).collect()
    assert found.schema == SIGHTS.schema
    assert found.is_empty()
    assert table_version(lake, SIGHTS) is None


def test_what_is_written_is_read_back(lake: Lake) -> None:
    rows = sights(HOURS)
    report = replace_partition(lake, SIGHTS, rows, WHOLE_DAY, commit=INFO, now=NOW)
    assert (report.rows_given, report.rows_kept, report.cells_changed, report.committed) == (9, 9, 3, True)
    found = scan(lake, SIGHTS).collect()
    assert found.schema == SIGHTS.schema
    assert found.sort("row_id").equals(rows.sort("row_id"))
    assert scan(lake, SIGHTS, only(HOURS[1])).collect().height == 3
    assert scan(lake, SIGHTS, {"store_id": ["s999"]}).collect().is_empty()


def test_one_file_per_hour_and_nothing_else(lake: Lake) -> None:
    replace_partition(lake, SIGHTS, sights(HOURS), WHOLE_DAY, commit=INFO, now=NOW)
    found = data_files(folder(lake))
    assert {name.rsplit("/", 1)[0] for name in found} == {f"store_id=s001/capture_hour={hour}" for hour in HOURS}
    assert len(found) == 3
    assert {name for name in file_contents(folder(lake)) if name.startswith("_delta_log/")} == {
        "_delta_log/00000000000000000000.json",
        "_delta_log/00000000000000000001.json",
    }


def test_a_rerun_in_another_row_order_changes_no_byte_and_no_version(lake: Lake) -> None:
    rows = sights(HOURS)
    replace_partition(lake, SIGHTS, rows, WHOLE_DAY, commit=INFO, now=NOW)
    before = file_contents(folder(lake))
    again = replace_partition(lake, SIGHTS, rows.reverse(), WHOLE_DAY, commit=INFO, now=NOW)
    assert not again.committed
    assert again.version == 1
    assert file_contents(folder(lake)) == before


def test_neighbours_stay_byte_identical(lake: Lake) -> None:
    replace_partition(lake, SIGHTS, sights(HOURS), WHOLE_DAY, commit=INFO, now=NOW)
    before = file_contents(folder(lake))
    report = replace_partition(lake, SIGHTS, sights(HOURS[1:2], seed=1), only(HOURS[1]), commit=INFO, now=NOW)
    after = file_contents(folder(lake))
    assert {name: data for name, data in after.items() if name in before} == before
    assert len(after) == len(before) + 2  # one Parquet file, one log entry
    assert report.rows_removed == 3
    live = {action["path"] for action in pl.DataFrame(DeltaTable(folder(lake)).get_add_actions()).to_dicts()}
    assert live & set(before) == {n for n in before if HOURS[0] in n or HOURS[2] in n}
    kept = scan(lake, SIGHTS, only(HOURS[0], HOURS[2])).collect()
    assert kept.sort("row_id").equals(sights([HOURS[0], HOURS[2]]))


def test_within_the_partition_unchanged_hours_are_not_touched(lake: Lake) -> None:
    replace_partition(lake, SIGHTS, sights(HOURS), WHOLE_DAY, commit=INFO, now=NOW)
    changed = pl.concat([sights(HOURS[:2]), sights(HOURS[2:], seed=1)])
    assert replace_partition(lake, SIGHTS, changed, WHOLE_DAY, commit=INFO, now=NOW).cells_changed == 1


def test_an_hour_without_rows_any_more_is_emptied(lake: Lake) -> None:
    replace_partition(lake, SIGHTS, sights(HOURS), WHOLE_DAY, commit=INFO, now=NOW)
    report = replace_partition(lake, SIGHTS, sights(HOURS[:1]), WHOLE_DAY, commit=INFO, now=NOW)
    assert report.cells_changed == 2
    assert scan(lake, SIGHTS).collect().sort("row_id").equals(sights(HOURS[:1]))


def test_content_that_comes_back_after_a_change_is_read_back(lake: Lake) -> None:
    for seed in (0, 1, 0):
        rows = sights(HOURS, seed=seed)
        assert replace_partition(lake, SIGHTS, rows, WHOLE_DAY, commit=INFO, now=NOW).committed
        assert scan(lake, SIGHTS).collect().sort("row_id").equals(rows)


def test_a_second_date_never_overwrites_the_first(lake: Lake) -> None:
    """The stock Delta IO managers lost the first partition of a string column here."""
    days = [DAY, StoreDay("s001", date(2026, 11, 23)), StoreDay("s002", DAY.business_date)]
    for index, day in enumerate(days):
        replace_partition(lake, TOTALS, totals({index: 10}, day), day.partition(TOTALS), commit=INFO, now=NOW)
    found = scan(lake, TOTALS).collect().sort("row_id")
    assert found.schema == TOTALS.schema
    assert found.equals(pl.concat([totals({i: 10}, day) for i, day in enumerate(days)]))
    assert scan(lake, TOTALS, days[1].partition(TOTALS)).collect().get_column("row_id").to_list() == [1]


def test_rows_outside_the_partition_are_refused(lake: Lake) -> None:
    with pytest.raises(errors.OutsidePartition) as refused:
        replace_partition(lake, SIGHTS, sights(HOURS), only(HOURS[0]), commit=INFO, now=NOW)
    assert (refused.value.column, refused.value.count) == ("capture_hour", 6)
    assert table_version(lake, SIGHTS) is None


@pytest.mark.parametrize(
    "partition",
    [
        {},
        {"store_id": ["s001"]},
        {"store_id": "s001", "capture_hour": HOURS},
        {"store_id": ["s001"], "capture_hour": []},
        {"store_id": ["s001"], "capture_hour": ["2026-11-22T15"]},
        {"store_id": ["../s001"], "capture_hour": HOURS},
    ],
)
def test_a_partition_that_is_none_is_refused(lake: Lake, partition: dict[str, list[str]]) -> None:
    with pytest.raises(errors.OutsidePartition):
        replace_partition(lake, SIGHTS, sights(HOURS).clear(), partition, commit=INFO, now=NOW)


def test_a_consumed_source_does_not_become_an_empty_replacement(lake: Lake) -> None:
    rows = sights(HOURS)
    replace_partition(lake, SIGHTS, rows, WHOLE_DAY, commit=INFO, now=NOW)
    with pytest.raises(errors.EmptyReplacement) as refused:
        replace_partition(lake, SIGHTS, rows.clear(), WHOLE_DAY, commit=INFO, now=NOW)
    assert refused.value.count == 9
    assert scan(lake, SIGHTS).collect().height == 9
    replace_partition(lake, SIGHTS, rows.clear(), WHOLE_DAY, commit=INFO, now=NOW, may_empty=True)
    assert scan(lake, SIGHTS).collect().is_empty()


def test_an_empty_frame_over_nothing_is_fine(lake: Lake) -> None:
    empty = sights(HOURS).clear()
    assert not replace_partition(lake, SIGHTS, empty, WHOLE_DAY, commit=INFO, now=NOW).committed
    assert scan(lake, SIGHTS).collect().is_empty()


def test_the_log_says_who_wrote_it_by_what(lake: Lake) -> None:
    replace_partition(lake, SIGHTS, sights(HOURS), WHOLE_DAY, commit=INFO, now=NOW)
    entry = json.loads((folder(lake) / "_delta_log/00000000000000000001.json").read_text().splitlines()[0])[
        "commitInfo"
    ]
    expected = {
        "run_id": "run-1",
        "code_version": "code-1",
        "model_version": "model-1",
        "planogram_version": "planogram-1",
        "contract_version": 1,
        "ledger_version": -1,
    }
    assert {name: entry[name] for name in expected} == expected


def test_a_lake_below_a_folder_with_space_and_chinese_name(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "my 店"))
    replace_partition(lake, SIGHTS, sights(HOURS), WHOLE_DAY, commit=INFO, now=NOW)
    assert scan(lake, SIGHTS, only(HOURS[0])).collect().height == 3
    with pytest.raises(ValueError, match="%"):
        Lake(str(tmp_path / "100%"))


def test_another_write_mode_is_refused(lake: Lake) -> None:
    from tests.lakehouse.small_tables import LEDGER

    with pytest.raises(errors.ContractViolation, match="write mode"):
        replace_partition(lake, LEDGER, totals({1: 1}), DAY.partition(LEDGER), commit=INFO, now=NOW)
