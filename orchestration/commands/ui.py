"""Runs Dagster's web server and daemon over OPENAISLE_HOME, from the repository's workspace: both or none of them."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from rich.console import Console
from rich.markup import escape

from orchestration.commands.cut_off_runs import end_cut_off_runs
from orchestration.runs.dead_runs import end_dead_runs
from orchestration.runs.instance import REPOSITORY, open_instance
from orchestration.runs.stopping import Stopped, in_order
from resources.clock import Clock
from resources.compute.services import ServiceEnded, live_together
from resources.preflight import NotReady, check_lake, check_port
from resources.settings import HOME_VARIABLE, Settings

WEB_SERVER = "the web server"
DAEMON = "the daemon"
# Python's own warnings are Dagster's notices to developers; its daemon tells of every look that it takes.
_PYTHON = (sys.executable, "-W", "ignore", "-m")
_QUIET = ("--log-level", "warning", "--code-server-log-level", "warning")
_WORKSPACE = ("--workspace", "workspace.yaml")


def serve(settings: Settings, port: int, console: Console) -> NoReturn:
    """Ends dead runs, then runs web server and daemon until one of them ends or a signal comes.

    `dagster dev` would start the same two, but goes on without a web server that could not have its port, and ends
    with status 0 after a daemon that died. Raises ServiceEnded; NotReady if the port was taken meanwhile; Stopped after
    a signal. Every process is gone by then, and its runs are marked as cut off.
    """
    instance = open_instance(settings)
    end_cut_off_runs(settings, instance, console)
    try:
        check_lake(settings)
    except NotReady as error:
        # It comes up all the same: what lies on this machine dies on time, bucket or not.
        console.print(f"[red]{escape(str(error))}[/red]", highlight=False)
    os.environ[HOME_VARIABLE] = str(settings.home)
    console.print(f"Dagster comes up at http://localhost:{port} in some seconds; Ctrl-C ends it.", highlight=False)
    console.print("What runs did is there under Runs, what the daemon does under Deployment; here is what steps say.")
    services = {
        WEB_SERVER: [*_PYTHON, "dagster_webserver", *_QUIET, "--dagster-log-level", "warning", "--port", str(port)],
        DAEMON: [*_PYTHON, "dagster._daemon", "run", *_QUIET],
    }
    try:
        live_together({name: [*command, *_WORKSPACE] for name, command in services.items()}, REPOSITORY)
    except ServiceEnded as ended:
        in_order(lambda: end_dead_runs(instance, Clock().now()))
        if ended.name == WEB_SERVER:
            # It was free when the command began.
            check_port(port)
        raise
    except Stopped:
        in_order(lambda: end_dead_runs(instance, Clock().now()))
        raise
