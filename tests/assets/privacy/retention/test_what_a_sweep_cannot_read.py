"""What a sweep cannot open, list, count or enter: what is due dies all the same, and what is not known is said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest

from assets.privacy.places import file_places
from assets.privacy.retention.assets import sweeps
from assets.privacy.retention.checks import UNCLAIMED
from assets.privacy.retention.notes import FIRST_SEEN, JOURNAL
from assets.privacy.retention.sweep import sweep
from assets.privacy.retention.trimming import trim_daily
from lakehouse.contracts.privacy import SWEEPS
from lakehouse.contracts.vision import CLOTHING
from lakehouse.files.disk import LocalObjects
from lakehouse.files.open import object_store
from lakehouse.store_day import capture_hour
from lakehouse.tables.reader import scan
from resources.settings import load_settings
from tests.assets.privacy.retention import sweep_process
from tests.assets.privacy.retention.test_nothing_stops_a_sweep import (
    EVERYTHING_DUE,
    LIVING,
    REPOSITORY,
    Home,
    full_home,
    give_to_nobody,
    is_swept,
    log_broken,
)
from tests.assets.privacy.retention.test_sweep_failures import INFO, at
from tests.assets.privacy.test_steps import checks, run

DEAD_HOUR = capture_hour(at(0.5))
UNDATED = "s001/c1/holiday.mp4"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return full_home(tmp_path)


def edit_log(home: Home, old: bytes, new: bytes) -> None:
    for entry in (home.table("clothing") / "_delta_log").glob("*.json"):
        entry.write_bytes(entry.read_bytes().replace(old, new))


def a_file_as_log(home: Home) -> None:
    shutil.rmtree(home.table("clothing") / "_delta_log")
    (home.table("clothing") / "_delta_log").write_bytes(b"x")


def an_hour_that_is_null(home: Home) -> None:
    edit_log(home, f'"{capture_hour(LIVING)}"'.encode(), b"null")


def a_folder_as_commit_note(home: Home) -> None:
    note = home.root / "lake" / "_engine" / "commits" / f"{CLOTHING.path}.json"
    note.unlink()
    note.mkdir()


def holds_nothing_dead(home: Home, table: str = "clothing") -> bool:
    return not list(home.table(table).rglob(f"capture_hour={DEAD_HOUR}"))


@pytest.mark.parametrize("damage", [a_file_as_log, an_hour_that_is_null, a_folder_as_commit_note])
def test_a_log_that_raises_anything_keeps_no_folder_alive(home: Home, damage: Callable[[Home], None]) -> None:
    damage(home)
    swept = home.sweep()
    is_swept(home, but=CLOTHING.path)
    assert holds_nothing_dead(home)
    assert list(home.table("clothing").rglob(f"capture_hour={capture_hour(LIVING)}"))
    assert any(failure.startswith(f"{CLOTHING.path}: its log cannot be read: ") for failure in swept.failures)


def test_files_that_the_log_does_not_count_die_and_are_said_to_be_uncounted(home: Home) -> None:
    edit_log(home, b"numRecords", b"xumRecords")
    swept = home.sweep()
    is_swept(home)
    assert f"{CLOTHING.path}: 1 files whose rows its log does not count, entered as 0 rows" in swept.failures


def test_a_store_folder_in_any_bytes_dies_and_its_name_is_not_repeated(home: Home) -> None:
    folder = os.fsencode(home.table("clothing")) + b"/store_id=\xff\xfe/capture_hour=" + DEAD_HOUR.encode()
    os.makedirs(folder)
    Path(os.fsdecode(folder), "x.parquet").write_bytes(b"x")
    swept = home.sweep()
    is_swept(home)
    (row,) = swept.ledger.filter(place=CLOTHING.path, store_id="unknown").iter_rows(named=True)
    assert (row["rows_removed"], row["files_removed"], row["bytes_removed"]) == (0, 1, 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("closed", ["folder", "partition", "log"])
def test_a_folder_that_may_be_listed_and_not_looked_into(home: Home, closed: str) -> None:
    folders = {
        "folder": home.root / "footage" / "s000" / "c1" / DEAD_HOUR,
        "partition": home.table("clothing") / "store_id=s000" / f"capture_hour={DEAD_HOUR}",
        "log": home.table("clothing") / "_delta_log",
    }
    folder = folders[closed]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "20260301T160000.000Z.mp4").write_bytes(b"x")
    give_to_nobody(home.root)
    folder.chmod(0o400)
    arguments = [sys.executable, "-m", sweep_process.__name__, str(home.root), EVERYTHING_DUE.isoformat()]
    done = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    folder.chmod(0o700)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    where = "footage" if closed == "folder" else CLOTHING.path
    assert any(failure.startswith(f"{where}: ") for failure in found["failures"])
    if closed != "log":
        assert where in found["check"][1], "not known, which is not zero"
        assert not any(place.startswith(where) for place in found["places"])
    assert not list((home.root / "footage" / "s001").rglob(f"{DEAD_HOUR}/*"))
    assert not list((home.table("clothing") / "store_id=s001").rglob(f"capture_hour={DEAD_HOUR}"))


@pytest.mark.parametrize("loss", ["cut", "never kept"])
def test_lost_first_sights_give_no_second_life(home: Home, monkeypatch: pytest.MonkeyPatch, loss: str) -> None:
    def sweep_at(now: datetime) -> None:
        sweep(home.lake, file_places(load_settings(home=home.root)), commit=INFO, now=now)

    object_store(str(home.root / "footage")).put_bytes(b"strange", UNDATED)
    os.utime(home.root / "footage" / UNDATED, (at(1).timestamp(),) * 2)
    real = LocalObjects.put_bytes

    def put_bytes(self: LocalObjects, data: bytes, key: str) -> None:
        if loss == "never kept" and key == FIRST_SEEN:
            raise OSError(28, "No space left on device")
        real(self, data, key)

    monkeypatch.setattr(LocalObjects, "put_bytes", put_bytes)
    sweep_at(at(2))
    if loss == "cut":
        (home.root / "lake" / FIRST_SEEN).write_bytes(b'{"a')
    sweep_at(at(168.4))
    assert UNDATED in home.clips()
    sweep_at(at(168.5))
    assert UNDATED not in home.clips()


def test_a_note_that_cannot_be_read_takes_no_other_along(home: Home) -> None:
    """The deletions are made; only the notes know of them."""
    first = home.sweep()
    journal = home.root / "lake" / JOURNAL
    for broken in ({"noted_at": "x"}, {"rows": "many"}, {"store_id": "\udcff"}):
        notes = json.loads(journal.read_bytes())
        notes[0] |= broken
        journal.write_text(json.dumps(notes))
        again = home.sweep()
        assert again.ledger.height == len(notes) - 1
        assert set(again.ledger["sweep_id"]) < set(first.ledger["sweep_id"])
        assert any("could not be read" in failure for failure in again.failures)
    beside = list(journal.parent.glob("sweep_journal.json*.damaged"))
    assert len(beside) == 3, "none is written over by the next"


def test_a_table_that_could_not_be_trimmed_is_tried_by_every_sweep(home: Home) -> None:
    assert trim_daily(home.lake, at(0)).failures == ()
    lease = home.root / "lake" / "_engine" / "leases" / CLOTHING.path
    lease.unlink()
    lease.mkdir()
    for now in (at(24), at(24.2)):
        trimmed = trim_daily(home.lake, now)
        assert trimmed.failures == (f"trimming {CLOTHING.path}: IsADirectoryError",)
    lease.rmdir()
    assert CLOTHING.path in {table.table for table in trim_daily(home.lake, at(24.4)).tables}
    assert trim_daily(home.lake, at(24.6)).tables == ()


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return f"{failure.user_failure_data} {failure.error}"


def test_a_check_that_cannot_count_stops_no_ledger(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_: Path) -> None:
        raise PermissionError("canary-path")

    log_broken(home)
    monkeypatch.setattr("assets.privacy.retention.assets.every_file_is_claimed", closed)
    result = run(sweeps, home.root, EVERYTHING_DUE)
    assert checks(result)[UNCLAIMED] is False
    assert scan(home.lake, SWEEPS).collect().height == 5
    assert f"{CLOTHING.path}: its log cannot be read" in failure_of(result)
    assert "canary-path" not in str(result.all_events)


def test_a_broken_ledger_hides_nothing_else_and_is_written_by_a_later_sweep(home: Home) -> None:
    ledger = home.root / "lake" / SWEEPS.path
    ledger.mkdir(parents=True)
    (ledger / "_delta_log").write_bytes(b"x")
    strange = home.table("clothing") / "store_id=s001" / "capture_hour=never" / "x.parquet"
    strange.parent.mkdir()
    strange.write_bytes(b"x")
    failure = failure_of(run(sweeps, home.root, EVERYTHING_DUE))
    is_swept(home, but=CLOTHING.path)
    assert holds_nothing_dead(home)
    assert "the ledger was not written, and its rows stay noted" in failure
    assert f"{CLOTHING.path}: 1 folders whose capture hour is none" in failure
    shutil.rmtree(ledger)
    strange.unlink()
    strange.parent.rmdir()
    assert run(sweeps, home.root, EVERYTHING_DUE).success
    assert scan(home.lake, SWEEPS).collect().height == 5


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_files_in_a_closed_folder_are_not_counted_as_claimed(tmp_path: Path) -> None:
    closed = tmp_path / "exports"
    closed.mkdir()
    (closed / "accounts.csv").write_text("account_id")
    closed.chmod(0o000)
    give_to_nobody(tmp_path)
    count = (
        "import os, pathlib, sys; from assets.privacy.retention.checks import every_file_is_claimed as count;"
        f"os.setuid({sweep_process.NOBODY}); count(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", count, str(tmp_path)], check=False, cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.stderr.splitlines()[-1].startswith("PermissionError")
