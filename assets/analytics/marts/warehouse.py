"""The analysts' DuckDB file: built beside, looked over, swapped in. A build that fails leaves the old file
as it is."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lakehouse.contract import Pii
from lakehouse.contracts import CONTRACTS
from lakehouse.lake import Lake
from resources.lock_file import Taken, alone

if TYPE_CHECKING:
    import duckdb

MARTS_SCHEMA = "marts"
BUILDING_FOLDER = ".building"
LOCK_FILE = ".building.lock"

_LOCAL_EXTENSIONS = ("delta",)
_BUCKET_EXTENSIONS = ("httpfs", "delta")
_FLOCK = "hhqqi4x"
"""`struct flock` of the kernel on 64 bits: type, whence, start, length, process."""
_SECRET_NAMES = {
    "aws_access_key_id": "key_id",
    "aws_secret_access_key": "secret",
    "aws_region": "region",
    "aws_session_token": "session_token",
}


class WarehouseRefused(Exception):
    """The new file is not fit for analysts; the message names table and column. Holds no value."""


class ExtensionMissing(Exception):
    """DuckDB cannot read this lake; the message names the package that it needs."""


class WarehouseBusy(Exception):
    """Another process builds the file, or has it open for writing; the message says which one, and what to do."""


@dataclass(frozen=True)
class Build:
    """A file being built, dbt's profile for it, and a place for what dbt leaves behind: all in a folder
    that goes when the build ends."""

    database: Path
    profiles: Path
    scratch: Path


@contextmanager
def building(warehouse: Path, lake: Lake, marts: Collection[str]) -> Iterator[Build]:
    """Yields a place to build in. If the block ends without an exception the new file replaces `warehouse`.

    Raises WarehouseBusy, ExtensionMissing; and WarehouseRefused if the new file holds other tables than
    `marts`, or a column that says something about a person. While it is built, analysts read the old file, and nobody
    can open it for writing.
    """
    # Beside the target, so that the swap is a rename within one file system.
    folder = warehouse.parent / BUILDING_FOLDER
    warehouse.parent.mkdir(parents=True, exist_ok=True)
    with _only_build(warehouse.parent / LOCK_FILE), _no_writer(warehouse):
        # What a killed build left holds rows about accounts (dbt's spill files), so it goes before anything
        # else.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        build = Build(folder / warehouse.name, folder, folder / "dbt")
        build.scratch.mkdir()
        try:
            wanted = profile(build.database, lake, link_extensions(folder / "extensions", lake))
            (folder / "profiles.yml").write_text(yaml.safe_dump(wanted), encoding="utf-8")
            yield build
            look_over(build.database, marts)
            _sync(build.database)
            # Of whoever wrote into the old file and did not close it: DuckDB would take it for the new file's.
            _journal(warehouse).unlink(missing_ok=True)
            os.replace(build.database, warehouse)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def profile(database: Path, lake: Lake, extensions: Path) -> dict[str, Any]:
    """dbt's profile: where to build, and how to read the tables without the network."""
    output: dict[str, Any] = {
        "type": "duckdb",
        "path": str(database),
        "threads": 1,
        # Only the folder: DuckDB loads an extension by itself on first use, while dbt's own list would
        # install it from the network.
        "config_options": {"extension_directory": str(extensions), "autoinstall_known_extensions": "false"},
    }
    if not lake.is_local:
        output["secrets"] = [_secret(lake.options)]
    return {"openaisle": {"target": "build", "outputs": {"build": output}}}


def link_extensions(folder: Path, lake: Lake) -> Path:
    """A folder in which DuckDB finds the extensions that it needs for this lake, as links to the installed
    packages: nothing is fetched, nothing copied. Raises ExtensionMissing."""
    import importlib  # beside its only use

    import duckdb  # not needed to load the definitions

    with duckdb.connect() as connection:
        (platform,) = connection.execute("select platform from pragma_platform()").fetchone() or ("",)
    version = f"v{duckdb.__version__}"
    place = folder / version / platform
    place.mkdir(parents=True)
    for name in _LOCAL_EXTENSIONS if lake.is_local else _BUCKET_EXTENSIONS:
        try:
            package = importlib.import_module(f"duckdb_extension_{name}")
        except ModuleNotFoundError:
            raise ExtensionMissing(f"the package duckdb-extension-{name} is not installed") from None
        source = Path(str(package.__file__)).parent / "extensions" / version / f"{name}.duckdb_extension"
        (place / source.name).symlink_to(source)
    return folder


def look_over(database: Path, marts: Collection[str]) -> None:
    """Refuses a file that lacks a mart or holds anything else, and any column whose name a contract calls
    personal, any identifier that no contract knows as harmless, and any type that could carry more than
    one value."""
    columns = [column for table in CONTRACTS.values() for column in table.columns]
    personal = {column.name for column in columns if column.pii is not Pii.NONE}
    harmless = {column.name for column in columns} - personal
    with open_read_only(database) as connection:
        found = connection.execute(
            "select table_schema, table_name, column_name, data_type from information_schema.columns"
        ).fetchall()
    for schema, table, column, dtype in found:
        if schema != MARTS_SCHEMA or table not in marts:
            raise WarehouseRefused(f"{schema}.{table} is no mart")
        if column in personal:
            raise WarehouseRefused(f"{schema}.{table} has the personal column {column}")
        if column.endswith(("_id", "_ids", "_no")) and column not in harmless:
            raise WarehouseRefused(f"{schema}.{table} has {column}, which no contract knows as harmless")
        if dtype == "BLOB" or "[" in dtype or "(" in dtype.removeprefix("DECIMAL("):
            raise WarehouseRefused(f"{schema}.{table}.{column} is of type {dtype.partition('(')[0]}")
    if missing := sorted(set(marts) - {table for _, table, _, _ in found}):
        raise WarehouseRefused(f"the new file lacks {', '.join(missing)}")


@contextmanager
def open_read_only(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can change nothing; after a swap it still shows the file it opened."""
    import duckdb  # not needed to load the definitions

    connection = duckdb.connect(str(database), read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def what_is_wrong(database: Path, marts: Collection[str]) -> str:
    """Why analysts could not use the file; empty if they can. Reads every value of every mart: a file that was cut
    short opens, and counts its rows, and breaks only where it was cut."""
    import duckdb  # not needed to load the definitions

    if not database.is_file():
        return f"{database} is not there"
    try:
        with _no_writer(database):
            pass
    except WarehouseBusy as busy:
        return str(busy)
    if _journal(database).exists():
        return f"somebody has written into {database}; the next build makes it anew"
    mart = ""
    try:
        with open_read_only(database) as connection:
            for mart in sorted(marts):
                connection.execute(f'select bit_xor(hash(row)) from {MARTS_SCHEMA}."{mart}" as row').fetchall()
    except (duckdb.Error, OSError) as error:
        place = f"{MARTS_SCHEMA}.{mart} in {database}" if mart else str(database)
        return f"{place} cannot be read ({type(error).__name__})"
    return ""


def row_counts(database: Path, marts: Collection[str]) -> dict[str, int]:
    """Rows per mart."""
    with open_read_only(database) as connection:
        return {
            mart: (connection.execute(f'select count(*) from {MARTS_SCHEMA}."{mart}"').fetchone() or (0,))[0]
            for mart in marts
        }


@contextmanager
def _only_build(lock: Path) -> Iterator[None]:
    try:
        with alone(lock):
            yield
    except Taken as taken:
        raise WarehouseBusy(
            f"{taken} is building the analysts' file: wait until it has ended, then run again"
        ) from None


@contextmanager
def _no_writer(database: Path) -> Iterator[None]:
    """Keeps everybody from opening the file for writing, by the lock that DuckDB's own readers hold. Raises
    WarehouseBusy if somebody has it open for writing: what they write later would lie beside the next file."""
    if not database.is_file():
        yield
        return
    handle = os.open(database, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            fcntl.lockf(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WarehouseBusy(
                f"{_writer(handle)} has {database} open for writing: close it there (open it with read_only=True), "
                "then run again"
            ) from None
        yield
    finally:
        os.close(handle)


def _writer(handle: int) -> str:
    """Who holds the lock of a writer."""
    asked = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, 0, 0, 0)
    holder = struct.unpack(_FLOCK, fcntl.fcntl(handle, fcntl.F_GETLK, asked))[-1]
    return f"process {holder}" if holder > 0 else "another process"


def _journal(database: Path) -> Path:
    """Where DuckDB keeps what a writer has not yet put into the file."""
    return database.with_name(f"{database.name}.wal")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _secret(options: Mapping[str, str]) -> dict[str, str | bool]:
    """Delta's storage options as a DuckDB secret."""
    given = {name.lower(): value for name, value in options.items()}
    secret: dict[str, str | bool] = {"type": "s3"}
    secret |= {theirs: given[ours] for ours, theirs in _SECRET_NAMES.items() if ours in given}
    if endpoint := given.get("aws_endpoint_url"):
        scheme, _, host = endpoint.partition("://")
        secret |= {"endpoint": host.rstrip("/"), "use_ssl": scheme == "https", "url_style": "path"}
    return secret
