from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import gettempdir

import polars as pl
import pytest

from lakehouse.audit import ExpectationResult, identity_check, run_expectations
from lakehouse.contract import Expectation, Severity, TableContract
from lakehouse.contracts import CONTRACTS
from tests.lakehouse.small_tables import DAY, SIGHTS, sights

SECRET = "13912345678"
ROWS = sights(DAY.capture_hours[:2], 5)
EVERY_EXPECTATION = [
    pytest.param(table, expectation, id=f"{table.path}-{expectation.name}-{index}")
    for table in CONTRACTS.values()
    for index, expectation in enumerate(table.expectations)
]


def run(*expectations: Expectation, rows: pl.DataFrame = ROWS) -> list[ExpectationResult]:
    return run_expectations(SIGHTS, rows, expectations)


def test_counts_shares_and_thresholds() -> None:
    rows = ROWS.with_columns(x_m=pl.when(pl.int_range(pl.len()) < 3).then(-1.0).otherwise(1.0))
    mostly = {"min_value": 0.0, "max_value": 2.0, "mostly": 0.5}
    strict, loose = run(
        Expectation("expect_column_values_to_be_between", "x_m", {"min_value": 0.0, "max_value": 2.0}),
        Expectation("expect_column_values_to_be_between", "x_m", mostly),
        rows=rows,
    )
    assert (strict.success, strict.unexpected_count, strict.threshold) == (False, 3, 1.0)
    assert strict.observed == pytest.approx(0.7)
    assert strict.limits == "max_value=2.0, min_value=0.0"
    assert (loose.success, loose.unexpected_count, loose.threshold) == (True, 3, 0.5)


def test_aggregates_report_what_they_measured() -> None:
    (counted,) = run(Expectation("expect_table_row_count_to_be_between", kwargs={"min_value": 11}))
    assert (counted.success, counted.observed, counted.unexpected_count) == (False, 10.0, None)


def test_a_check_that_raised_is_an_error_not_bad_data() -> None:
    results = run(
        Expectation("expect_column_values_to_be_between", "person", {"min_value": 1}),
        Expectation("expect_column_values_to_be_between", "nowhere", {"min_value": 1}, Severity.WARNING),
        Expectation("expect_column_values_to_be_between", "row_id", {"min_value": 1}),
    )
    assert [bool(result.error) for result in results] == [True, True, False]
    assert [result.blocks for result in results] == [True, True, False]
    assert [result.success for result in results] == [False, False, True]
    assert results[0].unexpected_count is None


def test_no_value_of_a_row_is_in_the_results() -> None:
    rows = ROWS.with_columns(person=pl.lit(SECRET))
    checks = (
        Expectation("expect_column_values_to_be_unique", "person"),
        Expectation("expect_column_values_to_be_in_set", "person", {"value_set": ["nobody"]}),
        Expectation("expect_column_values_to_be_between", "person", {"min_value": 1}),
        Expectation("expect_column_values_to_match_regex", "person", {"regex": "^x"}),
    )
    results = run(*checks, rows=rows)
    assert not any(result.success for result in results)
    assert SECRET not in json.dumps([dataclasses.asdict(result) for result in results])
    words = [result.words for result in results]
    assert SECRET not in " ".join(words)
    assert words[0] == "person_be_unique (10 break it)"
    assert words[2].startswith("person_be_between raised ")


def test_warnings_do_not_stop_a_write_and_a_domains_own_check_does() -> None:
    warning = run(Expectation("expect_column_values_to_be_between", "x_m", {"max_value": -1}, Severity.WARNING))
    assert not warning[0].success
    assert not any(result.blocks for result in [*warning, identity_check("sum_of_lines", 0, 10)])
    broken = identity_check("sum_of_lines", 2, 10)
    assert broken.blocks
    assert broken.words == "sum_of_lines (2 break it)"
    assert broken.observed == pytest.approx(0.8)


def test_nothing_is_written_to_disk() -> None:
    before = set(Path(gettempdir()).iterdir())
    run(Expectation("expect_column_values_to_be_unique", "row_id"))
    new = {path.name for path in set(Path(gettempdir()).iterdir()) - before}
    assert not any(path.startswith("tmp") and (Path(gettempdir()) / path / "index.html").exists() for path in new)


@pytest.mark.parametrize("table", CONTRACTS.values(), ids=lambda table: table.path)
def test_no_rows_break_no_promise(table: TableContract) -> None:
    assert all(result.success for result in run_expectations(table, pl.DataFrame(schema=table.schema)))
    names = [expectation.name for expectation in table.expectations]
    assert len(set(names)) == len(names), "two checks of one table must not share a name"


@pytest.mark.parametrize(("table", "expectation"), EVERY_EXPECTATION)
def test_every_promise_of_every_contract_fails_on_a_violation(table: TableContract, expectation: Expectation) -> None:
    (result,) = run_expectations(table, violating(table, expectation), (expectation,))
    assert not result.error
    assert not result.success
    assert result.unexpected_count


def violating(table: TableContract, expectation: Expectation) -> pl.DataFrame:
    """Two equal rows of plausible values, with the one column that is judged set to what must not be."""
    column = expectation.column
    row = {name: _any_value(dtype) for name, dtype in table.schema.items()}
    match expectation.type:
        case "expect_column_values_to_be_unique" | "expect_compound_columns_to_be_unique":
            pass
        case "expect_column_values_to_not_be_null":
            row[column] = None
        case "expect_column_values_to_be_in_set":
            row[column] = "never heard of"
        case "expect_column_values_to_be_between":
            low, high = expectation.kwargs["min_value"], expectation.kwargs["max_value"]
            assert isinstance(low, int | float)
            row[column] = low - 1 if high is None or low > -100 else high + 1  # type: ignore[operator]
        case other:
            pytest.fail(f"write down how {other} is violated")
    return pl.DataFrame([row, row], schema=table.schema)


def _any_value(dtype: pl.DataType) -> object:
    if dtype.is_integer():
        return 1
    if dtype.is_float():
        return 0.5
    values: dict[type[pl.DataType], object] = {
        pl.String: "text",
        pl.Boolean: True,
        pl.Date: date(2026, 11, 22),
        pl.Datetime: datetime(2026, 11, 22, tzinfo=UTC),
        pl.List: [],
        pl.Binary: b"bytes",
    }
    return values[dtype.base_type()]
