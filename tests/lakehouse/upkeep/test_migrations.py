from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from lakehouse import errors
from lakehouse.contract import Column
from lakehouse.lake import Lake
from lakehouse.tables.reader import scan, table_version
from lakehouse.tables.writer import replace_partition
from lakehouse.upkeep.expired_hours import drop_expired
from lakehouse.upkeep.migrations import Migration, migrate
from tests.lakehouse.small_tables import DAY, INFO, NOW, SIGHTS, TOTALS, sights, totals

HOURS = list(DAY.capture_hours[:2])
V2 = replace(TOTALS, version=2, columns=(*TOTALS.columns, Column("currency", pl.String, "Of the amount.")))
V3 = replace(
    V2,
    version=3,
    columns=tuple(replace(c, dtype=pl.Float64) if c.name == "amount_fen" else c for c in V2.columns),
)
STEPS = (
    Migration(TOTALS.path, 1, lambda rows: rows.with_columns(currency=pl.lit("CNY"))),
    Migration(TOTALS.path, 2, lambda rows: rows.with_columns(pl.col("amount_fen").cast(pl.Float64))),
    Migration("probe/other", 1, lambda rows: rows.clear()),
)


def fill(lake: Lake) -> None:
    replace_partition(lake, TOTALS, totals({1: 10, 2: 20}), DAY.partition(TOTALS), commit=INFO, now=NOW)


def test_steps_run_in_order_and_once(lake: Lake) -> None:
    fill(lake)
    assert migrate(lake, V3, commit=INFO, now=NOW, migrations=STEPS)
    found = scan(lake, V3).collect().sort("row_id")
    assert found.schema == V3.schema
    assert found.select("row_id", "amount_fen", "currency").rows() == [(1, 10.0, "CNY"), (2, 20.0, "CNY")]
    version = table_version(lake, V3)
    assert not migrate(lake, V3, commit=INFO, now=NOW, migrations=STEPS)
    assert table_version(lake, V3) == version


def test_until_then_the_table_is_neither_read_nor_written(lake: Lake) -> None:
    fill(lake)
    with pytest.raises(errors.ContractVersionMismatch, match="has contract version 1, the code has 2"):
        scan(lake, V2)
    rows = totals({3: 30}).with_columns(currency=pl.lit("CNY"))
    with pytest.raises(errors.ContractVersionMismatch):
        replace_partition(lake, V2, rows, DAY.partition(V2), commit=INFO, now=NOW)
    assert scan(lake, TOTALS).collect().height == 2


def test_a_missing_step_and_a_newer_table_are_refused(lake: Lake) -> None:
    fill(lake)
    with pytest.raises(errors.ContractVersionMismatch, match="no registered steps lead from contract version 1 to 3"):
        migrate(lake, V3, commit=INFO, now=NOW, migrations=STEPS[1:])
    migrate(lake, V2, commit=INFO, now=NOW, migrations=STEPS)
    with pytest.raises(errors.ContractVersionMismatch, match="from contract version 2 to 1"):
        migrate(lake, TOTALS, commit=INFO, now=NOW, migrations=STEPS)


def test_a_step_that_breaks_the_contract_changes_nothing(lake: Lake) -> None:
    fill(lake)
    wrong = Migration(TOTALS.path, 1, lambda rows: rows.with_columns(currency=pl.lit(None, pl.String)))
    with pytest.raises(errors.ContractViolation, match="currency"):
        migrate(lake, V2, commit=INFO, now=NOW, migrations=(wrong,))
    assert scan(lake, TOTALS).collect().sort("row_id").equals(totals({1: 10, 2: 20}))


def test_a_step_that_changes_values_alone_is_taken_once(lake: Lake) -> None:
    """The schema does not say whether the rows are new: killed between the two commits, the amounts would be taken
    ten times again, or never."""
    same_columns = replace(TOTALS, version=2)
    steps = (Migration(TOTALS.path, 1, lambda rows: rows.with_columns(pl.col("amount_fen") * 10)),)

    class Killed(BaseException):
        pass

    for moment in ("mark noted", "file written", "rows migrated", "version set", "noted"):
        table = replace(TOTALS, name=moment.replace(" ", "_"))
        later = replace(same_columns, name=table.name)
        own = tuple(replace(step, table=table.path) for step in steps)
        replace_partition(lake, table, totals({1: 10}), DAY.partition(table), commit=INFO, now=NOW)

        def die(step: str, moment: str = moment) -> None:
            if step == moment:
                raise Killed

        with pytest.raises(Killed):
            migrate(lake, later, commit=INFO, now=NOW, migrations=own, steps=die)
        migrate(lake, later, commit=INFO, now=NOW, migrations=own)
        assert scan(lake, later).collect().get_column("amount_fen").to_list() == [100]


def test_an_absent_table_needs_none(lake: Lake) -> None:
    assert not migrate(lake, V3, commit=INFO, now=NOW, migrations=())


def test_expired_hours_die_without_waiting_for_a_migration(lake: Lake) -> None:
    replace_partition(lake, SIGHTS, sights(HOURS), DAY.partition(SIGHTS), commit=INFO, now=NOW)
    newer = replace(SIGHTS, version=2, columns=(*SIGHTS.columns, Column("mood", pl.String, "Later.", nullable=True)))
    (dropped,) = drop_expired(lake, newer, commit=INFO, now=DAY.start_at + timedelta(hours=72)).hours
    assert dropped.rows_removed == 3
    assert scan(lake, SIGHTS).collect().height == 3
