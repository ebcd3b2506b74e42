"""The sweep with a stepped clock, on real tables and files: what dies, what survives, and what the ledger
says."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.privacy.places import FilePlace, file_places
from assets.privacy.retention import sweep as sweep_module
from assets.privacy.retention.checks import nothing_past_its_limit
from assets.privacy.retention.due import SWEPT_TABLES, hour_of, see_everything
from assets.privacy.retention.notes import close_journal
from assets.privacy.retention.sweep import Swept, sweep
from lakehouse import audit
from lakehouse.contract import RetentionClass
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.privacy import SWEEPS
from lakehouse.contracts.vision import SLOT_EPISODES, TRACK_POINTS, TRACKS
from lakehouse.errors import CaptureHourExpired, StoreDaySealed
from lakehouse.files.open import object_store
from lakehouse.lake import Lake
from lakehouse.life import seals
from lakehouse.store_day import StoreDay, capture_hour
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import append_once, replace_partition
from resources.settings import load_settings

DAY = StoreDay("s001", date(2026, 3, 2))
START = DAY.start_at
INFO = CommitInfo(run_id="run", code_version="code")
NEEDLE = b"track-canary-1"


def at(hours: int, minutes: int = 0) -> datetime:
    """That long after the day's first capture hour began."""
    return START + timedelta(hours=hours, minutes=minutes)


def track_points(moments: list[datetime]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "store_id": ["s001"] * len(moments),
            "capture_hour": [capture_hour(moment) for moment in moments],
            "track_id": [NEEDLE.decode()] * len(moments),
            "captured_at": moments,
            "x_m": [1.0] * len(moments),
            "y_m": [2.0] * len(moments),
            "speed_m_s": [0.5] * len(moments),
            "camera_count": [2] * len(moments),
        },
        schema=TRACK_POINTS.schema,
    )


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(str(tmp_path / "lake"))
    points = track_points([at(0, 59), at(1, 30), at(23)])
    replace_partition(made, TRACK_POINTS, points, DAY.partition(TRACK_POINTS), commit=INFO, now=START)
    return made


@pytest.fixture
def footage(tmp_path: Path) -> FilePlace:
    store = object_store(str(tmp_path / "footage"))
    for moment in (at(0, 59), at(1, 30)):
        hour, stamp = capture_hour(moment), moment.strftime("%Y%m%dT%H%M%S.000Z")
        store.put_bytes(b"picture", f"s001/c1/{hour}/{stamp}-abc.mp4")
    return FilePlace(store, "", "footage")


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def contains(folder: Path, needle: bytes) -> bool:
    return any(needle in path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("now", "points_left"),
    [(at(71, 29), 3), (at(71, 30), 2), (at(72), 2), (at(72, 29), 2), (at(72, 30), 1), (at(95), 0)],
)
def test_movement_dies_by_the_hour_and_the_neighbours_live(
    lake: Lake, footage: FilePlace, now: datetime, points_left: int
) -> None:
    swept = sweep(lake, (footage,), commit=INFO, now=now)
    left = scan(lake, TRACK_POINTS).collect()
    assert left.height == points_left
    assert swept.ledger["rows_removed"].sum() == 3 - points_left
    assert set(swept.ledger["rows_left"]) | set(swept.ledger["files_left"]) <= {0}
    assert len(list(footage.objects.list())) == 2, "footage lives on to 168 hours"


@pytest.mark.parametrize(("now", "clips_left"), [(at(167, 29), 2), (at(167, 30), 1), (at(168, 30), 0)])
def test_footage_dies_at_its_own_limit(lake: Lake, footage: FilePlace, now: datetime, clips_left: int) -> None:
    swept = sweep(lake, (footage,), commit=INFO, now=now)
    assert len(list(footage.objects.list())) == clips_left
    unlinked = swept.ledger.filter(pl.col("sink") == "footage")
    assert unlinked["files_removed"].sum() == 2 - clips_left
    assert unlinked["bytes_removed"].sum() == (2 - clips_left) * len(b"picture")


def test_a_canary_is_on_disk_before_and_nowhere_after(lake: Lake, footage: FilePlace, tmp_path: Path) -> None:
    assert contains(tmp_path / "lake", NEEDLE), "a search that finds nothing before proves nothing after"
    sweep(lake, (footage,), commit=INFO, now=at(96))
    assert not contains(tmp_path / "lake", NEEDLE)


def test_day_partitions_would_let_a_row_live_96_hours(lake: Lake, footage: FilePlace) -> None:
    """T-01: the day's youngest row is 49 hours old when its oldest must be gone; one day-wide drop fits
    neither."""
    sweep(lake, (footage,), commit=INFO, now=at(72))
    left = scan(lake, TRACK_POINTS).collect()["captured_at"].to_list()
    assert at(0, 59) not in left
    assert at(23) in left


def test_a_clip_that_no_catalogue_knows_dies_too(lake: Lake, tmp_path: Path) -> None:
    landing = object_store(str(tmp_path / "landing"))
    stamp = at(0, 5).strftime("%Y%m%dT%H%M%S.000Z")
    for suffix in ("mp4", "json"):
        landing.put_bytes(b"x", f"footage/s001/c9/{stamp}.{suffix}")
    landing.put_bytes(b"x", "gate_events/s001/2026-03-02.jsonl")
    swept = sweep(lake, (FilePlace(landing, "footage", "landing/footage"),), commit=INFO, now=at(167, 30))
    assert files(tmp_path / "landing") == {"2026-03-02.jsonl"}
    assert "landing/footage/s001/c9" in set(swept.ledger["place"])


def test_the_day_is_sealed_before_its_first_hour_goes(lake: Lake, footage: FilePlace) -> None:
    assert sweep(lake, (footage,), commit=INFO, now=at(71, 29)).sealed == ()
    assert sweep(lake, (footage,), commit=INFO, now=at(71, 30)).sealed == (DAY,)
    assert seals.is_sealed(lake, DAY)
    late = track_points([at(23, 10)])
    with pytest.raises((StoreDaySealed, CaptureHourExpired)):
        replace_partition(lake, TRACK_POINTS, late, DAY.partition(TRACK_POINTS), commit=INFO, now=at(71, 31))
    assert scan(lake, TRACK_POINTS).collect().height == 2


def test_a_clock_that_goes_backwards_brings_nothing_back(lake: Lake, footage: FilePlace) -> None:
    sweep(lake, (footage,), commit=INFO, now=at(60))
    points = track_points([at(0, 30)])
    other = StoreDay("s002", DAY.business_date)
    moved = points.with_columns(store_id=pl.lit("s002"))
    replace_partition(lake, TRACK_POINTS, moved, other.partition(TRACK_POINTS), commit=INFO, now=START)
    sweep(lake, (footage,), commit=INFO, now=at(72))
    swept = sweep(lake, (footage,), commit=INFO, now=at(72))
    close_journal(lake, swept.ledger)
    swept = sweep(lake, (footage,), commit=INFO, now=at(10))
    assert swept.ledger.is_empty()
    assert scan(lake, TRACK_POINTS).filter(pl.col("store_id") == "s002").collect().is_empty()


def test_a_sweep_killed_between_drop_and_ledger_is_entered_by_the_next(
    lake: Lake, footage: FilePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sweep_module, "ledger_row", die)
        with pytest.raises(Killed):
            sweep(lake, (footage,), commit=INFO, now=at(72))
    assert scan(lake, TRACK_POINTS).collect().height == 2, "the hour is gone, the ledger knows nothing yet"
    after = sweep(lake, (footage,), commit=INFO, now=at(72, 5))
    assert after.ledger.select("capture_hour", "rows_removed", "swept_at").rows() == [(DAY.capture_hours[0], 1, at(72))]
    for swept in (after, sweep(lake, (footage,), commit=INFO, now=at(72, 10))):
        append_once(lake, SWEEPS, swept.ledger, commit=INFO, now=at(72, 10))
    assert scan(lake, SWEEPS).collect().height == 1, "the same deletion is one row, however often it is reported"
    close_journal(lake, after.ledger)
    assert sweep(lake, (footage,), commit=INFO, now=at(72, 15)).ledger.is_empty()


def test_the_ledger_passes_its_own_expectations(lake: Lake, footage: FilePlace) -> None:
    swept: Swept = sweep(lake, (footage,), commit=INFO, now=at(168, 30))
    assert all(result.success for result in audit.run_expectations(SWEEPS, swept.ledger))
    assert nothing_past_its_limit(see_everything(lake, (footage,), {}), at(168, 30)).success


def test_what_is_past_its_limit_fails_the_check(lake: Lake, footage: FilePlace) -> None:
    assert nothing_past_its_limit(see_everything(lake, (footage,), {}), at(71, 59)).success
    found = nothing_past_its_limit(see_everything(lake, (footage,), {}), at(72))
    assert not found.success
    assert found.unexpected_count == 1


def test_every_table_with_a_limit_is_swept() -> None:
    limited = {RetentionClass.MOVEMENT, RetentionClass.FOOTAGE}
    assert {t.path for t in SWEPT_TABLES} == {t.path for t in CONTRACTS.values() if t.retention in limited}
    assert {TRACKS.path, SLOT_EPISODES.path} <= {t.path for t in SWEPT_TABLES}
    assert all("capture_hour" in table.partition_by for table in SWEPT_TABLES)


@pytest.mark.parametrize(
    ("key", "hour"),
    [
        ("s001/c1/2026-03-02T04Z/anything.mp4", "2026-03-02T04Z"),
        ("footage/s001/c1/20260302T045959.999Z.mp4", "2026-03-02T04Z"),
        ("footage/s001/c1/20260302T045959.999Z-0a1b.mp4.reason.json", "2026-03-02T04Z"),
        ("footage/s001/c1/20269999T045959.000Z.mp4", None),
        ("footage/s001/c1/notes.txt", None),
        ("footage/s001/c1/99991231T235959.000Z.mp4", None),
        ("footage/s001/c1/00010101T000000.000Z.mp4", None),
        ("s001/c1/9999-12-31T23Z/anything.mp4", None),
    ],
)
def test_a_file_is_as_old_as_its_path_says(key: str, hour: str | None) -> None:
    assert hour_of(key) == hour


def test_a_reviewers_picture_dies_before_what_it_shows(lake: Lake, tmp_path: Path) -> None:
    """Drawn at the last moment that review allows, 70 h 30 min after the day began, of its first minute."""
    places = file_places(load_settings({}, home=tmp_path))
    drawn = tmp_path / "tmp" / "review-1234.png"
    drawn.parent.mkdir()
    drawn.write_bytes(b"ways")
    for now in (at(70, 30), at(71, 20)):
        sweep(lake, places, commit=INFO, now=now)
        assert drawn.exists()
    sweep(lake, places, commit=INFO, now=at(71, 30))
    assert not drawn.exists()


def test_what_a_killed_delivery_left_dies_and_what_was_delivered_stays(lake: Lake, tmp_path: Path) -> None:
    landing, clip = tmp_path / "landing", f"{at(0, 5).strftime('%Y%m%dT%H%M%S.000Z')}.mp4"
    delivered = {"gate_events/s001/2026-03-02.jsonl", "accounts/2026-03-02.jsonl", "rejected/accounts/1.jsonl"}
    half_written = {
        "gate_events/s001/.2026-03-02.jsonl.partial",
        "accounts/.2026-03-02.jsonl.partial",
        "orders_history/s001/.2026-03-01.jsonl.partial",
        "rejected/accounts/.1.jsonl.71.tmp",
        ".store_day_offset.json.partial",
    }
    half_a_clip = f"footage/s001/c1/.{clip}.partial"
    for name in (*delivered, *half_written, half_a_clip):
        (landing / name).parent.mkdir(parents=True, exist_ok=True)
        (landing / name).write_bytes(b"acc-canary")
    places = file_places(load_settings({}, home=tmp_path))

    def left() -> set[str]:
        return {path.relative_to(landing).as_posix() for path in landing.rglob("*") if path.is_file()}

    for now in (at(2), at(25, 20)):
        sweep(lake, places, commit=INFO, now=now)
        assert left() == {*delivered, *half_written, half_a_clip}
    swept = sweep(lake, places, commit=INFO, now=at(25, 30))
    assert left() == {*delivered, half_a_clip}
    entered = swept.ledger.filter(pl.col("place") == "landing/unfinished")
    assert entered.select("retention", "files_removed").rows() == [("account", len(half_written))]
    close_journal(lake, swept.ledger)
    sweep(lake, places, commit=INFO, now=at(167, 29))
    assert left() == {*delivered, half_a_clip}
    sweep(lake, places, commit=INFO, now=at(167, 30))
    assert left() == delivered
