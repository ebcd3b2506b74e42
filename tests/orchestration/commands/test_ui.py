"""`python -m orchestration ui`: web server and daemon, both or none, and a console that can be read."""

# No postponed annotations here: Dagster reads those of `context` when the decorator runs.

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dagster as dg
import pytest
from rich.console import Console

from orchestration.commands.ui import serve
from orchestration.runs.instance import open_instance
from resources.preflight import NotReady, check_port
from resources.settings import load_settings

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands name their places to the processes that they start."""
    for name in ("DAGSTER_HOME", "OPENAISLE_HOME"):
        monkeypatch.setenv(name, "")


def children_of(process: int) -> dict[int, str]:
    """Process ids and command lines of its children."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rpartition(")")[2].split()[1]) == process:
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def test_a_port_that_is_taken_meanwhile_ends_the_daemon_too(tmp_path: Path) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        port = held.getsockname()[1]
        with pytest.raises(NotReady, match=f"port {port} is taken: end what listens there"):
            serve(load_settings({}, home=tmp_path), port, Console(quiet=True))
    assert not [line for line in children_of(os.getpid()).values() if "dagster" in line]


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def ui(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """The command, once its web server answers."""
    command = [sys.executable, "-m", "orchestration", "--home", str(tmp_path / "home"), "ui", "--port", str(port)]
    with (tmp_path / "said").open("w") as said:
        process = subprocess.Popen(command, cwd=REPOSITORY, stdout=said, stderr=subprocess.STDOUT, text=True)
    try:
        while process.poll() is None and not answers(port):
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/server_info", timeout=10) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.mark.parametrize(("ended", "left"), [("dagster._daemon", "dagster_webserver"), ("webserver", "_daemon")])
def test_when_one_of_both_dies_the_other_ends_and_the_command_says_so(
    ui: subprocess.Popen[str], port: int, tmp_path: Path, ended: str, left: str
) -> None:
    services = children_of(ui.pid)
    (victim,) = (process for process, line in services.items() if ended in line)
    (other,) = (process for process, line in services.items() if left in line)
    os.kill(victim, signal.SIGKILL)
    assert ui.wait(timeout=60) == 1
    assert not Path(f"/proc/{other}").exists()
    check_port(port)
    said = (tmp_path / "said").read_text()
    (sentence,) = [line for line in said.splitlines() if "was killed by SIGKILL, so everything was ended" in line]
    assert sentence.startswith("the daemon" if "daemon" in ended else "the web server")
    assert "Traceback" not in said


@dg.asset
def table(context: dg.AssetExecutionContext) -> None:
    context.log.info("1 of 2 clips")
    context.log.warning("one could not be read")


def test_a_run_of_the_daemon_fills_no_console(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It names no loggers; those of `orchestration run` do."""
    with open_instance(load_settings({}, home=tmp_path)) as instance:
        records = instance.all_logs(dg.materialize([table], instance=instance).run_id)
    lines = capfd.readouterr().err.splitlines()
    assert [line.rpartition(" - ")[2] for line in lines] == ["1 of 2 clips", "one could not be read"]
    # The event log has everything.
    assert {"1 of 2 clips", "one could not be read"} <= {record.user_message for record in records}
    events = {record.dagster_event.event_type_value for record in records if record.dagster_event}
    assert {"STEP_START", "STEP_SUCCESS", "ASSET_MATERIALIZATION"} <= events
