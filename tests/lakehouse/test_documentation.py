"""The generated documents say what the contracts say. That they are fresh: tests/contract/test_documentation.py."""

from __future__ import annotations

from lakehouse.contracts import CONTRACTS
from lakehouse.documentation import data_dictionary


def test_every_table_and_column_is_in_the_dictionary() -> None:
    text = data_dictionary(CONTRACTS.values())
    for table in CONTRACTS.values():
        section = text.partition(f"\n## {table.domain}/{table.name}\n")[2].partition("\n## ")[0]
        assert table.description in section
        for column in table.columns:
            assert f"| {column.name} |" in section
            assert column.description in section
