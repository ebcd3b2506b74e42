"""The marts as a run of Dagster builds them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from assets.analytics.marts import assets
from assets.analytics.marts.checks import FIT_CHECK, mart_key
from assets.analytics.marts.dbt_graph import load_graph
from assets.analytics.marts.warehouse import open_read_only
from lakehouse.contracts import contract
from lakehouse.lake import Lake
from resources.workplace import Workplace
from tests.assets.analytics.marts.conftest import CANARIES, ORDER, fill, line, order, write

STORE_DAYS = mart_key("store_days")


def build(home: Path) -> dg.ExecuteInProcessResult:
    return dg.materialize([assets.marts], resources={"workplace": Workplace(home=str(home))}, raise_on_error=False)


def rows(home: Path) -> list[dict[str, object]]:
    with open_read_only(home / "warehouse" / "analytics.duckdb") as connection:
        result = connection.execute("select * from marts.store_days")
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def failed_checks(result: dg.ExecuteInProcessResult) -> set[str]:
    return {check.check_name for check in result.get_asset_check_evaluations() if not check.passed}


@dataclass(frozen=True)
class Built:
    home: Path
    result: dg.ExecuteInProcessResult


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A home with its marts, built once: a build takes seconds."""
    home = tmp_path_factory.mktemp("built")
    fill(Lake(str(home / "lake")))
    return Built(home, build(home))


@pytest.fixture
def copied(built: Built, tmp_path: Path) -> Path:
    """The same home, for a test that changes it."""
    return Path(shutil.copytree(built.home, tmp_path / "home"))


def test_a_day_in_numbers(built: Built) -> None:
    home = built.home
    assert built.result.success
    history, platform = rows(home)
    assert platform == {
        "store_id": "s001",
        "business_date": date(2026, 1, 5),
        "origin": "platform",
        "is_simulated": True,
        "visits": 3,
        "orders": 2,
        "items": 4,
        "value_fen": 1000,
        "mean_order_fen": 500.0,
        "review_items": 2,
        "review_items_waiting": 1,
        "review_items_unbilled": 0,
        "review_items_decided": 1,
        "reviewed_share": 0.5,
    }
    assert (history["origin"], history["orders"], history["value_fen"], history["visits"]) == (
        "history",
        1,
        500,
        None,
    )

    # Every declared check was evaluated and passed, and the file holds the rows that the run reports.
    checks = {check.check_name for check in built.result.get_asset_check_evaluations() if check.passed}
    assert checks == {test.name for test in load_graph().tests} | {FIT_CHECK}
    (materialization,) = built.result.asset_materializations_for_node("marts")
    assert materialization.metadata["dagster/row_count"].value == 2

    # Nothing lies beside the file that could outlive the build.
    assert {path.name for path in (home / "warehouse").iterdir()} == {"analytics.duckdb", ".building.lock"}


def test_nothing_personal_is_in_the_file(built: Built) -> None:
    file = built.home / "warehouse" / "analytics.duckdb"
    # Not as bytes, and not in any value of any column of any table.
    raw = file.read_bytes()
    with open_read_only(file) as connection:
        tables = connection.execute("select table_schema, table_name from information_schema.tables").fetchall()
        assert tables == [("marts", "store_days")]
        values = str(connection.execute("select * from marts.store_days").fetchall())
        with pytest.raises(duckdb.InvalidInputException, match="read-only"):
            connection.execute("create table marts.mine as select 1")
    for canary in CANARIES:
        assert canary.encode() not in raw
        assert canary not in values
    # The canaries are in what the mart was made from: a search that finds nothing anywhere proves nothing.
    lake_text = b"".join(path.read_bytes() for path in (built.home / "lake").rglob("*.parquet"))
    assert ORDER.encode() in lake_text


def test_analysts_find_the_descriptions_in_the_file(built: Built) -> None:
    with open_read_only(built.home / "warehouse" / "analytics.duckdb") as connection:
        comments = connection.execute(
            "select column_name, comment from duckdb_columns() where schema_name = 'marts'"
        ).fetchall()
        (table,) = connection.execute("select comment from duckdb_tables()").fetchall()
    (mart,) = load_graph().marts
    assert dict(comments) == {column.name: column.description for column in mart.columns}
    assert " ".join(table[0].split()) == mart.description


def test_a_rerun_gives_the_same_rows(copied: Path) -> None:
    before = rows(copied)
    assert build(copied).success
    assert rows(copied) == before


def test_the_first_run_has_no_tables_to_read(home: Path) -> None:
    assert build(home).success
    assert rows(home) == []


def test_a_failed_build_leaves_the_old_file(copied: Path) -> None:
    lake = Lake(str(copied / "lake"))
    file = copied / "warehouse" / "analytics.duckdb"
    before = file.read_bytes()
    write(lake, contract("orders", "historical_orders"), [order("o2", 900), order("h9", 1)])
    write(lake, contract("orders", "historical_order_lines"), [line("nobody", "p1", 1, 300)])

    result = build(copied)

    assert not result.success
    assert file.read_bytes() == before
    assert {path.name for path in file.parent.iterdir()} == {"analytics.duckdb", ".building.lock"}
    assert not result.asset_materializations_for_node("marts")
    # The tests that found it say so in Dagster; those that could not run any more are errors, not passes.
    found = failed_checks(result)
    assert {
        "unique_stg_orders_order_no",
        "lines_add_up_to_their_order",
        "relationships_stg_order_lines_order_no__order_no__ref_stg_orders_",
    } <= found
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    text = str(failure.user_failure_data) + str(failure.error)
    assert "unique_stg_orders_order_no" in text
    assert not [canary for canary in (*CANARIES, "nobody") if canary in text]
