"""Every line of a landed file of scans is a row, is put into the file of its day, or is refused with its place."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from assets.orders.visits.finished_files import SortedScans, sort_scans
from lakehouse.store_day import StoreDay
from resources.landing.days import has_begun
from resources.landing.deliveries import GATE_EVENTS
from resources.landing.folder import Landing, Rejection
from resources.landing.lines import parse_line
from resources.landing.refusals import Reason

DAY = StoreDay("s001", date(2026, 11, 22))
FIRST = date(2026, 1, 1)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NAME = "gate_events/s001/2026-11-22.jsonl"
SCAN = {
    "account_id": "acc-1",
    "gate_id": "gate-1",
    "scanned_at": "2026-11-22T02:00:00.500Z",
    "direction": "entry",
    "payment_method": "alipay",
}


def sort(tmp_path: Path, *rows: dict[str, str], sealed: tuple[str, ...] = ()) -> SortedScans:
    path = tmp_path / NAME
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return sort_scans(
        Landing(tmp_path).read(GATE_EVENTS, "s001", DAY.business_date),
        DAY,
        {"gate-1"},
        lambda day: day.business_date.isoformat() in sealed,
        lambda day: has_begun(day, FIRST, NOW),
    )


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"gate_id": "gate-9"}, "gate_id", Reason.UNKNOWN_REFERENCE),
        ({"scanned_at": "2099-11-22T02:00:00Z"}, "scanned_at", Reason.OUT_OF_RANGE),
        ({"scanned_at": "2001-11-22T02:00:00Z"}, "scanned_at", Reason.OUT_OF_RANGE),
        ({"scanned_at": "2026-10-22T02:00:00Z"}, "scanned_at", Reason.EVIDENCE_EXPIRED),
    ],
)
def test_one_line_that_fits_no_day_or_gate_is_refused_and_the_day_goes_on(
    tmp_path: Path, changes: dict[str, str], field: str, reason: Reason
) -> None:
    found = sort(tmp_path, SCAN, SCAN | changes, SCAN | {"direction": "exit"}, sealed=("2026-10-22",))
    assert found.mine["direction"].to_list() == ["entry", "exit"]
    assert found.elsewhere == {}
    assert found.refused == (Rejection(NAME, 2, field, reason),)


def test_a_line_of_another_open_day_is_put_into_that_days_file_as_it_was(tmp_path: Path) -> None:
    yesterday = SCAN | {"scanned_at": "2026-11-21T02:00:00.500Z"}
    found = sort(tmp_path, SCAN, yesterday)
    assert found.mine.height == 1
    assert found.refused == ()
    ((day, (line,)),) = found.elsewhere.items()
    assert day == date(2026, 11, 21)
    assert parse_line(line, GATE_EVENTS) == parse_line(json.dumps(yesterday).encode(), GATE_EVENTS)


def test_a_store_without_any_gate_refuses_every_scan(tmp_path: Path) -> None:
    found = sort(tmp_path, SCAN | {"gate_id": "gate-2"}, SCAN | {"gate_id": "gate-3"})
    assert found.mine.is_empty()
    assert [refusal.line for refusal in found.refused] == [1, 2]


def test_a_stores_day_ends_at_16_utc(tmp_path: Path) -> None:
    found = sort(tmp_path, SCAN | {"scanned_at": "2026-11-22T15:59:59Z"}, SCAN | {"scanned_at": "2026-11-22T16:00:00Z"})
    assert found.mine["source_line"].to_list() == [1]
    assert list(found.elsewhere) == [date(2026, 11, 23)]
