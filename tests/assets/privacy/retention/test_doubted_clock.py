"""A clock that is a week ahead, on a real lake: what lives, what dies all the same, what shows, and the way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from rich.console import Console

from assets.privacy.retention.assets import sweeps
from assets.privacy.retention.checks import CLOCK, PAST_LIMIT
from lakehouse.contracts.vision import TRACK_POINTS
from lakehouse.lake import ENGINE_FOLDER, Lake
from lakehouse.life import seals
from lakehouse.store_day import StoreDay, capture_hour
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import replace_partition
from orchestration.__main__ import main
from orchestration.commands.confirm_time import confirm_time
from resources.clock import Clock
from resources.clock_reading import ClockReading
from resources.settings import load_settings
from resources.steps.write_path import Tables
from resources.workplace import Workplace

DAY = StoreDay("s001", date(2026, 3, 2))
AHEAD = timedelta(hours=169)
CLIP = "footage/s001/c1/{hour}/clip.mp4"


class SetClock(Clock):
    """A machine's clock of which the test sets everything; `hours` after the day began, `lie_h` of them too many."""

    hours: float
    lie_h: float = 0.0
    boot_id: str = "boot-1"
    is_synchronised: bool = False

    def now(self) -> datetime:
        return DAY.start_at + timedelta(hours=self.hours + self.lie_h)

    def reading(self) -> ClockReading:
        up = timedelta(hours=self.hours) if self.boot_id == "boot-1" else timedelta()
        return ClockReading(self.now(), self.boot_id, up, self.is_synchronised)


def at(hours: float) -> datetime:
    return DAY.start_at + timedelta(hours=hours)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Movement of the hours 0 and 60, a clip of hour 60; swept at hour 61, so that there is a heartbeat."""
    points = pl.DataFrame(
        [
            {column.name: 1 for column in TRACK_POINTS.columns}
            | {"store_id": "s001", "capture_hour": capture_hour(moment), "captured_at": moment, "track_id": "t"}
            for moment in (at(0.5), at(60))
        ],
        TRACK_POINTS.schema,
    )
    hours = {"store_id": ["s001"], "capture_hour": sorted(points["capture_hour"])}
    replace_partition(lake_of(tmp_path), TRACK_POINTS, points, hours, commit=CommitInfo("run", "code"), now=at(60))
    clip = tmp_path / CLIP.format(hour=capture_hour(at(60)))
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"picture")
    assert run(tmp_path, SetClock(hours=61)).success
    return tmp_path


def lake_of(home: Path) -> Lake:
    return Lake(str(home / "lake"))


def run(home: Path, clock: Clock) -> dg.ExecuteInProcessResult:
    workplace = Workplace(home=str(home))
    resources = {"workplace": workplace, "clock": clock, "tables": Tables(workplace=workplace, clock=clock)}
    return dg.materialize([sweeps], resources=resources, raise_on_error=False)


def confirmed(home: Path, clock: SetClock, answer: str | Callable[[str], str]) -> int:
    ask = answer if callable(answer) else lambda _: answer
    return confirm_time(load_settings({}, home=home), Console(quiet=True), clock.reading, by="operator-1", ask=ask)


def check(result: dg.ExecuteInProcessResult, name: str) -> dg.AssetCheckEvaluation:
    (found,) = [check for check in result.get_asset_check_evaluations() if check.check_name == name]
    return found


def failure(result: dg.ExecuteInProcessResult) -> str:
    (found,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    return str(found.user_failure_data.description if found.user_failure_data else "")


def living(home: Path) -> tuple[int, int, bool]:
    """Rows of movement, clips, and whether the day is sealed."""
    rows = scan(lake_of(home), TRACK_POINTS).collect().height
    return rows, len([*(home / "footage").rglob("*.mp4")]), seals.is_sealed(lake_of(home), DAY)


def test_a_week_ahead_deletes_and_seals_nothing_and_is_red(home: Path) -> None:
    result = run(home, SetClock(hours=61.2, lie_h=169, is_synchronised=True))
    assert living(home) == (2, 1, False)
    assert not result.success
    assert "confirm-time" in failure(result)
    found = check(result, CLOCK)
    assert not found.passed
    assert found.metadata["count"].value == AHEAD.total_seconds()
    assert "confirm-time" in (found.description or "")
    assert check(result, PAST_LIMIT).passed

    after = run(home, SetClock(hours=61.4))
    assert after.success, "the clock is right again: no mark stays"
    assert living(home) == (2, 1, False)


def test_what_is_due_by_the_time_that_is_certain_dies_all_the_same(home: Path) -> None:
    result = run(home, SetClock(hours=71.5, lie_h=169))
    assert not result.success
    assert living(home) == (1, 1, True)
    result = run(home, SetClock(hours=71.7, lie_h=-1000))
    assert not result.success, "a clock that fell back is doubted too"
    assert living(home) == (1, 1, True)


def test_a_person_lets_it_go_on(home: Path) -> None:
    """The machine slept in another way than the kernel knows (a paused guest, say): it really is a week later."""
    clock = SetClock(hours=61.2, lie_h=169)
    assert not run(home, clock).success
    for answer in ("", "yes", capture_hour(at(61.2)), capture_hour(at(61.2 + 168))):
        assert confirmed(home, clock, answer) == 1
    assert not run(home, clock).success
    assert living(home) == (2, 1, False)
    assert confirmed(home, clock, capture_hour(clock.now())) == 0
    result = run(home, SetClock(hours=61.3, lie_h=169))
    assert result.success
    assert check(result, CLOCK).passed
    assert living(home) == (0, 0, True)


def test_nobody_there_to_ask_confirms_nothing(home: Path) -> None:
    def gone(_: str) -> str:
        raise EOFError

    clock = SetClock(hours=61.2, lie_h=169)
    assert confirmed(home, clock, gone) == 1
    assert not run(home, clock).success
    # A folder that cannot be written: something lies where the confirmations go.
    (home / "lake" / ENGINE_FOLDER / "time_confirmations").write_bytes(b"")
    assert confirmed(home, clock, capture_hour(clock.now())) == 1


def test_a_believed_clock_needs_no_confirmation(home: Path) -> None:
    def asked(_: str) -> str:
        raise AssertionError("nobody is asked")

    before = (home / "lake" / ENGINE_FOLDER / "sweep_heartbeat.json").read_bytes()
    assert confirmed(home, SetClock(hours=61.2), asked) == 0
    assert (home / "lake" / ENGINE_FOLDER / "sweep_heartbeat.json").read_bytes() == before


def test_a_mark_in_the_future_is_an_alarm_with_a_way_out(home: Path) -> None:
    """As an earlier version left it: a mark a week ahead and no heartbeat."""
    engine = home / "lake" / ENGINE_FOLDER
    (engine / "sweep_high_water").write_text((at(61) + AHEAD).isoformat())
    (engine / "sweep_heartbeat.json").unlink()
    clock = SetClock(hours=61.2)
    for _ in range(2):
        result = run(home, clock)
        assert not result.success
        assert check(result, CLOCK).metadata["count"].value > 168 * 3600
        assert living(home) == (2, 1, False)
    assert confirmed(home, clock, capture_hour(clock.now())) == 0
    assert (engine / "sweep_high_water").read_text() == clock.now().isoformat()
    assert run(home, SetClock(hours=61.4)).success
    assert living(home) == (2, 1, False)
    assert run(home, SetClock(hours=71.5)).success
    assert living(home) == (1, 1, True)


def test_after_a_week_off_the_kernels_word_counts(home: Path) -> None:
    off = SetClock(hours=61.2, lie_h=169, boot_id="boot-2")
    assert not run(home, off).success
    assert living(home) == (2, 1, False)
    synchronised = SetClock(hours=61.2, lie_h=169, boot_id="boot-2", is_synchronised=True)
    assert run(home, synchronised).success
    assert living(home) == (0, 0, True)


def test_a_first_sweep_by_a_clock_nobody_vouches_for(home: Path) -> None:
    engine = home / "lake" / ENGINE_FOLDER
    for name in ("sweep_high_water", "sweep_heartbeat.json"):
        (engine / name).unlink()
    clock = SetClock(hours=61, lie_h=169)
    result = run(home, clock)
    assert not result.success
    assert "confirm-time" in failure(result)
    assert living(home) == (2, 1, False)
    assert confirmed(home, clock, capture_hour(clock.now())) == 0
    assert run(home, clock).success
    assert living(home) == (0, 0, True)


def test_a_clock_set_by_hand_sweeps_no_real_lake_and_nothing_in_production(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    by_hand = Clock(fixed_at=(at(61) + AHEAD).isoformat())
    assert not run(home, by_hand).success
    assert living(home) == (2, 1, False)
    for path in (home / "lake" / ENGINE_FOLDER).glob("sweep_h*"):
        path.unlink()
    (tmp_path / "settings.yaml").write_text(json.dumps({"environment": "production"}))
    monkeypatch.setenv("OPENAISLE_SETTINGS", str(tmp_path / "settings.yaml"))
    assert not run(home, by_hand).success
    assert living(home) == (2, 1, False)


def test_the_documented_command(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = SetClock(hours=61.2, lie_h=169)
    monkeypatch.setattr("resources.clock_reading.read_machine", clock.reading)
    hour = capture_hour(clock.now())
    command = ["--home", str(home), "confirm-time", "--by", "operator-1", "--yes-it-is"]
    assert main([*command, capture_hour(at(61.2))]) == 1
    assert "not confirmed" in capsys.readouterr().out
    assert main([*command, hour]) == 0
    assert "+608400 s" in capsys.readouterr().out
    (kept,) = (home / "lake" / ENGINE_FOLDER / "time_confirmations").iterdir()
    assert json.loads(kept.read_text())["confirmed_by"] == "operator-1"
    assert main([*command, hour]) == 0
    assert "nothing to confirm" in capsys.readouterr().out
