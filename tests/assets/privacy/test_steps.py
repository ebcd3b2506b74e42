"""The privacy domain's steps as Dagster runs them, with the clock in hand."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets.privacy.accounts.assets import accounts
from assets.privacy.retention.assets import sweeps
from assets.privacy.retention.checks import AHEAD_OF_TIME, PAST_LIMIT, UNCLAIMED
from lakehouse.contract import TableContract
from lakehouse.contracts.privacy import ACCOUNTS, SWEEPS
from lakehouse.contracts.vision import TRACK_POINTS
from lakehouse.errors import LeaseUnavailable
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay, capture_hour
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import replace_partition
from resources.clock import Clock
from resources.steps.write_path import Tables
from resources.workplace import Workplace

DAY = StoreDay("s001", date(2026, 3, 2))


def run(step: dg.AssetsDefinition, home: Path, now: datetime) -> dg.ExecuteInProcessResult:
    workplace, clock = Workplace(home=str(home)), Clock(fixed_at=now.isoformat())
    resources = {"workplace": workplace, "clock": clock, "tables": Tables(workplace=workplace, clock=clock)}
    return dg.materialize([step], resources=resources, raise_on_error=False)


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {check.check_name: check.passed for check in result.get_asset_check_evaluations()}


def at(hours: float) -> datetime:
    return DAY.start_at + timedelta(hours=hours)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def lake(home: Path) -> Lake:
    return Lake(str(home / "lake"))


def test_accounts_come_in_by_their_allow_list(home: Path, lake: Lake) -> None:
    landed = home / "landing" / "accounts" / "2026-03-02.jsonl"
    landed.parent.mkdir(parents=True)
    good = {"account_id": "a1", "created_at": "2026-03-01T00:00:00Z", "status": "active", "is_simulated": True}
    lines = [good, good | {"status": "cancelled"}, good | {"account_id": "a2", "phone": "138-canary"}]
    landed.write_text("\n".join(json.dumps(line) for line in lines))

    result = run(accounts, home, at(1))

    assert result.success
    assert scan(lake, ACCOUNTS).select("account_id", "status").collect().rows() == [("a1", "cancelled")]
    assert not landed.exists()
    rejected = home / "landing" / "rejected" / "accounts"
    assert sum("canary" in path.read_text() for path in rejected.iterdir()) == 1, "the refused line is kept"
    assert "138-canary" not in str(result.all_events)


def test_the_sweep_on_both_sides_of_the_limit(home: Path, lake: Lake) -> None:
    moments = [at(0.5), at(1.5)]
    points = pl.DataFrame(
        [
            {column.name: 1 for column in TRACK_POINTS.columns}
            | {"store_id": "s001", "capture_hour": capture_hour(moment), "captured_at": moment, "track_id": "t"}
            for moment in moments
        ],
        TRACK_POINTS.schema,
    )
    info = CommitInfo("run", "code")
    replace_partition(lake, TRACK_POINTS, points, DAY.partition(TRACK_POINTS), commit=info, now=at(2))

    before = run(sweeps, home, at(71.49))
    assert before.success
    assert all(checks(before).values())
    assert (scan(lake, TRACK_POINTS).collect().height, scan(lake, SWEEPS).collect().height) == (2, 0)

    after = run(sweeps, home, at(71.5))
    assert after.success
    assert all(checks(after).values())
    assert {PAST_LIMIT, AHEAD_OF_TIME, UNCLAIMED} <= checks(after).keys()
    assert scan(lake, TRACK_POINTS).collect()["captured_at"].to_list() == [at(1.5)]
    (row,) = scan(lake, SWEEPS).collect().iter_rows(named=True)
    assert (row["place"], row["capture_hour"], row["rows_removed"], row["rows_left"]) == (
        TRACK_POINTS.path,
        capture_hour(at(0.5)),
        1,
        0,
    )
    assert row["expires_at"] == at(72)
    (event,) = after.asset_materializations_for_node("sweeps")
    assert event.metadata["rows_removed_in_all"].value == 1
    assert event.metadata["days_sealed"].value == 1

    again = run(sweeps, home, at(71.6))
    assert again.success
    assert scan(lake, SWEEPS).collect().height == 1


def test_a_file_that_nobody_empties_is_seen_and_stops_no_sweep(home: Path) -> None:
    (home / "exports").mkdir(parents=True)
    (home / "exports" / "accounts.csv").write_text("account_id")
    result = run(sweeps, home, at(1))
    assert result.success
    assert checks(result)[UNCLAIMED] is False


def test_what_is_left_fails_the_step(home: Path, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    test_the_sweep_on_both_sides_of_the_limit(home, lake)

    def stuck(_: Lake, table: TableContract, **__: object) -> object:
        raise LeaseUnavailable(table.path, "held")

    monkeypatch.setattr("assets.privacy.retention.sweep.drop_expired", stuck)
    result = run(sweeps, home, at(73))
    assert not result.success
    assert checks(result)[PAST_LIMIT] is False, "the row is 71.5 hours old, its hour has reached the limit"
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    said = str(failure.user_failure_data) + str(failure.error)
    assert "1 places still hold what is due" in said
    assert f"{TRACK_POINTS.path}: LeaseUnavailable" in said
