"""Score shelf events on anybody's footage: `python -m evaluation events`.

A found event is right if type and slot agree with a true one not farther than the tolerance; the pairing is
the one-to-one assignment with the most pairs and, among those, the smallest error in time. This module
scores; what looks at the footage is handed in (`Watch`), so that the scorer knows no algorithm.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import yaml
from scipy.optimize import linear_sum_assignment

from evaluation.stdout import libraries_to_stderr

EVENT_TYPES = ("pick", "put_back", "touch")


@dataclass(frozen=True)
class Area:
    """A slot or zone as drawn: `polygon_px` are (x, y) corners in pixels of the video."""

    area_id: str
    polygon_px: tuple[tuple[float, float], ...]
    product: str = ""
    facings: int = 1


@dataclass(frozen=True)
class ShelfFile:
    """A slots.yaml."""

    slots: tuple[Area, ...]
    zones: tuple[Area, ...]


@dataclass(frozen=True)
class ShelfEvent:
    """A true or found event; `time_s` from the start of the video."""

    time_s: float
    slot_id: str
    type: str
    quantity: int = 1
    probability: float = 1.0


@dataclass(frozen=True)
class EventScore:
    """Counts, rates and the pairing; `pairs` are (found index, true index)."""

    precision: float
    recall: float
    f1: float
    true_positives: int
    found: int
    truth: int
    mean_error_s: float
    quantity_accuracy: float
    pairs: tuple[tuple[int, int], ...]


class SeenEvent(Protocol):
    """What a watcher returns; has the fields of ShelfEvent."""

    @property
    def time_s(self) -> float: ...
    @property
    def slot_id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def quantity(self) -> int: ...
    @property
    def probability(self) -> float: ...


Watch = Callable[[Path, ShelfFile], Sequence[SeenEvent]]
"""Looks at a video and returns what happened to the slots and zones drawn in it."""


class InputError(ValueError):
    """A given file that cannot be used; the message names file, field and what is allowed."""


def read_slots(path: Path) -> ShelfFile:
    """Read a slots.yaml; raises InputError naming the place."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except yaml.YAMLError:
        raise InputError(f"{path}: not valid YAML") from None
    if not isinstance(document, Mapping):
        raise InputError(f"{path}: expected a mapping with `slots:` and optionally `zones:`")
    slots = _areas(path, "slots", document.get("slots"))
    zones = _areas(path, "zones", document.get("zones"))
    if not slots and not zones:
        raise InputError(f"{path}: neither a slot nor a zone is drawn")
    ids = [area.area_id for area in slots + zones]
    repeated = sorted({name for name in ids if ids.count(name) > 1})
    if repeated:
        raise InputError(f"{path}: id {repeated[0]!r} is used more than once")
    return ShelfFile(slots, zones)


def _areas(path: Path, name: str, rows: object) -> tuple[Area, ...]:
    if rows is None:
        return ()
    if not isinstance(rows, list):
        raise InputError(f"{path}: `{name}` must be a list")
    areas = []
    for index, row in enumerate(rows):
        place = f"{path}: {name}[{index}]"
        if not isinstance(row, Mapping) or "id" not in row or "polygon" not in row:
            raise InputError(f"{place}: needs `id` and `polygon`")
        try:
            polygon = tuple((float(x), float(y)) for x, y in row["polygon"])
        except (TypeError, ValueError):
            raise InputError(f"{place}.polygon: must be a list of [x, y] in pixels") from None
        if len(polygon) < 3 or not all(math.isfinite(value) for corner in polygon for value in corner):
            raise InputError(f"{place}.polygon: needs at least three corners with finite coordinates")
        facings = row.get("facings", 1)
        if not isinstance(facings, int) or isinstance(facings, bool) or not 1 <= facings <= 50:
            raise InputError(f"{place}.facings: must be a whole number from 1 to 50")
        areas.append(Area(str(row["id"]), polygon, str(row.get("product", "")), facings))
    return tuple(areas)


def read_truth(path: Path) -> list[ShelfEvent]:
    """Read an events.csv (time_s, slot_id, type, quantity); raises InputError naming line and field."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    events = []
    for line, row in enumerate(rows, start=2):
        for field in ("time_s", "slot_id", "type"):
            if not (row.get(field) or "").strip():
                raise InputError(f"{path}:{line}: {field} is missing")
        kind = row["type"].strip()
        if kind not in EVENT_TYPES:
            raise InputError(f"{path}:{line}: type must be one of {', '.join(EVENT_TYPES)}")
        try:
            time_s = float(row["time_s"])
            quantity = int((row.get("quantity") or "").strip() or (0 if kind == "touch" else 1))
        except ValueError:
            raise InputError(f"{path}:{line}: time_s must be seconds, quantity a whole number") from None
        if not math.isfinite(time_s):
            raise InputError(f"{path}:{line}: time_s must be finite")
        events.append(ShelfEvent(time_s, row["slot_id"].strip(), kind, quantity))
    return events


def score(found: Sequence[SeenEvent], truth: Sequence[ShelfEvent], tolerance_s: float) -> EventScore:
    """Pair found with true events. Nothing found and nothing true is a perfect score."""
    pairs: list[tuple[int, int]] = []
    if found and truth:
        gap = np.array([[abs(f.time_s - t.time_s) for t in truth] for f in found])
        fits = np.array([[f.slot_id == t.slot_id and f.type == t.type for t in truth] for f in found])
        fits &= gap <= tolerance_s + 1e-9
        gain = np.where(fits, 1.0 + 1e-3 * (1.0 - gap / (tolerance_s + 1e-9)), 0.0)
        rows, columns = linear_sum_assignment(gain, maximize=True)
        pairs = [(int(r), int(c)) for r, c in zip(rows, columns, strict=True) if fits[r, c]]
    hits = len(pairs)
    precision = hits / len(found) if found else float(not truth)
    recall = hits / len(truth) if truth else float(not found)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    errors = [abs(found[f].time_s - truth[t].time_s) for f, t in pairs]
    moved = [(f, t) for f, t in pairs if truth[t].type != "touch"]
    return EventScore(
        precision=precision,
        recall=recall,
        f1=f1,
        true_positives=hits,
        found=len(found),
        truth=len(truth),
        mean_error_s=float(np.mean(errors)) if errors else 0.0,
        quantity_accuracy=(
            sum(found[f].quantity == truth[t].quantity for f, t in moved) / len(moved) if moved else 1.0
        ),
        pairs=tuple(sorted(pairs)),
    )


def report(found: Sequence[SeenEvent], truth: Sequence[ShelfEvent], tolerance_s: float) -> dict[str, object]:
    """What the command prints as JSON."""
    result = score(found, truth, tolerance_s)
    partner = dict(result.pairs)
    matched = set(partner.values())
    return {
        "precision": round(result.precision, 4),
        "recall": round(result.recall, 4),
        "f1": round(result.f1, 4),
        "tolerance_s": tolerance_s,
        "true_positives": result.true_positives,
        "false_positives": result.found - result.true_positives,
        "false_negatives": result.truth - result.true_positives,
        "mean_error_s": round(result.mean_error_s, 3),
        "quantity_accuracy": round(result.quantity_accuracy, 4),
        "events": [
            {
                "time_s": round(event.time_s, 3),
                "slot_id": event.slot_id,
                "type": event.type,
                "quantity": event.quantity,
                "probability": round(event.probability, 3),
                "is_true": index in partner,
                "error_s": round(event.time_s - truth[partner[index]].time_s, 3) if index in partner else None,
            }
            for index, event in enumerate(found)
        ],
        "missed": [
            {"time_s": event.time_s, "slot_id": event.slot_id, "type": event.type, "quantity": event.quantity}
            for index, event in enumerate(truth)
            if index not in matched
        ],
    }


def as_text(summary: Mapping[str, object]) -> str:
    """The report for people."""
    lines = []
    events = summary["events"]
    missed = summary["missed"]
    assert isinstance(events, list)
    assert isinstance(missed, list)
    for event in events:
        mark = f"{event['error_s']:+.2f} s" if event["is_true"] else "false"
        lines.append(
            f"{event['time_s']:8.2f} s  {event['slot_id']:<12} {event['type']:<9} x{event['quantity']}"
            f"  p={event['probability']:.2f}  {mark}"
        )
    for event in missed:
        lines.append(f"{event['time_s']:8.2f} s  {event['slot_id']:<12} {event['type']:<9} missed")
    lines.append(
        f"precision {summary['precision']:.3f}  recall {summary['recall']:.3f}  f1 {summary['f1']:.3f}"
        f"  (tolerance {summary['tolerance_s']} s)"
    )
    return "\n".join(lines)


def _tolerance(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and 0 < value <= 60):
        raise argparse.ArgumentTypeError("must be seconds over 0, at most 60")
    return value


def main(argv: Sequence[str], watch: Watch) -> int:
    """Run the command; returns the exit status (2: a given file cannot be used)."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation events",
        description="Find picks, put-backs and touches in a video and score them.",
    )
    parser.add_argument("--video", type=Path, required=True, help="the footage")
    parser.add_argument("--slots", type=Path, required=True, help="slots.yaml: slots and optional zones, in pixels")
    parser.add_argument("--truth", type=Path, required=True, help="events.csv: time_s, slot_id, type, quantity")
    parser.add_argument("--tolerance", type=_tolerance, default=1.0, help="seconds an event may be off (1.0)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(argv)
    try:
        shelf = read_slots(given.slots)
        truth = read_truth(given.truth)
        if not given.video.is_file():
            raise InputError(f"{given.video}: no such file")
        try:
            with libraries_to_stderr():
                found = sorted(watch(given.video, shelf), key=lambda event: (event.time_s, event.slot_id))
        except ValueError as error:
            raise InputError(f"{given.video}: {error}") from None
    except InputError as error:
        parser.exit(2, f"{error}\n")
    summary = report(found, truth, given.tolerance)
    sys.stdout.write((json.dumps(summary, indent=2) if given.json else as_text(summary)) + "\n")
    return 0
