"""Scans are taken, kept for another day, or refused, line by line: one bad line is nobody's else's matter."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

from assets.orders.visits.finished_files import sort_scans
from lakehouse.store_day import StoreDay
from resources.landing.days import has_begun
from resources.landing.deliveries import GATE_EVENTS
from resources.landing.folder import Landing

NOW = datetime(2026, 11, 22, 16, tzinfo=UTC)
DAY = StoreDay("s001", date(2026, 11, 22))
SEALED = StoreDay("s001", date(2026, 11, 15))
FIRST = date(2026, 1, 1)


def scan(at: str, gate: str = "gate-1") -> dict[str, object]:
    return {"account_id": "a", "gate_id": gate, "scanned_at": at, "direction": "entry", "payment_method": "alipay"}


def test_each_line_goes_its_own_way(tmp_path: Path) -> None:
    lines = [
        scan("2026-11-22T02:00:00Z"),
        scan("2026-11-22T02:00:01Z", "gate-nowhere"),
        scan("2026-11-21T02:00:00Z"),
        scan("2026-11-15T02:00:00Z"),
        scan("2099-01-01T00:00:00Z"),
        scan("2025-12-31T00:00:00Z"),
        scan("2026-11-22T15:59:59Z"),
        scan("2026-11-22T16:00:00Z"),
    ]
    path = tmp_path / "gate_events" / "s001" / "2026-11-22.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    batch = Landing(tmp_path).read(GATE_EVENTS, "s001")
    found = sort_scans(batch, DAY, {"gate-1"}, lambda day: day == SEALED, lambda day: has_begun(day, FIRST, NOW))
    assert found.mine["source_line"].to_list() == [1, 7], "a store's day ends at 16:00 UTC"
    assert sorted(found.elsewhere) == [date(2026, 11, 21), date(2026, 11, 23)]
    assert [(r.line, r.field, str(r.reason)) for r in found.refused] == [
        (2, "gate_id", "unknown_reference"),
        (4, "scanned_at", "evidence_expired"),
        (5, "scanned_at", "out_of_range"),
        (6, "scanned_at", "out_of_range"),
    ]
    (kept,) = found.elsewhere[date(2026, 11, 21)]
    assert json.loads(kept)["scanned_at"].startswith("2026-11-21T02:00:00")
