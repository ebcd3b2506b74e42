"""Lands the shipped store-day in a home: re-dated into the recent past, whole, and once in 71 hours."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from simulation.catalogue import POPULATION
from simulation.history import (
    HISTORY_SEED,
    SHANGHAI,
    history_days,
    lines_text,
    write_accounts,
    write_history,
    write_text,
)
from simulation.instants import iso, stamp

SHIPPED = Path(__file__).parent / "store_day"
OFFSET_FILE = "store_day_offset.json"
HISTORY_DAYS = 200
VISITS_PER_DAY = 150
# what is caught in an hour expires 72 h after that hour began; one hour is left for the pipeline to run
REUSE_FOR = timedelta(hours=71)
# store-days keep this far from midnight, so that no camera's skewed clock falls on the other side
_MARGIN = timedelta(seconds=60)


class BrokenStoreDay(ValueError):
    """The shipped store-day or the remembered offset cannot be used; the message names the file."""


@dataclass(frozen=True)
class Landed:
    """What a landing did: the day's new start, its business date, files landed (0: it lay there already)."""

    t0: datetime
    business_date: date
    files: int
    history_days: int


def choose_start(now: datetime, duration: timedelta) -> datetime:
    """Start of the re-dated day: the latest whole minute so that it is over a minute before `now`, and lies
    inside one Asia/Shanghai date with a minute to spare on both sides. All instants UTC."""
    start = now.astimezone(UTC) - duration - _MARGIN
    start = start.replace(second=0, microsecond=0)
    first, last = (moment.astimezone(SHANGHAI) for moment in (start - _MARGIN, start + duration + _MARGIN))
    if first.date() != last.date():
        midnight = last.replace(hour=0, minute=0, second=0, microsecond=0)
        start = (midnight - duration - 2 * _MARGIN).astimezone(UTC).replace(second=0, microsecond=0)
    return start


def is_usable(t0: datetime, now: datetime) -> bool:
    """Whether a day that begins at t0 still lives long enough at `now` to be processed."""
    hour = t0.replace(minute=0, second=0, microsecond=0)
    return timedelta(0) <= now - hour < REUSE_FOR


def _parse_iso(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _manifest(store_day: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((store_day / "manifest.json").read_text(encoding="utf-8"))
        _parse_iso(manifest["t0"])
    except (OSError, ValueError, KeyError) as error:
        raise BrokenStoreDay(f"{store_day.name}/manifest.json: {type(error).__name__}") from None
    return manifest


def _remembered(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _parse_iso(state["t0"])
        [date.fromisoformat(day) for day in state["store_dates"]]
        if state["history_until"] is not None:
            date.fromisoformat(state["history_until"])
    except (ValueError, KeyError, TypeError):
        raise BrokenStoreDay(f"landing/{OFFSET_FILE}: not what `land` wrote; remove it to start afresh") from None
    return state


def land(home: Path, now: datetime, *, store_day: Path = SHIPPED, days: int = HISTORY_DAYS) -> Landed:
    """Land the shipped store-day and its past under home/landing; nothing when it lies there already.

    `now` is an aware instant. A landing cut off by a kill is finished by the next call with the same offset.
    Raises BrokenStoreDay when the shipped files or the remembered offset are damaged.
    """
    manifest = _manifest(store_day)
    landing = home / "landing"
    state_file = landing / OFFSET_FILE
    state = _remembered(state_file)
    if state is not None and is_usable(_parse_iso(state["t0"]), now):
        t0 = _parse_iso(state["t0"])
        if state["is_complete"]:
            return Landed(t0, t0.astimezone(SHANGHAI).date(), 0, 0)
    else:
        t0 = choose_start(now, timedelta(seconds=float(manifest["seconds"])))
        state = {
            "t0": iso(t0),
            "is_complete": False,
            "store_dates": [] if state is None else state["store_dates"],
            "history_until": None if state is None else state["history_until"],
        }
        write_text(state_file, json.dumps(state, indent=1) + "\n")
    business_date = t0.astimezone(SHANGHAI).date()
    offset = t0 - _parse_iso(manifest["t0"])
    past = _missing_days(business_date, state, days)
    written = sum(
        1
        for _ in write_history(
            landing,
            manifest["store_id"],
            past,
            seed=HISTORY_SEED,
            accounts=POPULATION,
            visits_per_day=VISITS_PER_DAY,
        )
    )
    write_accounts(landing, business_date, POPULATION)
    files = sum(1 for _ in _redate(store_day / "landing", landing, offset, business_date)) + written + 1
    state |= {
        "is_complete": True,
        "store_dates": sorted({*state["store_dates"], business_date.isoformat()}),
        "history_until": (business_date - timedelta(days=1)).isoformat(),
    }
    write_text(state_file, json.dumps(state, indent=1) + "\n")
    return Landed(t0, business_date, files, written)


def _missing_days(business_date: date, state: dict[str, Any], days: int) -> list[date]:
    """Days of the past not landed before; a date that had footage keeps its own orders."""
    until = business_date - timedelta(days=1)
    known = date.min if state["history_until"] is None else date.fromisoformat(state["history_until"])
    return [day for day in history_days(until, days) if day > known and day.isoformat() not in state["store_dates"]]


def _redate(source: Path, landing: Path, offset: timedelta, business_date: date) -> Iterator[Path]:
    """Put every shipped file in its place with its instants moved; a sidecar always before its clip."""
    for path in sorted((source / "reference").rglob("*")):
        if path.is_file():
            target = landing / path.relative_to(source)
            write_text(target, path.read_text(encoding="utf-8"))
            yield target
    for path in sorted((source / "gate_events").rglob("*.jsonl")):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for row in rows:
            row["scanned_at"] = iso(_parse_iso(row["scanned_at"]) + offset)
        target = landing / path.relative_to(source).with_name(f"{business_date.isoformat()}.jsonl")
        write_text(target, lines_text(rows))
        yield target
    for clip in sorted((source / "footage").rglob("*.mp4")):
        sidecar = json.loads(clip.with_suffix(".json").read_text(encoding="utf-8"))
        captured_at = _parse_iso(sidecar["captured_at"]) + offset
        sidecar["captured_at"] = iso(captured_at)
        folder = landing / clip.relative_to(source).parent
        write_text(folder / f"{stamp(captured_at)}.json", json.dumps(sidecar) + "\n")
        target = folder / f"{stamp(captured_at)}.mp4"
        partial = target.with_name(f".{target.name}.partial")
        shutil.copyfile(clip, partial)
        os.replace(partial, target)
        yield target
