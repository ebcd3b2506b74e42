"""What becomes of every line of a landed file of gate scans, so that the run of the day that the file is named after is
the only one that has to read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date

import polars as pl

from assets.orders.ids import instant_text
from lakehouse.store_day import StoreDay, business_date_of
from resources.landing.deliveries import GATE_EVENTS
from resources.landing.folder import SOURCE_FILE, SOURCE_LINE, Batch, Rejection
from resources.landing.refusals import Reason, Refused

_DATE = "business_date"


@dataclass(frozen=True)
class SortedScans:
    """`mine`: rows of the batch for the day. `elsewhere`: by date the lines, as JSON, that belong to another day of the
    store. `refused`: the lines that count for nothing, with the reason."""

    mine: pl.DataFrame
    elsewhere: dict[date, tuple[bytes, ...]]
    refused: tuple[Rejection, ...]


def sort_scans(
    batch: Batch,
    day: StoreDay,
    gates: Collection[str],
    is_sealed: Callable[[StoreDay], bool],
    check_date: Callable[[StoreDay], object],
) -> SortedScans:
    """The lines of a batch of one store by what is to be done with them.

    `gates`: those that the store has. `check_date` raises Refused for a date that no run can be for. A scan of a sealed
    day came too late.
    """
    lines = batch.frame.with_columns(business_date_of("scanned_at").alias(_DATE))
    judged: dict[str, Reason | None] = {}
    for text in lines[_DATE].unique().sort():
        judged[text] = _judge(StoreDay(day.store_id, date.fromisoformat(text)), is_sealed, check_date)
    refused: list[Rejection] = []
    elsewhere: dict[date, list[bytes]] = {}
    kept: list[bool] = []
    for row in lines.iter_rows(named=True):
        reason, field = judged[row[_DATE]], "scanned_at"
        if row["gate_id"] not in gates:
            reason, field = Reason.UNKNOWN_REFERENCE, "gate_id"
        kept.append(reason is None and row[_DATE] == day.business_date.isoformat())
        if reason is not None:
            refused.append(Rejection(row[SOURCE_FILE], row[SOURCE_LINE], field, reason))
        elif not kept[-1]:
            elsewhere.setdefault(date.fromisoformat(row[_DATE]), []).append(_as_line(row))
    mine = batch.frame.filter(pl.Series(kept, dtype=pl.Boolean))
    return SortedScans(mine, {when: tuple(found) for when, found in elsewhere.items()}, tuple(refused))


def _judge(
    day: StoreDay, is_sealed: Callable[[StoreDay], bool], check_date: Callable[[StoreDay], object]
) -> Reason | None:
    try:
        check_date(day)
    except Refused as refused:
        return refused.reason
    return Reason.EVIDENCE_EXPIRED if is_sealed(day) else None


def _as_line(row: dict[str, object]) -> bytes:
    fields = {name: row[name] for name in GATE_EVENTS.fields}
    return json.dumps(fields | {"scanned_at": instant_text(row["scanned_at"])}).encode()  # type: ignore[arg-type]
