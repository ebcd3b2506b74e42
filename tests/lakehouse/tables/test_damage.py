"""A table that is not what the engine committed: never silently read, healed by a rerun where the rows are there,
and no obstacle to deletion."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from lakehouse import errors
from lakehouse.lake import Lake
from lakehouse.life.seals import seal
from lakehouse.tables.commit import create_if_absent
from lakehouse.tables.reader import collect, scan, table_version
from lakehouse.tables.writer import WriteReport, append_once, replace_partition, upsert
from lakehouse.upkeep.expired_hours import drop_expired
from lakehouse.upkeep.log_trimming import trim_logs
from lakehouse.upkeep.migrations import migrate
from tests.lakehouse.small_tables import (
    CARDS,
    DAY,
    INFO,
    LEDGER,
    NOW,
    SIGHTS,
    TOTALS,
    data_files,
    file_contents,
    sights,
    totals,
)

HOURS = list(DAY.capture_hours[:3])
FIRST_HOUR_GONE = DAY.start_at + timedelta(hours=71, minutes=30)
NOTE = "_engine/commits/probe/sights.json"


@pytest.fixture(params=["disk", "bucket"])
def any_lake(request: pytest.FixtureRequest) -> Lake:
    found = request.getfixturevalue("lake" if request.param == "disk" else "bucket_lake")
    assert isinstance(found, Lake)
    return found


def write(lake: Lake, seed: int = 0, steps: Callable[[str], None] = lambda _: None) -> WriteReport:
    rows = sights(HOURS, seed=seed)
    return replace_partition(lake, SIGHTS, rows, DAY.partition(SIGHTS), commit=INFO, now=NOW, steps=steps)


def log_entry(version: int) -> str:
    return f"{SIGHTS.path}/_delta_log/{version:020d}.json"


def log_keys(lake: Lake) -> list[str]:
    return [item.key for item in lake.objects.list(f"{SIGHTS.path}/_delta_log")]


def log_gone(lake: Lake) -> None:
    for key in log_keys(lake):
        lake.objects.delete(key)


def newest_gone(lake: Lake) -> None:
    lake.objects.delete(log_keys(lake)[-1])


def newest_empty(lake: Lake) -> None:
    lake.objects.put_bytes(b"", log_keys(lake)[-1])


def newest_cut(lake: Lake) -> None:
    lake.objects.put_bytes(b'{"add":{"pa', log_keys(lake)[-1])


def first_gone(lake: Lake) -> None:
    lake.objects.delete(log_keys(lake)[0])


def middle_gone(lake: Lake) -> None:
    lake.objects.delete(log_keys(lake)[1])


def note_lost_and_log_gone(lake: Lake) -> None:
    """As in a home made before there were notes."""
    lake.objects.delete(NOTE)
    log_gone(lake)


def checkpoint_cut(lake: Lake) -> None:
    table = lake.open(SIGHTS)
    assert table is not None
    table.create_checkpoint()
    key = next(key for key in log_keys(lake) if key.endswith(".checkpoint.parquet"))
    lake.objects.put_bytes((lake.objects.read_bytes(key) or b"")[:100], key)


DAMAGES = {
    log_gone: "its log is gone, though version 3 was committed",
    newest_gone: "its log ends at version 2, though version 3 was committed",
    newest_empty: "version 3 in its log is not what was committed",
    newest_cut: "its log cannot be read",
    first_gone: "its log cannot be read",
    middle_gone: "its log cannot be read",
    checkpoint_cut: "its log cannot be read",
    note_lost_and_log_gone: "data files lie there without a log",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_damaged_log_is_an_error_with_advice_and_nothing_is_changed(
    lake: Lake, damage: Callable[[Lake], None]
) -> None:
    for seed in (0, 1, 2):
        write(lake, seed)
    damage(lake)
    before = file_contents(Path(lake.root))
    attempts: tuple[Callable[[], object], ...] = (
        lambda: scan(lake, SIGHTS),
        lambda: table_version(lake, SIGHTS),
        lambda: write(lake, 3),
        lambda: create_if_absent(lake, SIGHTS, INFO),
        lambda: migrate(lake, SIGHTS, commit=INFO, now=NOW),
    )
    for attempt in attempts:
        with pytest.raises(errors.TableDamaged) as refused:
            attempt()
        assert str(refused.value) == f"probe/sights: {DAMAGES[damage]}; what to do: docs/runbooks/damaged-table.md"
    assert [trimmed.failure for trimmed in trim_logs(lake, [SIGHTS], pause_s=0.0)] == ["TableDamaged"]
    assert file_contents(Path(lake.root)) == before
    assert (Path(__file__).parents[3] / "docs/runbooks/damaged-table.md").is_file()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_deletion_and_seals_wait_for_no_repair(lake: Lake, damage: Callable[[Lake], None]) -> None:
    for seed in (0, 1, 2):
        write(lake, seed)
    replace_partition(lake, TOTALS, totals({1: 10}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    damage(lake)
    assert seal(lake, DAY, [SIGHTS, TOTALS], run_id="run-1", now=NOW)
    (dropped,) = drop_expired(lake, SIGHTS, commit=INFO, now=FIRST_HOUR_GONE).hours
    assert dropped.capture_hour == HOURS[0]
    assert dropped.files_removed == 3
    assert dropped.files_left == dropped.rows_left == 0
    assert not any(HOURS[0] in name for name in data_files(Path(lake.uri(SIGHTS))))
    # A drop commits, and the log must not catch up with its note by that.
    drop_expired(lake, SIGHTS, commit=INFO, now=FIRST_HOUR_GONE + timedelta(hours=1))
    with pytest.raises(errors.TableDamaged):
        scan(lake, SIGHTS)


def test_a_log_that_is_gone_in_a_bucket(bucket_lake: Lake) -> None:
    write(bucket_lake)
    log_gone(bucket_lake)
    with pytest.raises(errors.TableDamaged, match="its log is gone, though version 1 was committed"):
        scan(bucket_lake, SIGHTS)


def test_one_damaged_table_does_not_stop_the_trim_of_others(lake: Lake) -> None:
    for seed in (0, 1):
        write(lake, seed)
        replace_partition(lake, TOTALS, totals({1: seed}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    newest_cut(lake)
    trimmed, damaged = trim_logs(lake, [SIGHTS, TOTALS], pause_s=0.0)
    assert (trimmed.table, trimmed.data_files_removed) == ("probe/totals", 1)
    assert (damaged.table, damaged.failure) == ("probe/sights", "TableDamaged")


def test_a_crash_between_commit_and_note_is_no_damage_and_heals(lake: Lake) -> None:
    class Killed(BaseException):
        pass

    def die(step: str) -> None:
        if step == "committed":
            raise Killed

    write(lake)
    with pytest.raises(Killed):
        write(lake, 1, die)
    assert noted(lake) == 1
    assert scan(lake, SIGHTS).collect().sort("row_id").equals(sights(HOURS, seed=1))
    assert not write(lake, 1).committed
    assert noted(lake) == 2
    newest_gone(lake)
    with pytest.raises(errors.TableDamaged):
        scan(lake, SIGHTS)


def noted(lake: Lake) -> int:
    return int(json.loads(lake.objects.read_bytes(NOTE) or b"")["version"])


@pytest.mark.parametrize("content", [None, b"", b"not json", b"[]", b'{"version": "x", "files": ""}'])
def test_without_a_readable_note_a_table_is_read_and_the_next_write_notes(lake: Lake, content: bytes | None) -> None:
    """A home made by the version before has none."""
    write(lake)
    lake.objects.delete(NOTE)
    if content is not None:
        lake.objects.put_bytes(content, NOTE)
    assert scan(lake, SIGHTS).collect().height == 9
    assert not write(lake).committed
    assert noted(lake) == 1


def test_a_whole_lake_from_a_backup_is_sound_and_one_older_table_is_not(lake: Lake, tmp_path: Path) -> None:
    write(lake)
    shutil.copytree(lake.root, tmp_path / "backup")
    write(lake, 1)
    assert scan(Lake(str(tmp_path / "backup")), SIGHTS).collect().height == 9
    shutil.rmtree(lake.uri(SIGHTS))
    shutil.copytree(tmp_path / "backup/probe/sights", lake.uri(SIGHTS))
    with pytest.raises(errors.TableDamaged, match="its log ends at version 1, though version 2 was committed"):
        scan(lake, SIGHTS)
    lake.objects.delete(NOTE)  # how the runbook accepts what is there
    assert write(lake, 1).committed
    assert scan(lake, SIGHTS).collect().sort("row_id").equals(sights(HOURS, seed=1))


def test_other_engines_and_maintenance_run_ahead_of_the_note(lake: Lake) -> None:
    for seed in (0, 1):
        write(lake, seed)
    trim_logs(lake, [SIGHTS], pause_s=0.0)
    assert (table_version(lake, SIGHTS) or 0) > noted(lake)
    DeltaTable(lake.uri(SIGHTS)).alter.set_table_properties({"delta.checkpointInterval": "7"})
    assert scan(lake, SIGHTS).collect().height == 9
    write(lake, 2)
    assert noted(lake) == table_version(lake, SIGHTS)


def first_file(lake: Lake, path: str) -> str:
    return next(i.key for i in lake.objects.list(path) if "_delta_log" not in i.key and i.key.endswith(".parquet"))


def flipped(data: bytes) -> bytes:
    return data[:40] + bytes([data[40] ^ 255]) + data[41:]


FILE_DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "gone": lambda _: None,
    "truncated": lambda data: data[: len(data) // 2],
    "empty": lambda _: b"",
    "same size, other bytes": flipped,
}


def hurt(lake: Lake, key: str, how: str) -> bytes:
    data = lake.objects.read_bytes(key)
    assert data is not None
    harmed = FILE_DAMAGES[how](data)
    if harmed is None:
        lake.objects.delete(key)
    else:
        lake.objects.put_bytes(harmed, key)
    return data


@pytest.mark.parametrize("how", FILE_DAMAGES)
def test_a_rerun_heals_a_damaged_file_and_says_so(any_lake: Lake, how: str) -> None:
    write(any_lake)
    key = first_file(any_lake, SIGHTS.path)
    data = hurt(any_lake, key, how)
    report = write(any_lake)
    assert (report.cells_healed, report.committed, report.version) == (1, False, 1)
    assert any_lake.objects.read_bytes(key) == data
    assert scan(any_lake, SIGHTS).collect().sort("row_id").equals(sights(HOURS))
    assert write(any_lake).cells_healed == 0


@pytest.mark.parametrize("how", FILE_DAMAGES)
def test_what_cannot_be_healed_says_where_it_is_and_what_to_do(lake: Lake, how: str) -> None:
    """An append or an upsert needs the rows that lie there, and a reader needs them too."""
    append_once(lake, LEDGER, totals({1: 10}), commit=INFO, now=NOW)
    upsert(lake, CARDS, totals({1: 10}), commit=INFO, now=NOW)
    for table in (LEDGER, CARDS):
        hurt(lake, first_file(lake, table.path), how)
    attempts: tuple[Callable[[], object], ...] = (
        lambda: append_once(lake, LEDGER, totals({2: 20}), commit=INFO, now=NOW),
        lambda: upsert(lake, CARDS, totals({2: 20}), commit=INFO, now=NOW),
        lambda: collect(lake, LEDGER, scan(lake, LEDGER)),
    )
    wanted = r"data files are gone or damaged: 1, the first in store_id=s001/business_date=2026-11-22; what to do: docs"
    for attempt in attempts:
        with pytest.raises(errors.TableDamaged, match=wanted):
            attempt()
    # How the runbook gives the rows up: the log forgets what is not there.
    if how != "gone":
        lake.objects.delete(first_file(lake, LEDGER.path))
    table = lake.open(LEDGER)
    assert table is not None
    table.repair()
    assert append_once(lake, LEDGER, totals({2: 20}), commit=INFO, now=NOW).committed
    assert collect(lake, LEDGER, scan(lake, LEDGER)).get_column("row_id").to_list() == [2]


def test_a_query_that_fails_on_sound_files_is_no_damage(lake: Lake) -> None:
    write(lake)
    with pytest.raises(errors.StorageFailed):
        collect(lake, SIGHTS, scan(lake, SIGHTS).select("no_such_column"))
