"""What a table promises. One `TableContract` per table is the single source of its schema, its place, the way it
is written, who its rows are about and when they die; everything else (Delta properties, column docs, checks, dbt
sources, the retention registry, the data dictionary) is derived from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import polars as pl


class Layer(StrEnum):
    """How refined a table is."""

    BRONZE = "bronze"
    SILVER = "silver"
    GOLD = "gold"


class Pii(StrEnum):
    """What a column's values say about a person. Everything but NONE is kept out of every statistic."""

    NONE = "none"
    PSEUDONYMOUS = "pseudonymous"
    PERSONAL = "personal"
    SENSITIVE = "sensitive"
    FOOTAGE = "footage"


class RetentionClass(StrEnum):
    """Which clock a table's rows die by. Limits and their legal basis: lakehouse/contracts/retention.py."""

    MOVEMENT = "movement"
    FOOTAGE = "footage"
    ACCOUNT = "account"
    REFERENCE = "reference"
    LEDGER = "ledger"


class Severity(StrEnum):
    """Whether a failed expectation stops the write."""

    BLOCKING = "blocking"
    WARNING = "warning"


@dataclass(frozen=True)
class ReplacePartition:
    """A write replaces exactly its partition; a rerun gives identical content."""


@dataclass(frozen=True)
class AppendOnce:
    """A write adds the rows whose key is not there yet; a row once written never changes."""


@dataclass(frozen=True)
class Upsert:
    """A write replaces the rows with the same key and adds the others."""


WriteMode = ReplacePartition | AppendOnce | Upsert


@dataclass(frozen=True)
class Column:
    """One column. `unit` is empty for what has none (names, ids, flags, instants in UTC)."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    description: str
    unit: str = ""
    pii: Pii = Pii.NONE
    nullable: bool = False


@dataclass(frozen=True)
class Expectation:
    """One promise about the values, run through Great Expectations before a commit.

    `type` is the expectation's name in Great Expectations in snake case, `kwargs` its arguments without the column.
    """

    type: str
    column: str = ""
    kwargs: Mapping[str, object] = field(default_factory=dict)
    severity: Severity = Severity.BLOCKING

    @property
    def name(self) -> str:
        """Stable name of the check, unique within a table."""
        short = self.type.removeprefix("expect_").removeprefix("column_values_to_").removeprefix("column_")
        return f"{self.column}_{short}" if self.column else short


@dataclass(frozen=True)
class TableContract:
    """A table. Its asset key is (domain, name), its path lake/domain/name."""

    domain: str
    name: str
    layer: Layer
    version: int
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    write_mode: WriteMode
    retention: RetentionClass
    purposes: tuple[str, ...]
    clauses: tuple[str, ...] = ()
    partition_by: tuple[str, ...] = ()
    clock_column: str | None = None
    subject_column: str | None = None
    expectations: tuple[Expectation, ...] = ()

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        where = f"contract {self.domain}/{self.name}"
        if len(set(names)) != len(names):
            raise ValueError(f"{where}: a column is declared twice")
        mentioned = {*self.key, *self.partition_by, *(e.column for e in self.expectations if e.column)}
        mentioned |= {c for c in (self.clock_column, self.subject_column) if c}
        if unknown := sorted(mentioned - set(names)):
            raise ValueError(f"{where}: names undeclared columns {unknown}")
        if personal := [c.name for c in self.columns if c.name in self.partition_by and c.pii is not Pii.NONE]:
            raise ValueError(f"{where}: personal columns {personal} would become folder names")
        if not self.key:
            raise ValueError(f"{where}: has no key")

    @property
    def path(self) -> str:
        """Place of the table below the lake's root."""
        return f"{self.domain}/{self.name}"

    @property
    def schema(self) -> pl.Schema:
        """Polars schema, in the order of the contract."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    @property
    def harmless_columns(self) -> tuple[str, ...]:
        """Columns whose minima and maxima may be written down."""
        return tuple(column.name for column in self.columns if column.pii is Pii.NONE)

    def column(self, name: str) -> Column:
        """The column of that name. Raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.domain}/{self.name} has no column {name}")
