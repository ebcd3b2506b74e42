"""Runs Dagster's web server and daemon over OPENAISLE_HOME, from the repository's workspace."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress

from rich.console import Console

from orchestration.commands.run import tell_of
from orchestration.runs.dead_runs import end_dead_runs
from orchestration.runs.instance import REPOSITORY, open_instance
from orchestration.runs.stopping import Stopped, in_order
from resources.clock import Clock
from resources.settings import HOME_VARIABLE, Settings

_PR_SET_PDEATHSIG = 1
_TO_END_BY_THEMSELVES_S = 2.0


def serve(settings: Settings, port: int, console: Console) -> int:
    """Ends dead runs, then runs `dagster dev` until it ends or a signal comes. Returns its exit status; raises Stopped
    after a signal, with every process of it gone and its runs marked as cut off."""
    instance = open_instance(settings)
    tell_of(console, end_dead_runs(instance, Clock().now()))
    os.environ[HOME_VARIABLE] = str(settings.home)
    console.print(f"Dagster comes up at http://localhost:{port} in some seconds; Ctrl-C ends it.", highlight=False)
    console.print("What runs did is there under Runs, what the daemon does under Deployment; here are warnings only.")
    # Python's own warnings are Dagster's notices to developers; its daemon tells of every look that it takes.
    quiet = ["-W", "ignore", "-m", "dagster", "dev", "--log-level", "warning"]
    command = [sys.executable, *quiet, "-w", "workspace.yaml", "-p", str(port)]
    # In a session of its own: Ctrl-C reaches this process alone, which then ends all of them.
    server = subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True, preexec_fn=_end_with_parent)  # noqa: PLW1509
    try:
        return server.wait()
    except Stopped:
        _end(server)
        in_order(lambda: end_dead_runs(instance, Clock().now()))
        raise


def _end(server: subprocess.Popen[bytes]) -> None:
    """Asks politely, waits a little, and kills what is left: a run that works goes on for as long as it is let."""
    server.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        server.wait(_TO_END_BY_THEMSELVES_S)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
