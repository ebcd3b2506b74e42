"""A clock in doubt loses no delivery and no open item: what refuses and closes asks for the time that is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets.orders.review.assets import review_decisions
from assets.orders.review.decisions import expire
from assets.privacy.retention.sweep_moment import confirm, find_moment
from assets.vision.footage.day_clips import clips_of_day
from lakehouse.contracts.orders import REVIEW_DECISIONS, REVIEW_ITEMS
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import replace_partition
from resources.believed_time import believed_now
from resources.clock import Clock
from resources.clock_reading import ClockReading
from resources.landing.footage import FootageBatch, LandedClip, Sidecar
from resources.steps.write_path import Tables
from resources.workplace import Workplace
from tests.contract.test_every_check_can_fail import rows_of

T0 = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
MINUTE, WEEK = timedelta(minutes=1), timedelta(hours=169)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(str(tmp_path / "lake"))
    assert find_moment(made, (), ClockReading(T0, "boot-1", timedelta(hours=5), is_synchronised=True)).doubt is None
    return made


def later(lie: timedelta = timedelta(), boot: str = "boot-1") -> ClockReading:
    """Ten minutes after the heartbeat."""
    up = timedelta(hours=5) + 10 * MINUTE if boot == "boot-1" else MINUTE
    return ClockReading(T0 + 10 * MINUTE + lie, boot, up, is_synchronised=False)


def clip(tmp_path: Path, captured_at: datetime) -> LandedClip:
    place, files = tmp_path / "landing", ("clip.mp4", "clip.json")
    sidecar = Sidecar("c1", "s001", captured_at, 30.0, 1, 640, 480, "0" * 64, 0)
    return LandedClip("s001", "c1", captured_at, place / files[0], place / files[1], sidecar, 1, "0" * 64, "clip")


def test_a_clock_a_week_ahead_refuses_no_living_clip_and_closes_no_item(lake: Lake, tmp_path: Path) -> None:
    wrong = later(WEEK)
    items = rows_of(REVIEW_ITEMS, {"evidence_expires_at": T0 + timedelta(hours=60)})
    landed = FootageBatch((clip(tmp_path, T0),), (), 0)
    day = StoreDay.of_instant("s001", T0)
    by_the_clock = wrong.wall_at
    assert clips_of_day(landed, day, tmp_path / "landing", by_the_clock).refused, "by the clock it would be refused"
    assert expire(items, pl.DataFrame(schema=REVIEW_DECISIONS.schema), by_the_clock).height == 1

    now = believed_now(lake, wrong)
    assert now == T0 + 10 * MINUTE
    assert clips_of_day(landed, day, tmp_path / "landing", now, latest=max(now, by_the_clock)).refused == ()
    assert expire(items, pl.DataFrame(schema=REVIEW_DECISIONS.schema), now).is_empty()


def test_after_a_week_off_todays_clip_is_not_from_the_future(lake: Lake, tmp_path: Path) -> None:
    """Started again and nobody vouches for the clock yet: the certain time is a week old."""
    reading = later(WEEK, "boot-2")
    now = believed_now(lake, reading)
    assert now == T0
    landed, day = FootageBatch((clip(tmp_path, T0 + WEEK),), (), 0), StoreDay.of_instant("s001", T0 + WEEK)
    assert clips_of_day(landed, day, tmp_path / "landing", now).refused
    arriving = clips_of_day(landed, day, tmp_path / "landing", now, latest=max(now, reading.wall_at))
    assert (len(arriving.clips), arriving.refused) == (1, ())


def test_a_believed_clock_is_taken_as_it_is_and_a_look_leaves_no_trace(lake: Lake, tmp_path: Path) -> None:
    before = sorted((file.key, lake.objects.read_bytes(file.key)) for file in lake.objects.list())
    assert believed_now(lake, later()) == later().wall_at
    believed_now(lake, later(WEEK))
    assert sorted((file.key, lake.objects.read_bytes(file.key)) for file in lake.objects.list()) == before
    assert believed_now(Lake(str(tmp_path / "new")), later(WEEK)) == later(WEEK).wall_at


def test_a_review_step_under_a_clock_a_week_ahead_closes_nothing(lake: Lake, tmp_path: Path) -> None:
    day = StoreDay.of_instant("s001", T0)
    open_item = {
        "store_id": "s001",
        "business_date": day.business_date.isoformat(),
        "evidence_expires_at": T0 + timedelta(hours=60),
    }
    replace_partition(
        lake, REVIEW_ITEMS, rows_of(REVIEW_ITEMS, open_item), day.partition(REVIEW_ITEMS),
        commit=CommitInfo("run", "code"), now=T0,
    )  # fmt: skip
    workplace, clock = Workplace(home=str(tmp_path)), Clock(fixed_at=(T0 + WEEK).isoformat())
    resources = {"workplace": workplace, "clock": clock, "tables": Tables(workplace=workplace, clock=clock)}
    assert dg.materialize([review_decisions], resources=resources).success
    assert scan(lake, REVIEW_DECISIONS).collect().is_empty()

    confirm(lake, ClockReading(T0 + WEEK, "simulated", timedelta(), is_synchronised=False), "operator-1")
    assert dg.materialize([review_decisions], resources=resources).success
    assert scan(lake, REVIEW_DECISIONS).collect()["decision"].to_list() == ["unbilled"]
