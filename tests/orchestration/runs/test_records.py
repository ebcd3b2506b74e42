"""Dagster's SQLite files: what is said of one that is damaged, locked or not writable, and that the command ends."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.__main__ import main
from orchestration.runs.instance import open_instance
from orchestration.runs.records import RecordsUnusable, check_records, explained
from resources.settings import Settings, load_settings
from tests.resources.other_process import other_process

REPOSITORY = Path(__file__).resolve().parents[3]
BEGINS = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("begin immediate")
"""
FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("fresh")
    open_instance(load_settings(home=home)).dispose()
    return home


@pytest.fixture
def settings(fresh: Path, tmp_path: Path) -> Settings:
    shutil.copytree(fresh, tmp_path / "home")
    return load_settings(home=tmp_path / "home")


@pytest.fixture
def holder(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """Another process that has begun to write and does not end."""
    with other_process(BEGINS, settings.dagster_home / "history/runs/index.db") as process:
        yield process


def test_sound_files_and_absent_ones_are_fine(settings: Settings, tmp_path: Path) -> None:
    assert all((settings.dagster_home / name).is_file() for name in FILES)
    check_records(settings)
    check_records(load_settings(home=tmp_path / "nowhere"))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", ["truncated", "garbage"])
def test_a_damaged_file_is_named_with_what_to_do(settings: Settings, name: str, harm: str) -> None:
    path = settings.dagster_home / name
    path.write_bytes(path.read_bytes()[:20_000] if harm == "truncated" else b"x" * 5000)
    with pytest.raises(RecordsUnusable) as found:
        open_instance(settings)
    assert str(found.value).startswith(f"{path} is damaged: put {settings.dagster_home} back from a backup, or move it")
    assert found.value.__cause__ is None


def test_moving_the_damaged_record_away_is_enough(settings: Settings) -> None:
    (settings.dagster_home / FILES[0]).write_bytes(b"x" * 5000)
    settings.dagster_home.rename(settings.home / "moved-away")
    open_instance(settings).dispose()
    check_records(settings)


def test_a_locked_file_names_who_holds_it(settings: Settings, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(RecordsUnusable, match=rf"index\.db is locked by process {holder.pid} \(python"):
        check_records(settings, lock_wait_s=0.1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_file_of_somebody_else_is_named(settings: Settings) -> None:
    """As an unprivileged user: root sees no permission."""
    for folder in [*settings.home.parents, settings.home, *settings.home.rglob("*")]:
        if str(folder).startswith(str(settings.home.parents[3])) and folder != settings.home.parents[3].parent:
            folder.chmod(0o755 if folder.is_dir() else 0o444)
    child = os.fork()
    if child == 0:
        try:
            os.setuid(65534)
            check_records(settings)
        except RecordsUnusable as found:
            os._exit(0 if "runs.db cannot be written: check its owner and mode" in str(found) else 3)
        except BaseException:  # noqa: BLE001 - the child must end here
            os._exit(4)
        os._exit(5)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("command", ["run", "ui"])
def test_the_commands_end_with_one_sentence(
    settings: Settings, command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")  # restored after the command has set it
    (settings.dagster_home / FILES[1]).write_bytes(b"x" * 5000)
    assert main(["--home", str(settings.home), command]) == 1
    said = capsys.readouterr()
    assert "index.db is damaged" in said.err
    assert "Traceback" not in said.err + said.out
    assert len(said.err.splitlines()) == 1


def test_a_failure_within_a_run_is_explained_and_others_are_not_taken_for_it(settings: Settings) -> None:
    with open_instance(settings) as instance:
        (settings.dagster_home / FILES[0]).write_bytes(b"x" * 5000)
        for suffix in ("-wal", "-shm"):
            (settings.dagster_home / f"{FILES[0]}{suffix}").unlink(missing_ok=True)
        with pytest.raises(Exception, match="not a database") as raised:
            instance.get_runs()
    assert "runs.db is damaged" in (explained(settings, raised.value) or "")
    assert explained(settings, ValueError("x")) is None


def test_a_fault_that_has_passed_says_run_again(settings: Settings) -> None:
    assert "Run again" in (explained(settings, sqlite3.OperationalError("database is locked")) or "")
