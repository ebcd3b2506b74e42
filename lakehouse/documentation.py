"""What the contracts say, for people and for dbt: the data dictionary, the policy page and dbt's sources. All three are
committed; a test holds them against the contracts. `python -m lakehouse.documentation` writes them anew."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from lakehouse.contract import Column, Pii, TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.clauses import CLAUSES, Clause
from lakehouse.contracts.retention import DROP_MARGIN, SCHEDULE

REPOSITORY = Path(__file__).resolve().parent.parent
DICTIONARY = REPOSITORY / "docs" / "data-dictionary.md"
POLICY_PAGE = REPOSITORY / "docs" / "policy.md"
DBT_SOURCES = REPOSITORY / "dbt_project" / "models" / "staging" / "sources.yml"
DBT_TABLES = (
    ("orders", "stores"),
    ("orders", "visits"),
    ("orders", "orders"),
    ("orders", "order_lines"),
    ("orders", "review_items"),
    ("orders", "review_decisions"),
    ("orders", "historical_orders"),
    ("orders", "historical_order_lines"),
)
"""Tables that dbt reads."""


def dbt_sources(tables: Iterable[TableContract]) -> str:
    """dbt's sources file: one source a domain, its tables read through the Delta log."""
    by_domain: dict[str, list[TableContract]] = {}
    for table in tables:
        by_domain.setdefault(table.domain, []).append(table)
    sources = [
        {
            "name": domain,
            "description": f"Tables of the {domain} domain.",
            "config": {"external_location": f"delta_scan('{{{{ var(\"lake\") }}}}/{domain}/{{name}}')"},
            "tables": [_dbt_table(table) for table in tables_of_domain],
        }
        for domain, tables_of_domain in by_domain.items()
    ]
    head = "# Generated from lakehouse/contracts by `python -m lakehouse.documentation`; edit there.\n"
    return head + yaml.safe_dump({"sources": sources}, sort_keys=False, width=110, allow_unicode=True)


def data_dictionary(tables: Iterable[TableContract]) -> str:
    """The data dictionary as Markdown: every table and column, when its rows die, and who it is about."""
    lines = [
        "# Data dictionary",
        "",
        "Generated from lakehouse/contracts by `python -m lakehouse.documentation`; edit there.",
        "",
        "## When rows die",
        "",
        f"Rows with a limit are dropped by capture hour, {int(DROP_MARGIN.total_seconds() // 60)} minutes before it.",
        "",
        "| class | limit | basis | clauses |",
        "|---|---|---|---|",
    ]
    for rule in SCHEDULE.values():
        limit = f"{int(rule.limit.total_seconds() // 3600)} h from capture" if rule.limit else "none by age"
        decision = f" Decision: {rule.decision}" if rule.decision else ""
        lines.append(f"| {rule.retention} | {limit} | {rule.basis}.{decision} | {_linked(rule.clauses)} |")
    for table in tables:
        lines += ["", f"## {table.domain}/{table.name}", "", table.description, ""]
        lines += [f"- {name}: {value}" for name, value in _facts(table)]
        lines += ["", "| column | type | unit | personal | description |", "|---|---|---|---|---|"]
        lines += [f"| {c.name} | {_type(c)} | {c.unit} | {_label(c)} | {c.description} |" for c in table.columns]
    return "\n".join(lines) + "\n"


def policy_page(tables: Iterable[TableContract]) -> str:
    """The policy page as Markdown: every clause, what it asks, what is done, and the tables that name it."""
    named: dict[str, list[str]] = {clause_id: [] for clause_id in CLAUSES}
    for table in tables:
        for clause_id in table.clauses:
            named[clause_id].append(f"[{table.path}](data-dictionary.md#{table.domain}{table.name})")
    lines = [
        "# The privacy policy, clause by clause",
        "",
        "Generated from lakehouse/contracts/clauses.py by `python -m lakehouse.documentation`; edit there.",
        "",
        "Tables, columns and retention rules name the clauses that govern them by these ids. What the policy asks is",
        "put in our own words; its own text decides. Where nothing is done yet, it says so.",
    ]
    chapter = ""
    for clause in CLAUSES.values():
        if clause.chapter != chapter:
            chapter = clause.chapter
            lines += ["", f"## {chapter}"]
        lines += ["", f"{clause_heading(clause)}", "", f"*Asks:* {clause.asks}", "", f"*Done:* {clause.does}"]
        rules = [str(rule.retention) for rule in SCHEDULE.values() if clause.clause_id in rule.clauses]
        if rules:
            lines += ["", f"*Retention class:* [{', '.join(rules)}](data-dictionary.md#when-rows-die)"]
        if named[clause.clause_id]:
            lines += ["", f"*Tables:* {', '.join(named[clause.clause_id])}"]
    return "\n".join(lines) + "\n"


def clause_heading(clause: Clause) -> str:
    """The line of docs/policy.md that a clause begins with. The anchor makes a link independent of the title."""
    return f'### <a id="{clause.clause_id.lower()}"></a>{clause.clause_id}: {clause.title}'


def _linked(clauses: Iterable[str]) -> str:
    return ", ".join(f"[{clause}](policy.md#{clause.lower()})" for clause in clauses)


def _dbt_table(table: TableContract) -> dict[str, Any]:
    return {
        "name": table.name,
        "description": table.description,
        "columns": [
            {
                "name": column.name,
                "description": column.description + (f" ({column.unit})" if column.unit else ""),
            }
            for column in table.columns
        ],
    }


def _facts(table: TableContract) -> list[tuple[str, str]]:
    return [
        ("layer", table.layer),
        ("key", ", ".join(table.key)),
        ("partitions", ", ".join(table.partition_by) or "none"),
        ("written by", type(table.write_mode).__name__),
        ("retention", table.retention),
        ("purposes", ", ".join(table.purposes)),
        ("policy clauses", _linked(table.clauses) or "none"),
        ("checks", ", ".join(expectation.name for expectation in table.expectations) or "none"),
    ]


def _type(column: Column) -> str:
    return f"{column.dtype}, may be empty" if column.nullable else str(column.dtype)


def _label(column: Column) -> str:
    return "" if column.pii is Pii.NONE else column.pii


def main() -> None:
    """Writes the three files."""
    DICTIONARY.write_text(data_dictionary(CONTRACTS.values()), encoding="utf-8")
    POLICY_PAGE.write_text(policy_page(CONTRACTS.values()), encoding="utf-8")
    DBT_SOURCES.write_text(dbt_sources(CONTRACTS[key] for key in DBT_TABLES), encoding="utf-8")


if __name__ == "__main__":
    main()
