"""The analysts' DuckDB file: built beside, looked over, swapped in. A build that fails leaves the old file as it is."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lakehouse.contract import Pii
from lakehouse.contracts import CONTRACTS
from lakehouse.lake import Lake

if TYPE_CHECKING:
    import duckdb

EXTENSION = "delta"
MARTS_SCHEMA = "marts"
_SECRET_NAMES = {
    "aws_access_key_id": "key_id",
    "aws_secret_access_key": "secret",
    "aws_region": "region",
    "aws_session_token": "session_token",
}


class WarehouseRefused(Exception):
    """The new file is not fit for analysts; the message names table and column. Holds no value."""


@dataclass(frozen=True)
class Build:
    """A file being built, and dbt's profile for it, both in a folder that goes when the build ends."""

    database: Path
    profiles: Path


@contextmanager
def building(warehouse: Path, scratch: Path, lake: Lake) -> Iterator[Build]:
    """Yields a place to build in. If the block ends without an exception the new file replaces `warehouse`.

    Raises WarehouseRefused if the new file holds anything but marts, or a column that a contract calls personal.
    """
    # Beside the target, so that the swap is a rename within one file system.
    folder = warehouse.parent / ".building"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    build = Build(folder / warehouse.name, folder)
    try:
        (folder / "profiles.yml").write_text(
            yaml.safe_dump(profile(build.database, lake, extension_folder(scratch))), encoding="utf-8"
        )
        yield build
        look_over(build.database)
        os.replace(build.database, warehouse)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def profile(database: Path, lake: Lake, extensions: Path) -> dict[str, Any]:
    """dbt's profile: where to build, and how to read the tables without the network."""
    output: dict[str, Any] = {
        "type": "duckdb",
        "path": str(database),
        "threads": 1,
        # Only the folder: DuckDB loads the extension by itself on first use, while dbt's own list would
        # install it from the network.
        "config_options": {"extension_directory": str(extensions)},
    }
    if not lake.is_local:
        output["secrets"] = [_secret(lake.options)]
    return {"openaisle": {"target": "build", "outputs": {"build": output}}}


def extension_folder(scratch: Path) -> Path:
    """A folder in which DuckDB finds its Delta extension, filled from the installed package: nothing is fetched."""
    import duckdb  # noqa: PLC0415 - not needed to load the definitions
    import duckdb_extension_delta  # noqa: PLC0415

    packaged = Path(duckdb_extension_delta.__file__).parent / "extensions"
    source = next(packaged.glob(f"**/{EXTENSION}.duckdb_extension"))
    connection = duckdb.connect()
    platform = connection.sql("pragma platform").fetchone()
    target = scratch / "duckdb" / f"v{duckdb.__version__}" / (platform[0] if platform else "")
    place = target / source.name
    if not place.exists():
        target.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, place.with_suffix(".unfinished"))
        place.with_suffix(".unfinished").replace(place)
    connection.close()
    return scratch / "duckdb"


def look_over(database: Path) -> None:
    """Refuses a file that holds a table outside the marts, or a column named as a personal one of any contract."""
    personal = {c.name for table in CONTRACTS.values() for c in table.columns if c.pii is not Pii.NONE}
    with open_read_only(database) as connection:
        columns = connection.sql(
            "select table_schema, table_name, column_name from information_schema.columns"
        ).fetchall()
    for schema, table, column in columns:
        if schema != MARTS_SCHEMA:
            raise WarehouseRefused(f"{schema}.{table} is no mart")
        if column in personal:
            raise WarehouseRefused(f"{schema}.{table} has the personal column {column}")
    if not columns:
        raise WarehouseRefused("the new file holds no mart")


@contextmanager
def open_read_only(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can change nothing; after a swap it still shows the file it opened."""
    import duckdb  # noqa: PLC0415 - not needed to load the definitions

    connection = duckdb.connect(str(database), read_only=True)
    try:
        yield connection
    finally:
        connection.close()


def _secret(options: Mapping[str, str]) -> dict[str, str | bool]:
    """Delta's storage options as a DuckDB secret."""
    given = {name.lower(): value for name, value in options.items()}
    secret: dict[str, str | bool] = {"type": "s3"}
    secret |= {theirs: given[ours] for ours, theirs in _SECRET_NAMES.items() if ours in given}
    if endpoint := given.get("aws_endpoint_url"):
        scheme, _, host = endpoint.partition("://")
        secret |= {"endpoint": host.rstrip("/"), "use_ssl": scheme == "https", "url_style": "path"}
    return secret
