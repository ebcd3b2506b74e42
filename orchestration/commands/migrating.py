"""Rolls changed contracts out: brings the tables of a home made by an older version to the contracts of this one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.markup import escape

from lakehouse.contract import TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.lake import Lake
from lakehouse.tables.commit import CommitInfo
from lakehouse.upkeep.migrations import MIGRATIONS, Migration, migrate_all
from resources.code_version import code_version


def migrate_tables(
    lake: Lake,
    console: Console,
    now: datetime,
    contracts: Iterable[TableContract] = CONTRACTS.values(),
    migrations: tuple[Migration, ...] = MIGRATIONS,
) -> bool:
    """Migrates what is not of its contract's version, and says of each table what came of it. Returns whether every
    table now is."""
    info = CommitInfo(str(uuid.uuid4()), code_version())
    found = migrate_all(lake, contracts, commit=info, now=now, migrations=migrations)
    for one in found:
        if one.error:
            console.print(f"[red]not migrated[/red]: {escape(one.error)}", highlight=False)
        else:
            words = f"{one.table}: migrated from contract version {one.from_version} to {one.to_version}"
            console.print(words, markup=False, highlight=False)
    if not found:
        console.print("every table is of its contract's version: nothing to migrate")
    return not any(one.error for one in found)
