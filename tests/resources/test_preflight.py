"""What is missing before a command starts is one sentence; the command ends with a status of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lakehouse.contract import TableContract
from lakehouse.contracts.orders import REVIEW_ITEMS, VISITS
from lakehouse.contracts.store_reference import STORES
from orchestration.__main__ import main
from resources.preflight import NotReady, check_home, check_model, check_port, check_record
from resources.settings import load_settings

REPOSITORY = Path(__file__).resolve().parents[2]


def a_file(home: Path) -> None:
    home.write_text("not a folder")


def a_dangling_link(home: Path) -> None:
    home.symlink_to("/proc/nowhere/at/all")


def a_file_for_dagster(home: Path) -> None:
    home.mkdir()
    (home / "dagster").write_text("x")


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence on standard error."""
    said = capsys.readouterr()
    (sentence,) = said.err.strip().splitlines()
    assert "Traceback" not in said.out
    return sentence


@pytest.mark.parametrize("command", ["run", "ui"])
@pytest.mark.parametrize("wrong", [a_file, a_dangling_link, a_file_for_dagster])
def test_a_home_that_cannot_be_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, wrong: Callable[[Path], None]
) -> None:
    wrong(tmp_path / "home")
    assert main(["--home", str(tmp_path / "home"), command]) == 2
    assert "OPENAISLE_HOME" in told(capsys)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own with hardly any room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    ):
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_without_room(full: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NotReady, match="0 MB left and a run needs 200"):
        check_home(load_settings({}, home=full))
    (full / "filler").write_bytes(b"x" * 120_000)
    assert main(["--home", str(full), "run"]) in (1, 2)
    assert "is full: make room, then run again; nothing is lost" in told(capsys)
    arguments = [sys.executable, "-m", "simulation", "land", "--home", str(full)]
    done = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("nothing can be landed in")
    assert "Traceback" not in done.stderr


def test_a_home_of_somebody_else(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path / "home")
    check_record(settings)
    check_home(settings)
    child = os.fork()
    if child == 0:
        status = 3
        try:
            os.setuid(65534)
            check_record(settings)
        except NotReady as found:
            status = 0 if "cannot be written: check its owner and mode" in str(found) else 4
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("port", [0, -1, 70000])
def test_a_port_that_there_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str], port: int) -> None:
    assert main(["--home", str(tmp_path), "ui", "--port", str(port)]) == 2
    assert f"there is no port {port}" in told(capsys)


def test_a_taken_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        assert main(["--home", str(tmp_path), "ui", "--port", str(port)]) == 2
    assert f"port {port} is taken" in told(capsys)
    check_port(port)


@pytest.mark.parametrize(("content", "said"), [(None, "cannot be read: No such file"), (b"", "names an empty file")])
def test_a_network_that_is_not_there(tmp_path: Path, content: bytes | None, said: str) -> None:
    model = tmp_path / "own.onnx"
    if content is not None:
        model.write_bytes(content)
    (tmp_path / "settings.yaml").write_text(f"detector: {{model_path: {model}}}\n")
    with pytest.raises(NotReady, match=said):
        check_model(load_settings({}, working_directory=tmp_path))
    model.write_bytes(b"something")
    check_model(load_settings({}, working_directory=tmp_path))


def migrate(home: Path) -> int:
    return main(["--home", str(home), "migrate"])


def confirm_time(home: Path) -> int:
    return main(["--home", str(home), "confirm-time"])


def land_check(home: Path) -> int:
    return main(["--home", str(home), "land", "--check", str(home)])


def review(home: Path) -> int:
    from assets.orders.review.__main__ import main as review_main

    return review_main(["--home", str(home)], datetime.now(UTC))


def score_receipts(home: Path) -> int:
    from evaluation.__main__ import main as evaluation_main

    truth = REPOSITORY / "simulation" / "store_day" / "truth"
    with pytest.raises(SystemExit) as ended:
        evaluation_main(["receipts", "--home", str(home), "--truth", str(truth)])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("unusable_bucket", ["wrong keys", "nobody there"], indirect=True)
@pytest.mark.parametrize("command", [migrate, confirm_time, land_check, review, score_receipts])
def test_a_bucket_that_cannot_be_worked_in(
    tmp_path: Path,
    unusable_bucket: tuple[Path, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: Callable[[Path], int],
) -> None:
    file, why = unusable_bucket
    monkeypatch.setenv("OPENAISLE_SETTINGS", str(file))
    assert command(tmp_path) == 2
    assert f"the bucket of storage.lake in the settings {why}" in told(capsys)


@pytest.mark.parametrize(("command", "table"), [(land_check, STORES), (review, REVIEW_ITEMS), (score_receipts, VISITS)])
def test_a_damaged_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: Callable[[Path], int], table: TableContract
) -> None:
    (tmp_path / "lake" / table.path / "_delta_log").mkdir(parents=True)
    (tmp_path / "lake" / table.path / "_delta_log" / f"{0:020}.json").write_text("{")
    assert command(tmp_path) in (1, 2)
    assert told(capsys).startswith(f"{table.path}: ")


def test_the_review_says_that_the_network_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.yaml").write_text("detector: {model_path: /nowhere.onnx}\n")
    monkeypatch.chdir(tmp_path)
    assert review(tmp_path / "home") == 2
    assert "detector.model_path" in told(capsys)
