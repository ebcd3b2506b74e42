"""Tries a delivery without landing it: the same readers as the steps', over a folder laid out like landing."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl
from rich.console import Console

from lakehouse.contracts import store_reference
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan
from resources.landing.days import has_begun, sort_by_day
from resources.landing.deliveries import DELIVERIES, GATE_EVENTS
from resources.landing.folder import REJECTED, Landing, Rejection, date_of_name, files_below
from resources.landing.footage import CLIP_SUFFIX, SIDECAR_SUFFIX, FootageBatch, read_footage
from resources.landing.refusals import Reason
from resources.steps.partitions import FIRST_DATE

_UNUSABLE = ("untimed", "unreadable", "empty", "misdated")


@dataclass(frozen=True)
class Fault:
    """What a file, or a line of it, would be refused for. `line` counts from 1; 0 is the whole file."""

    file: str
    line: int
    field: str
    reason: str


@dataclass(frozen=True)
class Trial:
    """`files`: each with ok, refused or waiting: half a clip; a day that has not begun; reference data that name what
    nobody knows, which are among the faults, too, since only another delivery mends them."""

    files: Mapping[str, str]
    faults: tuple[Fault, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing would be refused, now or in the end."""
        return not self.faults

    @property
    def counts(self) -> dict[str, int]:
        """Number of files by what becomes of them."""
        return dict(sorted(Counter(self.files.values()).items()))


def reference_of(lake: Lake) -> dict[str, pl.DataFrame]:
    """The reference tables by contract name."""
    return {table.name: scan(lake, table).collect() for table in store_reference.TABLES}


def try_delivery(folder: Path, known: Mapping[str, pl.DataFrame], now: datetime) -> Trial:
    """What would become of a folder's files if they landed now. `known`: the reference tables, by contract name, with
    what landed before; what the folder itself holds of reference data counts, too. Moves and writes nothing.

    It does not know which days are sealed, which reviews wait and which orders were delivered before: what depends on
    that shows only when it lands.
    """
    from assets.orders.reference import intake
    from assets.orders.reference.documents import read_documents

    landing = Landing(folder)
    reference = landing.read_reference()
    names = {document.name for document in reference.documents}
    taken = intake.take(read_documents(reference.documents), known, may_wait=names)
    stores = taken.tables["stores"].select("store_id", "gate_ids").iter_rows()
    gates = {store_id: set(gate_ids) for store_id, gate_ids in stores}
    days = sort_by_day(landing, date.fromisoformat(FIRST_DATE), now, gates)
    footage = read_footage(landing)
    rejections = {*reference.rejections, *taken.refused, *taken.waiting, *days.strays, *footage.rejections}
    for delivery in DELIVERIES.values():
        if delivery.lines is GATE_EVENTS:
            rejections |= set(_scans(landing, days.files, gates, now))
        elif delivery.lines is not None:
            rejections |= set(landing.read(delivery.lines).rejections)
    faults = {Fault(_printable(r.file), r.line, r.field, str(r.reason)) for r in rejections}
    faults |= set(_clips(landing, footage, days.files, now)) | set(_elsewhere(folder))
    waiting = {_printable(name) for name in taken.waiting_files}
    refused = {fault.file for fault in faults} - waiting
    lying = {_printable(landing.name_of(p)): p for p in files_below(folder) if not _is_kept_apart(folder, p)}
    in_a_day = {path for files in days.files.values() for path in files}
    files = {
        name: "refused" if name in refused else "waiting" if name in waiting or _waits(folder, path, in_a_day) else "ok"
        for name, path in sorted(lying.items())
    }
    return Trial(files, tuple(sorted(faults, key=lambda f: (f.file, f.line, f.field, f.reason))))


def check_folder(folder: Path, lake: Lake, now: datetime, console: Console, *, as_json: bool) -> bool:
    """Prints what would become of a folder's files. Returns whether nothing would be refused, now or in the end."""
    trial = try_delivery(folder, reference_of(lake), now)
    if as_json:
        found = {"counts": trial.counts, "files": trial.files, "refused": [asdict(fault) for fault in trial.faults]}
        print(json.dumps(found, indent=1))  # noqa: T201 - for another program: rich would break lines
        return trial.is_sound
    for name, state in trial.files.items():
        console.print(f"{state:8} {name}", markup=False, highlight=False, soft_wrap=True)
        for fault in trial.faults:
            if fault.file == name:
                where = f"line {fault.line}" if fault.line else "the file"
                said = ": ".join(part for part in (where, fault.field, fault.reason) if part)
                console.print(f"         {said}", markup=False, highlight=False, soft_wrap=True)
    counted = ", ".join(f"{count} {state}" for state, count in trial.counts.items())
    console.print(counted or "no files", markup=False, highlight=False)
    return trial.is_sound


def _scans(
    landing: Landing, days: Mapping[StoreDay, tuple[Path, ...]], gates: Mapping[str, Collection[str]], now: datetime
) -> Iterator[Rejection]:
    from assets.orders.visits.finished_files import sort_scans

    for day in days:
        batch = landing.read(GATE_EVENTS, day.store_id, day.business_date)
        yield from batch.rejections
        yield from sort_scans(
            batch,
            day,
            gates[day.store_id],
            lambda _: False,
            lambda other: has_begun(other, date.fromisoformat(FIRST_DATE), now),
        ).refused


def _clips(
    landing: Landing, footage: FootageBatch, days: Mapping[StoreDay, tuple[Path, ...]], now: datetime
) -> Iterator[Fault]:
    """Clips that are too old or from the future, and those of which nothing can be looked at."""
    from assets.vision.footage.catalogue import probe, status_of
    from assets.vision.footage.day_clips import clips_of_day, sidecar_of

    for day in days:
        of_day = clips_of_day(footage, day, landing.root, now)
        for refused in of_day.refused:
            yield Fault(_printable(refused.file), 0, refused.field, str(refused.reason))
        for clip in of_day.clips:
            status, why = status_of(probe(clip.clip, sidecar_of(clip), clip.place), day.start_at, day.end_at)
            if status in _UNUSABLE:
                yield Fault(_printable(landing.name_of(clip.clip)), 0, "", f"{status} ({why})")


def _elsewhere(folder: Path) -> Iterator[Fault]:
    """What lies in no delivery's folder: nobody would ever read it."""
    for path in files_below(folder):
        inside = path.relative_to(folder).parts
        if inside[0] not in (*DELIVERIES, REJECTED):
            yield Fault(_printable(path.relative_to(folder).as_posix()), 0, "", str(Reason.FILE_NAME))


def _is_kept_apart(folder: Path, path: Path) -> bool:
    return path.relative_to(folder).parts[0] == REJECTED


def _waits(folder: Path, path: Path, in_a_day: Collection[Path]) -> bool:
    """Whether a sound file stays where it is: for its other half, or until its day begins."""
    category = path.relative_to(folder).parts[0]
    if category == "footage":
        other = CLIP_SUFFIX if path.suffix == SIDECAR_SUFFIX else SIDECAR_SUFFIX
        return path not in in_a_day or not path.with_suffix(other).exists()
    return category == GATE_EVENTS.category and date_of_name(path.name) is not None and path not in in_a_day


def _printable(name: str) -> str:
    """A name that any terminal and any JSON can hold."""
    return os.fsencode(name).decode("utf-8", "replace")
