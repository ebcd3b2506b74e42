"""What the step that takes decisions tells of them: whose orders they change, and nothing of a person."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import dagster as dg

from assets.orders.review.assets import review_decisions
from lakehouse.contracts.orders import REVIEW_ITEMS
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.writer import replace_partition
from resources.clock import Clock
from resources.steps.store_digests import is_same_for
from resources.steps.write_path import Tables
from resources.workplace import Workplace
from tests.contract.test_every_check_can_fail import rows_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAYS = {store: StoreDay(store, date(2026, 11, 22)) for store in ("s001", "s002")}


def take(home: Path, *lines: dict[str, object]) -> dict[str, object]:
    """What a run of the step tells after these lines have landed."""
    landed = home / "landing" / "reviews" / "2026-11-22.jsonl"
    landed.parent.mkdir(parents=True, exist_ok=True)
    landed.write_text("".join(json.dumps(line) + "\n" for line in lines))
    workplace, clock = Workplace(home=str(home)), Clock(fixed_at=NOW.isoformat())
    tables = Tables(workplace=workplace, clock=clock)
    done = dg.materialize([review_decisions], resources={"workplace": workplace, "clock": clock, "tables": tables})
    (event,) = done.get_asset_materialization_events()
    return {name: entry.value for name, entry in event.materialization.metadata.items()}


def test_a_decision_changes_the_orders_of_its_store_and_of_no_other(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    for store, day in DAYS.items():
        item = {"store_id": store, "review_id": f"{store}-1", "evidence_expires_at": NOW + timedelta(hours=60)}
        replace_partition(
            lake, REVIEW_ITEMS, rows_of(REVIEW_ITEMS, item), day.partition(REVIEW_ITEMS),
            commit=CommitInfo("run", "code"), now=NOW,
        )  # fmt: skip
    told = [take(tmp_path), take(tmp_path)]
    decided = {
        "review_id": "s001-1",
        "decision": "reject",
        "reviewer_id": "acct-17",
        "decided_at": NOW.isoformat(),
        "reason": "seen on the plan",
    }
    told += [take(tmp_path, decided), take(tmp_path)]
    assert told[2]["decided"] == 1
    changed = {store: [not is_same_for(store, before, after) for before, after in pairwise(told)] for store in DAYS}
    assert changed == {"s001": [False, True, False], "s002": [False, False, False]}
    assert not any("acct-17" in str(value) for value in told[2].values())
