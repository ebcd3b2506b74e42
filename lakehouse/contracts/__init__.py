"""All contracts, by domain. A table without one cannot be written."""

from __future__ import annotations

from lakehouse.contract import TableContract
from lakehouse.contracts import orders, privacy, store_reference, vision

CONTRACTS: dict[tuple[str, str], TableContract] = {
    (table.domain, table.name): table
    for module in (vision, store_reference, orders, privacy)
    for table in module.TABLES
}


def contract(domain: str, name: str) -> TableContract:
    """The contract of a table. Raises KeyError naming the table."""
    try:
        return CONTRACTS[(domain, name)]
    except KeyError:
        raise KeyError(f"no contract for table {domain}/{name}") from None
