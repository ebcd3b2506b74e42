"""Commands: `python -m orchestration run`, `ui`, `migrate`, `confirm-time`, `land`, `dbt-parse`."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from lakehouse.errors import LakehouseError
from orchestration.runs import stopping
from orchestration.runs.records import RecordsUnusable
from resources.clock import Clock
from resources.compute.services import ServiceEnded
from resources.preflight import NotReady, check_lake, check_port, check_record, said_of
from resources.settings import Settings, SettingsError, load_settings

_STATUS = (
    "Exit status: 0 done; 1 something failed, and is named; 2 the settings, the home, the bucket or the port cannot be "
    "used; 130 Ctrl-C; 143 SIGTERM."
)


def main(argv: list[str] | None = None) -> int:
    """Returns the exit status, as `--help` explains it."""
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__, epilog=_STATUS)
    parser.add_argument("--home", type=Path, help="instead of OPENAISLE_HOME")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="everything that landed, through every asset")
    ui = commands.add_parser("ui", help="Dagster in the browser")
    ui.add_argument("--port", type=int, default=3000)
    commands.add_parser("migrate", help="brings the tables of an older version to the contracts of this one")
    confirming = commands.add_parser("confirm-time", help="vouch for the machine's clock when a sweep doubts it")
    confirming.add_argument("--yes-it-is", default="", metavar="HOUR", help="UTC hour by another clock: 2026-03-02T04Z")
    confirming.add_argument("--by", default="", help="who confirms (the account that runs this)")
    landing = commands.add_parser("land", help="try a delivery folder, laid out like landing, without landing it")
    landing.add_argument("--check", type=Path, required=True, metavar="FOLDER")
    landing.add_argument("--json", action="store_true", help="print JSON and nothing else")
    commands.add_parser("dbt-parse", help="parses the dbt project, as make check does")
    arguments = parser.parse_args(argv)
    try:
        settings = load_settings(home=arguments.home)
    except SettingsError as error:
        _complain(str(error))
        return 2
    console = Console()
    if not console.is_terminal:
        console = Console(width=110)
    # Decoders of damaged clips talk to the terminal by themselves, across the progress display. What is wrong with a
    # clip is said by the catalogue.
    os.environ["OPENCV_LOG_LEVEL"] = "SILENT"
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    try:
        if arguments.command in ("run", "ui"):
            check_record(settings)
        if arguments.command == "ui":
            check_port(arguments.port)
        return _command(arguments, settings, console)
    except NotReady as error:
        _complain(str(error))
        return 2
    except (RecordsUnusable, ServiceEnded, LakehouseError) as error:
        _complain(str(error))
        return 1
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
            raise
        _complain(said_of(error, settings.home))
        return 1


def _complain(sentence: str) -> None:
    Console(stderr=True).print(f"[red]{escape(sentence)}[/red]", highlight=False, soft_wrap=True)


def _command(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    if arguments.command in ("run", "ui"):
        stopping.listen()
        try:
            return _work(arguments, settings, console)
        except stopping.Stopped as stopped:
            stopping.leave(stopped, console, "nothing is lost, the next start goes on from here")
    if arguments.command in ("migrate", "confirm-time", "land"):
        check_lake(settings)
    if arguments.command == "migrate":
        from orchestration.commands.migrating import migrate_tables

        return 0 if migrate_tables(settings.lake(), console, Clock().now()) else 1
    if arguments.command == "confirm-time":
        from orchestration.commands.confirm_time import confirm_time
        from resources.clock_reading import read_machine

        return confirm_time(settings, console, read_machine, hour=arguments.yes_it_is, by=arguments.by)
    if arguments.command == "land":
        return _try(arguments, settings, console)
    from orchestration.commands.dbt_parse import parse_project

    return parse_project()


def _work(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    if arguments.command == "run":
        from orchestration.commands.run import run

        return 0 if run(settings, console) else 1
    from orchestration.commands.ui import serve

    return serve(settings, arguments.port, console)


def _try(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    from orchestration.commands.landing_check import check_folder

    if not arguments.check.is_dir():
        Console(stderr=True).print("[red]--check names no folder[/red]")
        return 2
    lake, now = settings.lake(), Clock().now()
    return 0 if check_folder(arguments.check, lake, now, console, as_json=arguments.json) else 1


if __name__ == "__main__":
    sys.exit(main())
