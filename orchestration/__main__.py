"""Commands: `python -m orchestration run`, `ui`, `migrate`, `confirm-time`, `land`, `dbt-parse`."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from orchestration.runs import stopping
from orchestration.runs.records import RecordsUnusable
from resources.settings import Settings, SettingsError, load_settings


def main(argv: list[str] | None = None) -> int:
    """Returns the exit status: 0 done, 1 something failed, 2 the settings cannot be used. A signal ends the process
    with 128 plus its number."""
    parser = argparse.ArgumentParser(prog="python -m orchestration", description=__doc__)
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
        Console(stderr=True).print(f"[red]{error}[/red]")
        return 2
    console = Console()
    if not console.is_terminal:
        console = Console(width=110)
    try:
        return _command(arguments, settings, console)
    except RecordsUnusable as error:
        Console(stderr=True).print(f"[red]{escape(str(error))}[/red]", highlight=False, soft_wrap=True)
        return 1


def _command(arguments: argparse.Namespace, settings: Settings, console: Console) -> int:
    if arguments.command in ("run", "ui"):
        stopping.listen()
        try:
            return _work(arguments, settings, console)
        except stopping.Stopped as stopped:
            stopping.leave(stopped, console, "nothing is lost, the next start goes on from here")
    if arguments.command == "migrate":
        from orchestration.commands.migrating import migrate_tables

        return 0 if migrate_tables(settings.lake(), console, datetime.now(UTC)) else 1
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
    lake, now = settings.lake(), datetime.now(UTC)
    return 0 if check_folder(arguments.check, lake, now, console, as_json=arguments.json) else 1


if __name__ == "__main__":
    sys.exit(main())
