"""Every table of the project can be written and read back as its contract says."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl
import pytest

from lakehouse.contract import AppendOnce, ReplacePartition, TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.lake import Lake
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import append_once, replace_partition, upsert
from tests.lakehouse.small_tables import INFO

AT = datetime(2026, 11, 22, 10, 30, 0, 123456, tzinfo=UTC)


def value(name: str, dtype: pl.DataType) -> object:
    if name == "capture_hour":
        return "2026-11-22T10Z"
    if name == "business_date":
        return "2026-11-22"
    if isinstance(dtype, pl.List):
        return [value("", dtype.inner)] * 2  # type: ignore[arg-type]
    if dtype.is_integer():
        return 7
    if dtype.is_float():
        return 0.5
    plain: dict[type[pl.DataType], object] = {
        pl.String: "text-1",
        pl.Boolean: True,
        pl.Date: date(2026, 11, 22),
        pl.Datetime: AT,
        pl.Binary: b"\x00\xff",
    }
    return plain[dtype.base_type()]


@pytest.mark.parametrize("table", CONTRACTS.values(), ids=lambda table: table.path)
def test_a_row_survives_the_way_to_disk_and_back(lake: Lake, table: TableContract) -> None:
    rows = pl.DataFrame([{n: value(n, d) for n, d in table.schema.items()}], schema=table.schema)
    assert scan(lake, table).collect().equals(rows.clear())
    for _ in range(2):
        if isinstance(table.write_mode, ReplacePartition):
            partition = {name: rows.get_column(name).to_list() for name in table.partition_by}
            replace_partition(lake, table, rows, partition, commit=INFO, now=AT)
        elif isinstance(table.write_mode, AppendOnce):
            append_once(lake, table, rows, commit=INFO, now=AT)
        else:
            upsert(lake, table, rows, commit=INFO, now=AT)
        found = scan(lake, table).collect()
        assert found.schema == table.schema
        assert found.equals(rows)


WITH_GAPS = [
    table
    for table in CONTRACTS.values()
    if isinstance(table.write_mode, ReplacePartition) and any(column.nullable for column in table.columns)
]


@pytest.mark.parametrize("table", WITH_GAPS, ids=lambda table: table.path)
def test_missing_values_are_stored_where_the_contract_allows_them(lake: Lake, table: TableContract) -> None:
    row = {c.name: None if c.nullable else value(c.name, table.schema[c.name]) for c in table.columns}
    rows = pl.DataFrame([row], schema=table.schema)
    partition = {name: rows.get_column(name).to_list() for name in table.partition_by}
    replace_partition(lake, table, rows, partition, commit=INFO, now=AT)
    assert scan(lake, table).collect().equals(rows)
