"""Command line of the simulator: `python -m simulation render | history | land`."""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, date, datetime
from pathlib import Path


def _render(arguments: argparse.Namespace) -> int:
    # one thread a worker: parallelism comes from processes
    for name in ("LP_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from simulation.day_rendering import default_recipe, render_day

    console = Console()
    recipe = default_recipe(arguments.seed, arguments.seconds, arguments.layout)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task("rendering instants", total=arguments.seconds * 10)

            def on_progress(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            manifest = render_day(recipe, arguments.out, arguments.workers, on_progress, arguments.samples)
    except ModuleNotFoundError as error:
        console.print(f"Rendering needs the simulation extra (make setup-simulation): {error}")
        return 2
    console.print(f"{manifest['persons']} people, events {manifest['events']}, in {arguments.out}")
    return 0


def _history(arguments: argparse.Namespace) -> int:
    from rich.progress import track

    from simulation.history import history_days, write_accounts, write_history

    days = history_days(arguments.until, arguments.days)
    written = write_history(
        arguments.out,
        arguments.store,
        days,
        seed=arguments.seed,
        accounts=arguments.accounts,
        visits_per_day=arguments.visits_per_day,
    )
    for _ in track(written, "simulating past days", total=len(days)):
        pass
    write_accounts(arguments.out, arguments.until, arguments.accounts)
    return 0


def _land(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from simulation.landing import SHIPPED, BrokenStoreDay, land

    console = Console(highlight=False)
    try:
        landed = land(arguments.home, arguments.now or datetime.now(UTC), store_day=arguments.day or SHIPPED)
    except BrokenStoreDay as error:
        console.print(str(error))
        return 2
    except OSError as error:
        reason = error.strerror or type(error).__name__
        advice = "make room, or choose another folder with OPENAISLE_HOME"
        sys.stderr.write(f"nothing can be landed in {arguments.home}: {reason}; {advice}\n")
        return 2
    when = f"business date {landed.business_date}, from {landed.t0:%Y-%m-%d %H:%M} UTC"
    if landed.files:
        console.print(f"Landed the simulated store-day ({when}) and {landed.history_days} days of simulated history.")
    else:
        console.print(f"The simulated store-day ({when}) has landed already.")
    return 0


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("an instant needs its zone, as 2026-11-22T02:00:00Z")
    return moment


def _parser() -> argparse.ArgumentParser:
    from simulation.layout import LAYOUTS

    parser = argparse.ArgumentParser(prog="python -m simulation", description="The simulated store.")
    commands = parser.add_subparsers(required=True, metavar="command")
    render = commands.add_parser("render", help="render a store-day (needs the simulation extra and EGL)")
    render.add_argument("--seed", type=int, default=7)
    render.add_argument("--out", type=Path, required=True)
    render.add_argument("--seconds", type=int, default=170)
    render.add_argument("--layout", choices=sorted(LAYOUTS), default="shipped")
    render.add_argument("--workers", type=int, default=2)
    render.add_argument("--samples", type=int, choices=(0, 4), default=0, help="antialiasing samples")
    render.set_defaults(run=_render)
    history = commands.add_parser("history", help="write orders from before the platform as landing files")
    history.add_argument("--out", type=Path, required=True, help="a landing folder")
    history.add_argument("--store", default="s001")
    history.add_argument("--days", type=int, default=200)
    history.add_argument("--accounts", type=int, default=400)
    history.add_argument("--visits-per-day", type=int, default=150)
    history.add_argument("--seed", type=int, default=20)
    history.add_argument("--until", type=date.fromisoformat, required=True, help="last day, YYYY-MM-DD")
    history.set_defaults(run=_history)
    land = commands.add_parser("land", help="land a store-day, re-dated, and its past in a home")
    land.add_argument("--home", type=Path, required=True)
    land.add_argument("--day", type=Path, help="what `render` wrote (default: the shipped store-day)")
    land.add_argument("--now", type=_instant, help="the present, ISO 8601 with zone (default: the clock)")
    land.set_defaults(run=_land)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    arguments = _parser().parse_args(argv)
    return int(arguments.run(arguments))


if __name__ == "__main__":
    sys.exit(main())
