"""What Dagster shows of a table, all of it from its contract: description, columns with units and privacy labels, tags,
and one check per expectation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import dagster as dg

from lakehouse.audit import ExpectationResult
from lakehouse.contract import Column, Expectation, Pii, RetentionClass, Severity, TableContract
from lakehouse.contracts.clauses import CLAUSES
from lakehouse.contracts.retention import SCHEDULE
from lakehouse.documentation import POLICY_PAGE, clause_heading

CONTRACT_CHECK = "rows_match_contract"


@dataclass(frozen=True)
class DomainCheck:
    """A check beyond the contract, counted by the domain's own code. Its result carries the same name."""

    name: str
    description: str
    severity: Severity = Severity.BLOCKING


def asset_key(contract: TableContract) -> dg.AssetKey:
    """[domain, table]."""
    return dg.AssetKey([contract.domain, contract.name])


def group_of(contract: TableContract) -> str:
    """The group that the asset graph shows it in: its domain, and reference tables apart, or every arrow of the lineage
    would begin among them."""
    return "reference" if contract.retention is RetentionClass.REFERENCE else contract.domain


def table_spec(
    contract: TableContract,
    deps: Iterable[TableContract] = (),
    *,
    partitions_def: dg.PartitionsDefinition | None = None,
    kinds: Iterable[str] = (),
    made_by: Callable[..., object] | None = None,
) -> dg.AssetSpec:
    """The asset of a table. Owners, freshness and automation are mapped onto it where the domains are merged.

    `made_by` is the function behind it, for the link to its code.
    """
    return dg.AssetSpec(
        key=asset_key(contract),
        deps=[asset_key(table) for table in deps],
        description=_description(contract),
        group_name=group_of(contract),
        kinds={"deltalake", "polars", *kinds},
        partitions_def=partitions_def,
        tags=table_tags(contract),
        metadata={
            "dagster/column_schema": column_schema(contract),
            "dagster/table_name": contract.path,
            "contract_version": contract.version,
            **_links(contract, made_by),
        },
    )


def check_specs(
    contract: TableContract,
    more: Sequence[DomainCheck] = (),
    *,
    partitions_def: dg.PartitionsDefinition | None = None,
) -> list[dg.AssetCheckSpec]:
    """One check per expectation and domain check. They carry the partitions, or Dagster records none for them."""
    own = DomainCheck(CONTRACT_CHECK, "Columns, types, keys, labels and promised values are the contract's.")
    stated = [DomainCheck(e.name, _meaning(e), e.severity) for e in contract.expectations]
    return [
        dg.AssetCheckSpec(
            name=check.name,
            asset=asset_key(contract),
            description=check.description,
            blocking=check.severity is Severity.BLOCKING,
            partitions_def=partitions_def,
        )
        for check in (own, *stated, *more)
    ]


def column_schema(contract: TableContract) -> dg.TableSchema:
    """Columns with type, unit and privacy label; a personal column carries the clauses of its table, too."""
    return dg.TableSchema(columns=[_column(column, contract) for column in contract.columns])


def table_tags(contract: TableContract) -> dict[str, str]:
    """Layer, retention class, strictest privacy label, and one tag per policy clause."""
    order = (Pii.NONE, Pii.PSEUDONYMOUS, Pii.PERSONAL, Pii.SENSITIVE, Pii.FOOTAGE)
    strictest = max((column.pii for column in contract.columns), key=order.index)
    return {
        "layer": str(contract.layer),
        "retention": str(contract.retention),
        "pii": str(strictest),
        **_clause_tags(contract),
    }


def _clause_tags(contract: TableContract) -> dict[str, str]:
    return {f"clause/{clause}": "" for clause in contract.clauses}


def _links(contract: TableContract, made_by: Callable[..., object] | None) -> dict[str, object]:
    """Where the code behind the asset begins, and where the policy page explains each of its clauses."""
    links = []
    if made_by is not None:
        code = made_by.__code__
        links.append(dg.LocalFileCodeReference(file_path=code.co_filename, line_number=code.co_firstlineno))
    lines = _policy_lines()
    for clause_id in contract.clauses:
        links.append(
            dg.LocalFileCodeReference(
                file_path=str(POLICY_PAGE), line_number=lines.get(clause_id, 1), label=_clause_words(clause_id)
            )
        )
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=list(links))} if links else {}


@cache
def _policy_lines() -> dict[str, int]:
    """Line of docs/policy.md on which each clause begins; empty where the page does not ship."""
    text = POLICY_PAGE.read_text(encoding="utf-8").splitlines() if POLICY_PAGE.is_file() else []
    numbers = {line: number for number, line in enumerate(text, start=1)}
    return {
        key: numbers[clause_heading(clause)] for key, clause in CLAUSES.items() if clause_heading(clause) in numbers
    }


def _clause_words(clause_id: str) -> str:
    return f"{clause_id}: {CLAUSES[clause_id].title}"


def _description(contract: TableContract) -> str:
    rule = SCHEDULE[contract.retention]
    life = (
        f"Rows live {rule.limit.total_seconds() / 3600:.0f} h from capture." if rule.limit else f"Rows: {rule.basis}."
    )
    words = "; ".join(_clause_words(clause_id) for clause_id in contract.clauses)
    clauses = f" Policy clauses (docs/policy.md): {words}." if words else ""
    return f"{contract.description}\n\n{life}{clauses} Key: {', '.join(contract.key)}."


def _column(column: Column, contract: TableContract) -> dg.TableColumn:
    unit = f" [{column.unit}]" if column.unit else ""
    tags: dict[str, str] = {}
    if column.pii is not Pii.NONE:
        tags = {"pii": str(column.pii), **_clause_tags(contract)}
    if column.unit:
        tags["unit"] = column.unit
    return dg.TableColumn(
        name=column.name,
        type=str(column.dtype),
        description=f"{column.description}{unit}",
        constraints=dg.TableColumnConstraints(nullable=column.nullable),
        tags=tags,
    )


def _meaning(expectation: Expectation) -> str:
    words = expectation.type.removeprefix("expect_").replace("_", " ")
    limits = ", ".join(f"{name} {value}" for name, value in expectation.kwargs.items() if value is not None)
    return f"{expectation.column or 'rows'}: {words}" + (f" ({limits})" if limits else "")


def declared(checks: Mapping[str, tuple[DomainCheck, ...]], *paths: str) -> dict[str, tuple[DomainCheck, ...]]:
    """Of a room's declarations those of some tables."""
    return {path: checks[path] for path in paths if path in checks}


def of_table(
    checks: Mapping[str, tuple[DomainCheck, ...]], path: str, results: Iterable[ExpectationResult]
) -> list[ExpectationResult]:
    """Those of the results that are declared for a table."""
    names = {check.name for check in checks.get(path, ())}
    return [result for result in results if result.name in names]
