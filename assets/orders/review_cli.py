"""`make review`: what waits for a person's judgement, a picture of it, and the decision.

A decision is a line in landing/reviews/; it counts once the next run has taken it from there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
from rich.console import Console
from rich.table import Table

from assets.orders import review
from assets.orders.orders import review_id_of_event
from lakehouse.contract import TableContract
from lakehouse.contracts import orders as tables
from lakehouse.contracts import store_reference, vision
from lakehouse.lake import Lake
from lakehouse.reader import scan
from lakehouse.store_day import STORE_ZONE, StoreDay
from resources.floor_plan import Plan
from resources.floor_trajectories import floor_trajectories_png
from resources.landing import SOURCE_FILE, SOURCE_LINE, Landing, append_line, landed_schema, write_whole
from resources.landing_formats import REVIEWS, Reason, Refused, parse_line
from resources.settings import Settings, SettingsError, load_settings

_AROUND = timedelta(seconds=10)
"""How much of the trajectories around an event of nobody is drawn."""

_MEANING = {
    "no_account": "came in without a scan",
    "low_confidence": "the cameras are not sure",
    "unattributed_events": "nobody could be named",
    "no_track": "the cameras lost the shopper",
    "no_exit": "has not been seen leaving",
    "unknown_product": "a product or its price is unknown",
}


_ADVICE = {
    ("lines", Reason.NOT_ALLOWED): "amend needs --line product=pieces, accept and reject take none",
    ("lines", Reason.DUPLICATE_KEY): "name each product in one --line only",
    ("lines", Reason.OUT_OF_RANGE): "a line has 1 to 100 pieces",
    ("lines", Reason.UNKNOWN_REFERENCE): "an amendment names products with a price in that store on that day",
    ("reviewer_id", Reason.NOT_AN_ID): "--reviewer takes up to 64 letters, digits and . _ : -",
    ("reason", Reason.OUT_OF_RANGE): "--reason takes up to 500 characters",
    ("decision", Reason.NOT_ALLOWED): "a product is unknown: amend it with --line product=pieces, or reject it",
    ("", Reason.NOBODY_TO_BILL): "no account stands behind it, so only reject settles it",
    ("", Reason.ALREADY_DECIDED): "the first decision counts; a change of mind is a refund",
    ("", Reason.EVIDENCE_EXPIRED): "the evidence had to go, and with it the item closed unbilled",
}
"""By field and reason of a refusal; an empty field stands for any."""


class CommandError(Exception):
    """The command cannot be done; the message says why."""


@dataclass(frozen=True)
class Queue:
    """`items`: rows of `review_items` in their current state, decisions in landing included; `decisions`:
    those in the table and those in landing."""

    items: pl.DataFrame
    decisions: pl.DataFrame

    @property
    def waiting(self) -> pl.DataFrame:
        """Items that nobody has decided, the most urgent first."""
        undecided = self.items.filter(pl.col("state") == "waiting")
        return undecided.sort("evidence_expires_at", "raised_at", "review_id")

    def find(self, start: str) -> dict[str, object]:
        """The item whose id begins so. Raises CommandError unless there is exactly one."""
        found = self.items.filter(pl.col("review_id").str.starts_with(start)).rows(named=True)
        if len(found) != 1:
            raise CommandError(f"{len(found)} review items begin with {start}" if found else f"no review item {start}")
        return found[0]


def read_queue(lake: Lake, landing: Landing) -> Queue:
    """The review queue of all stores."""
    items = scan(lake, tables.REVIEW_ITEMS).collect()
    known = scan(lake, tables.REVIEW_DECISIONS).collect()
    landed = landing.read(REVIEWS).frame
    arriving = review.resolve(landed, items, known, scan(lake, store_reference.PRICES).collect()).decisions
    decisions = pl.concat([known, arriving])
    return Queue(review.current_items(items, decisions), decisions)


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
            _MEANING[row["reason"]],
            ", ".join(f"{pieces} x {names.get(product, product)}" for product, pieces in lines) or "nothing",
            f"¥{row['amount_fen'] / 100:.2f}",
            f"{row['confidence_prob']:.0%}",
            f"{left / timedelta(hours=1):.1f} h" if left > timedelta() else "too late",
        )
    return table


def decide(queue: Queue, landing: Landing, prices: pl.DataFrame, line: dict[str, object], now: datetime) -> Path:
    """Writes a decision into landing/reviews/ and returns the file. Raises CommandError for what would be
    refused."""
    line = line | {
        "review_id": queue.find(str(line["review_id"]))["review_id"],
        "decided_at": now.isoformat(),
    }
    raw = json.dumps({name: value for name, value in line.items() if value}).encode()
    try:
        parsed = parse_line(raw, REVIEWS)
    except Refused as refused:
        raise CommandError(_explained(refused.field_name, refused.reason)) from None
    landed = pl.DataFrame([parsed | {SOURCE_FILE: "", SOURCE_LINE: 1}], landed_schema(REVIEWS))
    refused_lines = review.resolve(landed, queue.items, queue.decisions, prices).refused
    if refused_lines:
        raise CommandError(_explained(refused_lines[0].field, refused_lines[0].reason))
    path = landing.root / "reviews" / f"{now.astimezone(ZoneInfo(STORE_ZONE)):%Y-%m-%d}.jsonl"
    append_line(path, raw)
    return path


def _explained(field: str, reason: Reason) -> str:
    """One sentence for whoever typed the command: what was refused, and what would be taken."""
    advice = _ADVICE.get((field.partition("[")[0].partition(".")[0], reason)) or _ADVICE.get(("", reason), "")
    return f"{field}: {reason}" + (f"; {advice}" if advice else "")


def picture(lake: Lake, store_day: StoreDay, item: dict[str, object] | None) -> bytes:
    """Floor plan of a store-day, or of what a review item is about, as a PNG. Raises CommandError when the
    evidence is gone."""
    events = _of_day(lake, vision.SHELF_EVENTS, store_day)
    points = _of_day(lake, vision.TRACK_POINTS, store_day)
    title = f"{store_day.store_id}  {store_day.business_date}"
    if item is not None:
        title = f"review item {str(item['review_id'])[:8]}: {_MEANING[str(item['reason'])]}"
        if item["visit_id"] is None:
            shown = [event_id for event_id in events["event_id"] if review_id_of_event(event_id) == item["review_id"]]
            events = events.filter(pl.col("event_id").is_in(shown))
            moment = item["raised_at"]
            assert isinstance(moment, datetime)
            points = points.filter(pl.col("captured_at").is_between(moment - _AROUND, moment + _AROUND))
        else:
            links = _of_day(lake, tables.VISIT_TRACKS, store_day).filter(pl.col("visit_id") == item["visit_id"])
            events = events.join(links, "track_id", how="semi")
            points = points.join(links, "track_id", how="semi")
    if points.is_empty() and events.is_empty():
        raise CommandError("there is no trajectory or event to draw; they live for 72 hours")
    stores = scan(lake, store_reference.STORES).collect()
    slots = scan(lake, store_reference.SLOTS).filter(pl.col("store_id") == store_day.store_id).collect()
    return floor_trajectories_png(Plan.of_store(stores, store_day.store_id), slots, points, events, title=title)


def main(argv: Sequence[str], now: datetime) -> int:
    """Run the command; returns the exit status (2: it cannot be done). `now`: the moment of the decision."""
    given = _parser().parse_args(argv)
    console = Console()
    try:
        settings = load_settings(home=given.home)
        _run(given, settings, console, now)
    except (CommandError, SettingsError) as error:
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
        if now >= review.decide_until(store_day):
            raise CommandError("that day can no longer be reviewed; its trajectories are about to go")
        name = f"review-{str(item['review_id'])[:8]}.png" if item else "floor-plan.png"
        out = given.out or settings.sinks["tmp"] / name
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
    days = scan(lake, tables.VISITS).select("business_date", "store_id").unique().collect().sort(pl.all())
    if days.is_empty():
        raise CommandError("no store-day has been materialized yet")
    business_date, store_id = days.row(-1)
    return StoreDay(store_id, date.fromisoformat(business_date))


def _of_day(lake: Lake, contract: TableContract, store_day: StoreDay) -> pl.DataFrame:
    return scan(lake, contract, store_day.partition(contract)).collect()


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
    deciding.add_argument("decision", choices=tables.DECISIONS[:3])
    deciding.add_argument("--line", type=_line, action="append", default=[], help="amend: product=pieces, once a line")
    deciding.add_argument("--reviewer", required=True, help="who decides")
    deciding.add_argument("--reason", default="reviewed", help="why")
    return parser


if __name__ == "__main__":
    from resources.clock import Clock

    raise SystemExit(main(sys.argv[1:], Clock().now()))
