"""`make review`: what waits for a person's judgement, a picture of it, and the decision.

A decision is a line in landing/reviews/; it counts once the next run has taken it from there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
from rich.console import Console
from rich.table import Table

from assets.orders.review import decisions
from assets.orders.review.picture import MEANING, picture
from assets.orders.review.queue import CommandError, decide, read_queue
from lakehouse.contracts import orders, store_reference
from lakehouse.errors import LakehouseError
from lakehouse.lake import Lake
from lakehouse.store_day import STORE_ZONE, StoreDay
from lakehouse.tables.reader import scan
from resources.landing.file_access import write_whole
from resources.landing.folder import Landing
from resources.preflight import NotReady, check_lake, check_model
from resources.settings import Settings, SettingsError, load_settings


def waiting_table(waiting: pl.DataFrame, names: dict[str, str], now: datetime) -> Table:
    """The queue for a reader's eyes."""
    table = Table(title=f"{waiting.height} review items wait", title_justify="left", header_style="bold")
    for heading in ("id", "when", "why", "proposed", "value", "sure", "decide within"):
        table.add_column(heading, justify="right" if heading in ("value", "sure", "decide within") else "left")
    for row in waiting.iter_rows(named=True):
        lines = zip(row["product_ids"], row["quantities"], strict=True)
        left = row["evidence_expires_at"] - now
        table.add_row(
            row["review_id"][:8],
            f"{row['raised_at'].astimezone(ZoneInfo(STORE_ZONE)):%m-%d %H:%M:%S}",
            MEANING[row["reason"]],
            ", ".join(f"{pieces} x {names.get(product, product)}" for product, pieces in lines) or "nothing",
            f"¥{row['amount_fen'] / 100:.2f}",
            f"{row['confidence_prob']:.0%}",
            f"{left / timedelta(hours=1):.1f} h" if left > timedelta() else "too late",
        )
    return table


def main(argv: Sequence[str], now: datetime) -> int:
    """Run the command; returns the exit status (2: it cannot be done). `now`: the moment of the decision."""
    given = _parser().parse_args(argv)
    console = Console()
    try:
        settings = load_settings(home=given.home)
        # Not needed here, but who reviews should not learn from the next run that nothing can be seen any more.
        check_model(settings)
        check_lake(settings)
        _run(given, settings, console, now)
    except (CommandError, LakehouseError, NotReady, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _run(given: argparse.Namespace, settings: Settings, console: Console, now: datetime) -> None:
    lake, landing = settings.lake(), Landing(settings.landing_root)
    queue = read_queue(lake, landing)
    if given.command == "decide":
        lines = [{"product_id": product, "quantity": pieces} for product, pieces in given.line]
        prices = scan(lake, store_reference.PRICES).collect()
        fields = {name: getattr(given, name) for name in ("review_id", "decision", "reason")}
        path = decide(queue, landing, prices, fields | {"lines": lines, "reviewer_id": given.reviewer}, now)
        console.print(f"Written to {path}; the next run takes it from there.")
    elif given.command == "picture":
        item = queue.find(given.review_id) if given.review_id else None
        store_day = _store_day(lake, item)
        # The sweep gives a picture two hours: one drawn later than this would outlive what it shows.
        if now >= decisions.decide_until(store_day):
            raise CommandError("that day can no longer be reviewed; its trajectories are about to go")
        name = f"review-{str(item['review_id'])[:8]}.png" if item else "floor-plan.png"
        out = given.out or settings.folders["tmp"] / name
        write_whole(out, picture(lake, store_day, item))
        console.print(f"Drawn to {out}")
    elif queue.waiting.is_empty():
        console.print("Nothing waits for review.")
    else:
        names = dict(scan(lake, store_reference.PRODUCTS).select("product_id", "name").collect().iter_rows())
        console.print(waiting_table(queue.waiting, names, now))
        console.print("picture ID draws one of them; decide ID accept|amend|reject --reviewer NAME settles it.")


def _store_day(lake: Lake, item: dict[str, object] | None) -> StoreDay:
    if item is not None:
        return StoreDay(str(item["store_id"]), date.fromisoformat(str(item["business_date"])))
    days = scan(lake, orders.VISITS).select("business_date", "store_id").unique().collect().sort(pl.all())
    if days.is_empty():
        raise CommandError("no store-day has been materialized yet")
    business_date, store_id = days.row(-1)
    return StoreDay(store_id, date.fromisoformat(business_date))


def _line(text: str) -> tuple[str, int]:
    product, _, pieces = text.rpartition("=")
    if not product or not pieces.isdecimal():
        raise argparse.ArgumentTypeError("a line is written product=pieces")
    return product, int(pieces)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make review ARGS=…", description="Visits and events that a person must judge."
    )
    parser.add_argument("--home", type=Path, help="the home (OPENAISLE_HOME)")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("list", help="what waits (also without a command)")
    drawing = commands.add_parser(
        "picture", help="floor plan of an item while its evidence lives, or of the latest day"
    )
    drawing.add_argument("review_id", nargs="?", help="the item's id or its beginning")
    drawing.add_argument(
        "--out", type=Path, help="the PNG to write, yours to delete in time (in the home's tmp/, which is swept)"
    )
    deciding = commands.add_parser("decide", help="accept, amend or reject an item")
    deciding.add_argument("review_id", help="the item's id or its beginning")
    deciding.add_argument("decision", choices=orders.DECISIONS[:3])
    deciding.add_argument("--line", type=_line, action="append", default=[], help="amend: product=pieces, once a line")
    deciding.add_argument("--reviewer", required=True, help="who decides")
    deciding.add_argument("--reason", default="reviewed", help="why")
    return parser


if __name__ == "__main__":
    from resources.clock import Clock

    raise SystemExit(main(sys.argv[1:], Clock().now()))
