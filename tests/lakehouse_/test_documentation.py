"""The generated documents say what the contracts say."""

from __future__ import annotations

from lakehouse.contracts import CONTRACTS
from lakehouse.documentation import DBT_SOURCES, DBT_TABLES, DICTIONARY, data_dictionary, dbt_sources

WRITE = "run `python -m lakehouse.documentation`"


def test_the_data_dictionary_is_fresh() -> None:
    assert DICTIONARY.read_text(encoding="utf-8") == data_dictionary(CONTRACTS.values()), WRITE


def test_dbt_sources_are_fresh() -> None:
    assert DBT_SOURCES.read_text(encoding="utf-8") == dbt_sources(CONTRACTS[key] for key in DBT_TABLES), WRITE


def test_every_table_and_column_is_in_the_dictionary() -> None:
    text = data_dictionary(CONTRACTS.values())
    for table in CONTRACTS.values():
        section = text.partition(f"\n## {table.domain}/{table.name}\n")[2].partition("\n## ")[0]
        assert table.description in section
        for column in table.columns:
            assert f"| {column.name} |" in section
            assert column.description in section
