"""Every dbt test sees the violation that it is there for: wrong models in a copy of the project, and they
fail."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from assets.analytics.marts import dbt
from assets.analytics.marts.dbt import DBT_PROJECT, NodeResult
from assets.analytics.marts.dbt_graph import load_graph
from assets.analytics.marts.warehouse import link_extensions, profile
from lakehouse.contracts import CONTRACTS
from lakehouse.documentation import DBT_TABLES
from lakehouse.lake import Lake
from lakehouse.tables.commit import create_if_absent
from tests.assets.analytics.marts.conftest import COMMIT, fill

MART = Path("models/marts/store_days.sql")
MART_YML = MART.with_suffix(".yml")
STAGED_REVIEWS = Path("models/staging/stg_review_items.sql")
# Two equal rows: nothing where something must be, an unknown origin, and sums that fit neither each other nor
# the orders.
WRONG_MART = """
select
    null::varchar as store_id, null::date as business_date, 'elsewhere' as origin,
    null::boolean as is_simulated, 1::bigint as visits, null::bigint as orders,
    null::bigint as items, null::bigint as value_fen,
    7::double as mean_order_fen, 5::bigint as review_items, 1::bigint as review_items_waiting,
    1::bigint as review_items_unbilled, 1::bigint as review_items_decided, 0.9::double as reviewed_share
from range(2)
"""
ON_STAGING = ("lines_add_up_to_their_order", "relationships_stg", "unique_stg", "not_null_stg")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DBT_PROJECT, tmp_path / "project", ignore=shutil.ignore_patterns("target", "logs")))


def build(project: Path, tmp_path: Path) -> dict[str, NodeResult]:
    lake = Lake(str(tmp_path / "lake"))
    fill(lake)
    for key in DBT_TABLES:
        create_if_absent(lake, CONTRACTS[key], COMMIT)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    wanted = profile(scratch / "new.duckdb", lake, link_extensions(scratch / "extensions", lake))
    (scratch / "profiles.yml").write_text(yaml.safe_dump(wanted))
    return dbt.build(project, scratch, scratch, {"lake": lake.root})


def test_a_wrong_mart_fails_every_test_of_it(project: Path, tmp_path: Path) -> None:
    (project / MART).write_text(WRONG_MART)
    # dbt does not build a model whose unit test fails; here the data tests are asked.
    declared = yaml.safe_load((project / MART_YML).read_text())
    del declared["unit_tests"]
    (project / MART_YML).write_text(yaml.safe_dump(declared))

    results = build(project, tmp_path)

    units = ("store_days_counts_every_visit_once", "stg_review_items_takes_the_first_decision")
    asked = [t for t in load_graph().tests if t.name not in units and not t.name.startswith(ON_STAGING)]
    assert len(asked) == 10
    assert {test.name: results[test.unique_id].status for test in asked} == {test.name: "fail" for test in asked}


@pytest.mark.parametrize(
    ("model", "right", "wrong", "unit_test"),
    [
        (MART, "count(*) as visits", "count(*) + 1 as visits", "store_days_counts_every_visit_once"),
        (STAGED_REVIEWS, "arg_min", "arg_max", "stg_review_items_takes_the_first_decision"),
    ],
)
def test_wrong_sql_fails_its_unit_test_and_nothing_is_built(
    project: Path, tmp_path: Path, model: Path, right: str, wrong: str, unit_test: str
) -> None:
    text = (project / model).read_text()
    assert right in text
    (project / model).write_text(text.replace(right, wrong))

    by_name = {uid.split(".")[-1]: result.status for uid, result in build(project, tmp_path).items()}

    assert by_name[unit_test] == "fail"
    assert by_name["store_days"] == "skipped"
