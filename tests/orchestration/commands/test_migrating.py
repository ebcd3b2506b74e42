"""A home made by the version before is rolled on to a changed contract."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from lakehouse.contract import Column, TableContract
from lakehouse.contracts import CONTRACTS, contract
from lakehouse.errors import ContractVersionMismatch
from lakehouse.lake import Lake
from lakehouse.tables.commit import create_if_absent
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import replace_partition
from lakehouse.upkeep.migrations import Migration
from orchestration.__main__ import main
from orchestration.commands.migrating import migrate_tables
from tests.lakehouse.small_tables import DAY, INFO, NOW, TOTALS, totals

LATER = replace(TOTALS, version=2, columns=(*TOTALS.columns, Column("currency", pl.String, "Of the amount.")))
OTHER = replace(TOTALS, name="other")
OTHER_LATER = replace(LATER, name="other")
STEP = Migration(TOTALS.path, 1, lambda rows: rows.with_columns(currency=pl.lit("CNY")))


def said_by(lake: Lake, contracts: list[TableContract], *steps: Migration) -> tuple[bool, str]:
    console = Console(file=io.StringIO(), width=400)
    is_done = migrate_tables(lake, console, datetime.now(UTC), contracts, steps)
    assert isinstance(console.file, io.StringIO)
    return is_done, console.file.getvalue()


def fill(lake: Lake, table: TableContract) -> None:
    replace_partition(lake, table, totals({1: 10}), DAY.partition(table), commit=INFO, now=NOW)


def test_a_changed_contract_is_rolled_out_and_one_table_does_not_stop_another(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    fill(lake, OTHER)
    fill(lake, TOTALS)
    with pytest.raises(ContractVersionMismatch, match=r"python -m orchestration migrate"):
        scan(lake, LATER)
    is_done, said = said_by(lake, [OTHER_LATER, LATER], STEP)
    assert not is_done
    assert "not migrated: probe/other: no registered steps lead from contract version 1 to 2" in said
    assert "probe/totals: migrated from contract version 1 to 2" in said
    assert scan(lake, LATER).collect().rows() == [("s001", "2026-11-22", 1, 10, "CNY")]
    assert scan(lake, OTHER).collect().height == 1
    assert said_by(lake, [LATER], STEP) == (True, "every table is of its contract's version: nothing to migrate\n")


def test_a_damaged_table_is_named_and_stops_no_other(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    fill(lake, TOTALS)
    fill(lake, OTHER)
    (tmp_path / "probe/other/_delta_log" / f"{1:020d}.json").unlink()
    is_done, said = said_by(lake, [OTHER_LATER, LATER], STEP)
    assert not is_done
    assert "not migrated: probe/other: its log ends at version 0" in said
    assert "probe/totals: migrated" in said


def test_the_command_on_a_home_of_an_older_version(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real contract, written as if the code's version were one lower: no step is registered for that one."""
    now = contract("orders", "stores")
    before = replace(now, version=now.version - 1)
    lake = Lake(str(tmp_path / "lake"))
    assert main(["--home", str(tmp_path), "migrate"]) == 0
    assert "nothing to migrate" in capsys.readouterr().out
    create_if_absent(lake, before, INFO)
    assert main(["--home", str(tmp_path), "migrate"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert f"orders/stores: no registered steps lead from contract version {before.version} to {now.version}" in said
    assert len(CONTRACTS) > 1
