"""What Dagster knows of the dbt project is what the project says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assets.analytics.marts.assets import check_report, failures
from assets.analytics.marts.checks import check_specs, mart_specs
from assets.analytics.marts.dbt import NodeResult, manifest
from assets.analytics.marts.dbt_graph import (
    GRAPH_FILE,
    DbtGraph,
    DbtTest,
    Mart,
    from_json,
    load_graph,
    reduce_manifest,
    to_json,
)
from lakehouse.contracts import CONTRACTS
from lakehouse.documentation import DBT_TABLES

REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    return manifest()


def test_the_committed_graph_is_fresh(parsed: dict[str, Any]) -> None:
    assert GRAPH_FILE.read_text() == to_json(reduce_manifest(parsed)), "run `python -m assets.analytics`"


def test_a_test_that_judges_no_mart_is_refused(parsed: dict[str, Any]) -> None:
    node = {"resource_type": "test", "name": "lonely", "depends_on": {"nodes": []}, "config": {}}
    with pytest.raises(ValueError, match="lonely judges no mart"):
        reduce_manifest(parsed | {"nodes": parsed["nodes"] | {"test.openaisle.lonely": node}})


def test_the_file_comes_back_as_it_was() -> None:
    assert from_json(to_json(load_graph())) == load_graph()


def test_every_mart_is_described_to_its_last_column() -> None:
    for mart in load_graph().marts:
        assert mart.schema == "marts"
        assert mart.description
        assert all(column.description and column.data_type for column in mart.columns)
        money = [column for column in mart.columns if column.name.endswith("_fen")]
        assert money
        assert all(column.unit == "fen" for column in money)


def test_marts_read_tables_that_have_a_contract_and_dbt_has_no_other() -> None:
    read = {source for mart in load_graph().marts for source in mart.sources}
    assert read == set(DBT_TABLES)
    assert read <= set(CONTRACTS)


def test_assets_and_checks_carry_what_the_interface_shows() -> None:
    graph = load_graph()
    for spec in mart_specs(graph):
        assert spec.group_name == "analytics"
        assert spec.kinds == {"dbt", "duckdb"}
        assert spec.tags["pii"] == "none"
        assert spec.metadata["dagster/column_schema"].columns
    checks = check_specs(graph)
    assert len(checks) == len(graph.tests) + len(graph.marts)
    assert len({check.key for check in checks}) == len(checks)
    assert all(check.blocking and check.description for check in checks)


def test_loading_the_definitions_imports_no_engine() -> None:
    program = (
        "import sys; from assets.analytics.definitions import definitions; definitions();"
        "print([name for name in sys.modules if name.partition('.')[0] in ('dbt', 'duckdb', 'dagster_dbt')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, env={}, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr


TEST = DbtTest("test.openaisle.sums.1", "sums", "sales", "The sums fit.", is_blocking=True)
SOFT = DbtTest("test.openaisle.soft.2", "soft", "sales", "Rarely odd.", is_blocking=False)
GRAPH = DbtGraph((Mart("sales", "marts", "sales.sql", "Sales.", (), ()),), (TEST, SOFT))


def result(unique_id: str, status: str, failures_found: int | None = 0, error_kind: str = "") -> NodeResult:
    return NodeResult(unique_id, status, failures_found, 0.1, error_kind)


GOOD = {
    "model.openaisle.sales": result("model.openaisle.sales", "success", None),
    TEST.unique_id: result(TEST.unique_id, "pass"),
    SOFT.unique_id: result(SOFT.unique_id, "warn", 2),
}


@pytest.mark.parametrize(
    ("changes", "bad"),
    [
        ({}, []),
        ({TEST.unique_id: result(TEST.unique_id, "fail", 3)}, ["sums"]),
        ({TEST.unique_id: result(TEST.unique_id, "error", None)}, ["sums"]),
        ({SOFT.unique_id: result(SOFT.unique_id, "error", None)}, ["soft"]),
        ({TEST.unique_id: result(TEST.unique_id, "skipped", None)}, ["sums"]),
        ({"model.openaisle.sales": result("model.openaisle.sales", "error", None)}, ["sales"]),
        ({"model.openaisle.stg": result("model.openaisle.stg", "error", None)}, ["stg"]),
    ],
)
def test_a_build_is_good_only_if_everything_ran_and_passed(changes: dict[str, NodeResult], bad: list[str]) -> None:
    assert failures(GRAPH, GOOD | changes) == bad


def test_a_test_that_did_not_run_is_a_failure() -> None:
    results = {uid: found for uid, found in GOOD.items() if uid != TEST.unique_id}
    assert failures(GRAPH, results) == ["sums"]


def test_a_check_that_raised_is_an_error_and_not_bad_data() -> None:
    raised = check_report(SOFT, result(SOFT.unique_id, "error", None, "ConversionError"))
    assert not raised.passed
    assert raised.severity.value == "ERROR"
    assert raised.metadata["raised"].value == "ConversionError"
    assert "count" not in raised.metadata

    odd = check_report(SOFT, result(SOFT.unique_id, "warn", 2))
    assert not odd.passed
    assert odd.severity.value == "WARN"
    assert odd.metadata["count"].value == 2
