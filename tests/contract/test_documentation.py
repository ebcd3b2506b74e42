"""What is generated from the contracts is committed as the contracts stand now."""

from __future__ import annotations

from lakehouse.contracts import CONTRACTS
from lakehouse.documentation import DBT_SOURCES, DBT_TABLES, DICTIONARY, data_dictionary, dbt_sources


def test_the_data_dictionary_is_fresh() -> None:
    assert DICTIONARY.read_text(encoding="utf-8") == data_dictionary(CONTRACTS.values())


def test_the_dbt_sources_are_fresh() -> None:
    assert DBT_SOURCES.read_text(encoding="utf-8") == dbt_sources(CONTRACTS[key] for key in DBT_TABLES)
