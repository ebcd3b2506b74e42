"""A table of an older contract version is brought to the current one by registered steps, never by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import polars as pl
from deltalake import DeltaTable, Schema
from deltalake.exceptions import CommitFailedError

from lakehouse.contract import TableContract
from lakehouse.errors import CommitConflict, ContractVersionMismatch, LakehouseError, TableDamaged, concealed
from lakehouse.lake import ENGINE_FOLDER, Lake
from lakehouse.leases.attempts import Lease
from lakehouse.leases.hold import hold_lease
from lakehouse.life.tombstones import load_tombstones
from lakehouse.tables import admission
from lakehouse.tables.commit import NO_HOOKS, CommitInfo, Steps, encode_cell, no_steps, renew_note
from lakehouse.tables.properties import arrow_schema, table_properties
from lakehouse.tables.snapshot import Snapshot, table_contract_version, take_snapshot


@dataclass(frozen=True)
class Migration:
    """One step of one table: rows as version `from_version` had them become rows of the next version."""

    table: str
    from_version: int
    transform: Callable[[pl.DataFrame], pl.DataFrame]


MIGRATIONS: tuple[Migration, ...] = ()
"""The registered steps. A contract whose version goes up adds one here."""


@dataclass(frozen=True)
class Migrated:
    """What came of one table that was not of its contract's version. `error`: why it still is not; else empty."""

    table: str
    from_version: int
    to_version: int
    error: str = ""


def migrate_all(
    lake: Lake,
    contracts: Iterable[TableContract],
    *,
    commit: CommitInfo,
    now: datetime,
    migrations: tuple[Migration, ...] = MIGRATIONS,
) -> list[Migrated]:
    """Brings every table to its contract's version. One that cannot be migrated stops none of the others.

    Returns what had to be migrated; empty if every table is of its contract's version.
    """
    found = []
    for contract in contracts:
        version = contract.version
        try:
            version = concealed(contract.path, "reading its contract version", lambda c=contract: _version(lake, c))  # type: ignore[misc]
            if migrate(lake, contract, commit=commit, now=now, migrations=migrations):
                found.append(Migrated(contract.path, version, contract.version))
        except LakehouseError as error:
            found.append(Migrated(contract.path, version, contract.version, str(error)))
    return found


def _version(lake: Lake, contract: TableContract) -> int:
    table = take_snapshot(lake, contract, any_version=True).table
    return contract.version if table is None else table_contract_version(table)


def migrate(
    lake: Lake,
    contract: TableContract,
    *,
    commit: CommitInfo,
    now: datetime,
    migrations: tuple[Migration, ...] = MIGRATIONS,
    steps: Steps = no_steps,
) -> bool:
    """Brings the table to the contract's version. Returns whether there was anything to do.

    Rows and schema change in one commit, the version property in the next; killed between them, a rerun sets
    the property alone: the files of the first commit bear a mark that was noted before it. Raises
    ContractVersionMismatch if a step is not registered or the table is newer than the code, and TableDamaged.
    """
    return concealed(contract.path, "migrating", lambda: _migrate(lake, contract, commit, now, migrations, steps))


def _migrate(
    lake: Lake,
    contract: TableContract,
    commit: CommitInfo,
    now: datetime,
    migrations: tuple[Migration, ...],
    steps: Steps,
) -> bool:
    with hold_lease(lake, contract) as lease:
        before = take_snapshot(lake, contract, any_version=True)
        if before.damage:
            raise TableDamaged(contract.path, before.damage)
        table = before.table
        if table is None or (found := table_contract_version(table)) == contract.version:
            _tidy_up(lake, before)
            return False
        path = _path(contract, found, migrations)
        if not _is_rewritten(lake, contract, before, table):
            _rewrite(lake, contract, table, path, lease, commit, now, steps)
            steps("rows migrated")
            table = lake.open(contract)
            assert table is not None
        table.alter.set_table_properties(table_properties(contract), raise_if_not_exists=False)
        steps("version set")
        _tidy_up(lake, take_snapshot(lake, contract))
        steps("noted")
    return True


def _tidy_up(lake: Lake, after: Snapshot) -> None:
    """What follows a migration, and is made up for if that was killed before it."""
    renew_note(lake, after)
    lake.objects.delete(_mark_key(after.contract))


def _is_rewritten(lake: Lake, contract: TableContract, before: Snapshot, table: DeltaTable) -> bool:
    """Whether a migration to this version was killed after its first commit. Meanwhile only drops can have
    committed, and they add no file."""
    if table.schema() != Schema.from_arrow(arrow_schema(contract)):
        return False
    mark = lake.objects.read_bytes(_mark_key(contract))
    return mark is not None and all(path.endswith(f"-{mark.decode()}.parquet") for path in before.paths)


def _mark_key(contract: TableContract) -> str:
    return f"{ENGINE_FOLDER}/migrations/{contract.path}-{contract.version}"


def _path(contract: TableContract, found: int, migrations: tuple[Migration, ...]) -> list[Migration]:
    registered = {step.from_version: step for step in migrations if step.table == contract.path}
    wanted = range(found, contract.version)
    if found > contract.version or any(version not in registered for version in wanted):
        reason = f"no registered steps lead from contract version {found} to {contract.version}"
        raise ContractVersionMismatch(contract.path, reason)
    return [registered[version] for version in wanted]


def _rewrite(
    lake: Lake,
    contract: TableContract,
    table: DeltaTable,
    path: list[Migration],
    lease: Lease,
    commit: CommitInfo,
    now: datetime,
    steps: Steps,
) -> None:
    tombstones = load_tombstones(lake)
    rows = pl.DataFrame(table.to_pyarrow_table())
    for step in path:
        rows = step.transform(rows)
    admission.check_frame(contract, rows)
    rows, _ = tombstones.drop(contract, rows)
    cells = admission.cells_of_rows(contract, rows) if rows.height else []
    lake.objects.put_bytes(lease.mark.encode(), _mark_key(contract))
    steps("mark noted")
    files = [
        encode_cell(contract, cell, rows.filter(_lies_in(contract, cell)) if cell else rows, lease.mark)
        for cell in cells
    ]
    for file in files:
        lake.objects.put_bytes(file.data, f"{contract.path}/{file.path}")
        steps("file written")
    lease.check()
    try:
        table.create_write_transaction(
            [file.add_action(contract, int(now.timestamp() * 1000)) for file in files],
            "overwrite",
            arrow_schema(contract),
            list(contract.partition_by),
            commit_properties=commit.properties(contract, tombstones.version),
            post_commithook_properties=NO_HOOKS,
        )
        return
    except CommitFailedError:
        pass
    raise CommitConflict(contract.path, "somebody committed beside the migration")


def _lies_in(contract: TableContract, cell: admission.Cell) -> pl.Expr:
    return pl.all_horizontal(*(pl.col(name) == value for name, value in zip(contract.partition_by, cell, strict=True)))
