"""Processes that live together: real ones, which end, are killed, or would rather stay."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

import pytest

from resources.compute.services import ServiceEnded, live_together

# Writes its process id and waits for a signal; a second argument makes it deaf to the polite one, and a parent.
STAYS = """
import os, pathlib, signal, subprocess, sys
if len(sys.argv) > 2:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
    pathlib.Path(sys.argv[2]).write_text(str(child.pid))
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
signal.pause()
"""
# Does what its second argument says as soon as the first names a file with something in it.
ACTS_ONCE = "import os, pathlib, sys\nwhile not (p := pathlib.Path(sys.argv[1])).is_file() or not p.read_text(): pass\n"


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


def ends(file: Path) -> bool:
    """Whether the process whose id stands in the file ends: one that was killed and is nobody's child here, soon."""
    try:
        handle = os.pidfd_open(int(file.read_text()))
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 30.0)[0])
    finally:
        os.close(handle)


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("sys.exit(3)", "the server ended with status 3, so everything was ended"),
        ("sys.exit(0)", "the server ended with status 0, so everything was ended"),
        ("os.kill(os.getpid(), 9)", "the server was killed by SIGKILL, so everything was ended"),
    ],
)
def test_when_one_ends_all_end(tmp_path: Path, deed: str, said: str) -> None:
    other = tmp_path / "other"
    services = {"the server": python(ACTS_ONCE + deed, other), "the daemon": python(STAYS, other)}
    with pytest.raises(ServiceEnded, match=said) as ended:
        live_together(services, tmp_path)
    assert ended.value.name == "the server"
    assert other.is_file()
    assert ends(other)


def test_who_does_not_listen_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    other, child = tmp_path / "other", tmp_path / "child"
    services = {"the daemon": python(STAYS, other, child), "the server": python(ACTS_ONCE + "sys.exit(1)", other)}
    with pytest.raises(ServiceEnded, match="the server ended with status 1"):
        live_together(services, tmp_path)
    assert ends(other)
    assert ends(child)


class Told(Exception):
    """As a signal's handler raises."""


def test_a_signal_ends_all_and_passes_through(tmp_path: Path) -> None:
    def tell(_number: int, _frame: object) -> None:
        raise Told

    other = tmp_path / "other"
    teller = ACTS_ONCE + "os.kill(int(sys.argv[2]), 10)\n" + STAYS
    before = signal.signal(signal.SIGUSR1, tell)
    try:
        services = {"one": python(STAYS, other), "two": python(teller, other, os.getpid())}
        with pytest.raises(Told):
            live_together(services, tmp_path)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert ends(other)


def test_what_cannot_be_started_leaves_nothing_behind(tmp_path: Path) -> None:
    other = tmp_path / "other"
    with pytest.raises(FileNotFoundError):
        live_together({"one": python(STAYS, other), "two": ["/nowhere/at/all"]}, tmp_path)
    assert not other.is_file() or ends(other)
