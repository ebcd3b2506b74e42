"""What is generated from contracts and registries is committed as these stand now."""

from __future__ import annotations

import pytest

from assets.privacy.__main__ import PLACES_PAGE, places_page
from assets.privacy.places import PLACES
from lakehouse.contract import TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.clauses import CLAUSES
from lakehouse.contracts.retention import SCHEDULE
from lakehouse.documentation import (
    DBT_SOURCES,
    DBT_TABLES,
    DICTIONARY,
    POLICY_PAGE,
    clause_heading,
    data_dictionary,
    dbt_sources,
    policy_page,
)
from resources.steps.specs import column_schema, table_spec


def test_the_data_dictionary_is_fresh() -> None:
    assert DICTIONARY.read_text(encoding="utf-8") == data_dictionary(CONTRACTS.values())


def test_the_dbt_sources_are_fresh() -> None:
    assert DBT_SOURCES.read_text(encoding="utf-8") == dbt_sources(CONTRACTS[key] for key in DBT_TABLES)


def test_the_policy_page_is_fresh() -> None:
    assert POLICY_PAGE.read_text(encoding="utf-8") == policy_page(CONTRACTS.values())


def test_the_page_of_places_is_fresh() -> None:
    assert PLACES_PAGE.read_text(encoding="utf-8") == places_page(PLACES)


def test_every_clause_that_anything_names_is_explained() -> None:
    named = {clause for table in CONTRACTS.values() for clause in table.clauses}
    named |= {clause for rule in SCHEDULE.values() for clause in rule.clauses}
    assert named <= set(CLAUSES)
    assert all(clause_id == clause.clause_id for clause_id, clause in CLAUSES.items())


@pytest.mark.parametrize("table", CONTRACTS.values(), ids=lambda table: table.path)
def test_a_table_links_to_the_page_where_its_clauses_begin(table: TableContract) -> None:
    references = table_spec(table).metadata.get("dagster/code_references")
    found = {link.label: link for link in references.code_references} if references else {}
    lines = POLICY_PAGE.read_text(encoding="utf-8").splitlines()
    for clause_id in table.clauses:
        link = found[f"{clause_id}: {CLAUSES[clause_id].title}"]
        assert link.file_path == str(POLICY_PAGE)
        assert lines[link.line_number - 1] == clause_heading(CLAUSES[clause_id])
    personal = [column for column in column_schema(table).columns if "pii" in column.tags]
    assert all(f"clause/{clause_id}" in column.tags for column in personal for clause_id in table.clauses)
