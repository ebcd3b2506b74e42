from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from lakehouse import errors
from lakehouse.contract import RetentionClass
from lakehouse.lake import Lake
from lakehouse.tables.reader import table_version
from lakehouse.tables.writer import append_once, replace_partition
from tests.lakehouse.small_tables import DAY, INFO, LEDGER, NOW, SIGHTS, TOTALS, sights, totals

HOURS = list(DAY.capture_hours[:2])
SECRET = "13912345678"


def write(lake: Lake, rows: pl.DataFrame) -> object:
    return replace_partition(lake, SIGHTS, rows, DAY.partition(SIGHTS), commit=INFO, now=NOW)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rows: rows.drop("x_m"), "absent: x_m"),
        (lambda rows: rows.with_columns(pl.lit(SECRET).alias(SECRET)), r"not in the contract \(1\)"),
        (
            lambda rows: rows.with_columns(pl.col("row_id").cast(pl.Int32)),
            "row_id: is Int32, the contract says Int64",
        ),
        (lambda rows: rows.select(sorted(rows.columns)), "order"),
    ],
)
def test_a_schema_that_is_not_the_contracts_is_refused(lake: Lake, change: object, words: str) -> None:
    with pytest.raises(errors.SchemaMismatch, match=words) as refused:
        write(lake, change(sights(HOURS)))  # type: ignore[operator]
    assert SECRET not in str(refused.value)
    assert table_version(lake, SIGHTS) is None


def test_missing_values_and_repeated_keys_are_counted(lake: Lake) -> None:
    rows = sights(HOURS)
    nulls = rows.with_columns(person=pl.when(pl.col("row_id") % 2 == 0).then("person"))
    with pytest.raises(errors.ContractViolation) as refused:
        write(lake, nulls)
    assert (refused.value.column, refused.value.count) == ("person", nulls.get_column("person").null_count())
    with pytest.raises(errors.ContractViolation, match="repeat the key") as refused:
        write(lake, pl.concat([rows, rows.head(2)]))
    assert refused.value.count == 2


def test_a_label_later_than_the_rows_clock_would_lengthen_its_life(lake: Lake) -> None:
    rows = sights(HOURS)
    late = rows.with_columns(captured_at=pl.col("captured_at") - timedelta(hours=1))
    with pytest.raises(errors.ContractViolation, match="labels are later") as refused:
        write(lake, late)
    assert refused.value.count == 6
    write(lake, rows.with_columns(captured_at=pl.col("captured_at") + timedelta(hours=1)))


@pytest.mark.parametrize("label", ["2026-11-22", "2026-11-22T24Z", "2026-11-22T5Z", "yesterday", ""])
def test_a_label_that_is_no_hour_is_refused(lake: Lake, label: str) -> None:
    with pytest.raises(errors.ContractViolation, match="cannot name a partition"):
        write(lake, sights(HOURS).with_columns(capture_hour=pl.lit(label)))


@pytest.mark.parametrize("date", ["22.11.2026", "2026-11-31", "20261122"])
def test_a_label_that_is_no_date_is_refused(lake: Lake, date: str) -> None:
    with pytest.raises(errors.ContractViolation, match="business_date"):
        append_once(lake, LEDGER, totals({1: 1}).with_columns(business_date=pl.lit(date)), commit=INFO, now=NOW)


def test_a_limited_life_needs_hour_partitions(lake: Lake) -> None:
    endless = replace(TOTALS, retention=RetentionClass.MOVEMENT)
    with pytest.raises(errors.ContractViolation, match="needs capture_hour"):
        replace_partition(lake, endless, totals({1: 1}), DAY.partition(endless), commit=INFO, now=NOW)


def test_a_foreign_error_loses_its_text(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(f"Preview of invalid data: {SECRET}")

    monkeypatch.setattr("lakehouse.tables.commit.encode_parquet", fail)
    with pytest.raises(errors.StorageFailed, match="RuntimeError") as refused:
        write(lake, sights(HOURS))
    error = refused.value
    assert SECRET not in str(error)
    assert error.__context__ is None
    assert error.__cause__ is None
