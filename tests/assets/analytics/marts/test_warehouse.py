"""What the analysts' file may hold, and how it gets there."""

from __future__ import annotations

import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import duckdb
import pytest

from assets.analytics.marts.warehouse import (
    BUILDING_FOLDER,
    WarehouseBusy,
    WarehouseRefused,
    building,
    link_extensions,
    look_over,
    open_read_only,
    profile,
    what_is_wrong,
)
from lakehouse.lake import Lake
from tests.resources.other_process import other_process

FIT = "create table marts.sales (store_id varchar, business_date date, value_fen bigint, mean_fen double)"


def make(file: Path, *statements: str) -> Path:
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema marts")
        for statement in statements:
            connection.execute(statement)
    return file


def test_marts_without_persons_pass(tmp_path: Path) -> None:
    look_over(make(tmp_path / "new.duckdb", FIT), ["sales"])


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("create table staging as select 1 as value_fen", "main.staging is no mart"),
        ("create view marts.peek as select 1 as value_fen", "marts.peek is no mart"),
        ("alter table marts.sales add column account_id varchar", "personal column account_id"),
        ("alter table marts.sales add column order_no varchar", "personal column order_no"),
        ("alter table marts.sales add column member_id varchar", "member_id, which no contract knows"),
        ("alter table marts.sales add column visitors varchar[]", "visitors is of type VARCHAR[]"),
        ("alter table marts.sales add column visitor struct(a varchar)", "visitor is of type STRUCT"),
        ("alter table marts.sales add column face blob", "face is of type BLOB"),
        ("drop table marts.sales", "lacks sales"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, statement: str, named: str) -> None:
    file = make(tmp_path / "new.duckdb", FIT, statement)
    with pytest.raises(WarehouseRefused) as refused:
        look_over(file, ["sales"])
    assert named in str(refused.value)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.7, 0.99])
def test_a_file_that_was_cut_short_is_not_for_analysts(tmp_path: Path, kept: float) -> None:
    rows = "create table marts.sales as select 's' || range % 7 as store_id, hash(range) as value from range(200_000)"
    file = make(tmp_path / "analytics.duckdb", rows)
    assert what_is_wrong(file, ["sales"]) == ""
    assert what_is_wrong(file, ["sales", "visits"]) == f"marts.visits in {file} cannot be read (CatalogException)"
    data = file.read_bytes()
    file.write_bytes(data[: int(len(data) * kept)])
    assert str(file) in what_is_wrong(file, ["sales"])
    file.write_bytes(b"x" * 100_000)
    assert what_is_wrong(file, ["sales"]).startswith(f"{file} cannot be read (")
    file.unlink()
    assert what_is_wrong(file, ["sales"]) == f"{file} is not there"


def test_decimals_are_one_value(tmp_path: Path) -> None:
    statement = "alter table marts.sales add column mean_weight_g decimal(10, 2)"
    look_over(make(tmp_path / "new.duckdb", FIT, statement), ["sales"])


def test_a_refused_file_is_not_swapped_in_and_leaves_nothing(tmp_path: Path) -> None:
    file = tmp_path / "warehouse" / "analytics.duckdb"
    file.parent.mkdir()
    file.write_bytes(b"the old file")
    with pytest.raises(WarehouseRefused), building(file, Lake(str(tmp_path)), ["sales"]) as build:
        make(build.database, FIT, "alter table marts.sales add column account_id varchar")
    assert file.read_bytes() == b"the old file"
    assert not (file.parent / BUILDING_FOLDER).exists()


def test_a_reader_keeps_its_file_and_the_next_one_sees_the_new(tmp_path: Path) -> None:
    file = tmp_path / "warehouse" / "analytics.duckdb"
    for value in (1, 2):
        with building(file, Lake(str(tmp_path)), ["sales"]) as build:
            make(build.database, FIT, f"insert into marts.sales values ('s001', '2026-01-05', {value}, 1)")
        if value == 1:
            early = duckdb.connect(str(file), read_only=True)
    assert early.execute("select value_fen from marts.sales").fetchall() == [(1,)]
    early.close()
    with open_read_only(file) as connection:
        assert connection.execute("select value_fen from marts.sales").fetchall() == [(2,)]


def test_one_build_at_a_time(tmp_path: Path) -> None:
    file, lake = tmp_path / "analytics.duckdb", Lake(str(tmp_path))
    with pytest.raises(WarehouseRefused), building(file, lake, ["sales"]) as build:  # noqa: PT012
        with pytest.raises(WarehouseBusy), building(file, lake, ["sales"]):
            pass
        # The second one has taken nothing away from the first.
        make(build.database)


WRITES = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("create table main.notes as select 'acc-1' as account_id")
"""


def writer(file: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """Another process that has the file open for writing, and has written."""
    return other_process(WRITES, file)


def test_a_file_that_somebody_writes_into_is_left_to_them(tmp_path: Path) -> None:
    file, lake = make(tmp_path / "analytics.duckdb", FIT), Lake(str(tmp_path))
    before = file.read_bytes()
    with writer(file) as held:
        busy = f"process {held.pid} has {file} open for writing: close it there"
        with pytest.raises(WarehouseBusy, match=busy), building(file, lake, ["sales"]):
            pytest.fail("what they write would lie beside the new file")
        assert what_is_wrong(file, ["sales"]).startswith(busy)
    assert file.read_bytes() == before


def test_what_somebody_wrote_is_not_in_the_next_file(tmp_path: Path) -> None:
    """DuckDB keeps it beside the file, and would read it into whatever file has that name."""
    file = make(tmp_path / "analytics.duckdb", FIT)
    with writer(file):
        pass
    assert what_is_wrong(file, ["sales"]) == f"somebody has written into {file}; the next build makes it anew"
    with building(file, Lake(str(tmp_path)), ["sales"]) as build:
        make(build.database, FIT)
    look_over(file, ["sales"])
    assert what_is_wrong(file, ["sales"]) == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == [".building.lock", "analytics.duckdb"]


def test_nobody_begins_to_write_while_the_next_file_is_built(tmp_path: Path) -> None:
    file = make(tmp_path / "analytics.duckdb", FIT)
    with building(file, Lake(str(tmp_path)), ["sales"]) as build:
        command = [sys.executable, "-c", WRITES, str(file)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert "Could not set lock" in done.stderr
        make(build.database, FIT)


def test_what_a_killed_build_left_is_removed_by_the_next(tmp_path: Path) -> None:
    file = tmp_path / "analytics.duckdb"
    spilled = tmp_path / BUILDING_FOLDER / "analytics.duckdb.tmp" / "duckdb_temp_storage_DEFAULT-0.tmp"
    spilled.parent.mkdir(parents=True)
    spilled.write_bytes(b"rows about accounts")
    with building(file, Lake(str(tmp_path)), ["sales"]) as build:
        assert not spilled.exists()
        make(build.database, FIT)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".building.lock", "analytics.duckdb"]


def test_the_extension_is_found_without_a_copy(tmp_path: Path) -> None:
    folder = link_extensions(tmp_path / "extensions", Lake(str(tmp_path)))
    (link,) = [path for path in folder.rglob("*") if path.is_symlink()]
    assert link.name == "delta.duckdb_extension"
    assert link.resolve().is_file()


def test_a_bucket_needs_its_secret_in_the_profile(tmp_path: Path) -> None:
    options = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "cn-east-1",
    }
    output = profile(tmp_path / "a.duckdb", Lake("s3://bucket/lake", options), tmp_path)["openaisle"]["outputs"]
    assert output["build"]["secrets"] == [
        {
            "type": "s3",
            "key_id": "key",
            "secret": "secret",
            "region": "cn-east-1",
            "endpoint": "127.0.0.1:9000",
            "use_ssl": False,
            "url_style": "path",
        }
    ]
    assert (
        "secrets" not in profile(tmp_path / "a.duckdb", Lake(str(tmp_path)), tmp_path)["openaisle"]["outputs"]["build"]
    )
