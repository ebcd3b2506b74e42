"""Both sides of every deletion on time, with a clock that is stepped over the limit."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lakehouse import errors
from lakehouse.contract import TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.lake import Lake
from lakehouse.life import expiry
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import replace_partition
from lakehouse.upkeep.expired_hours import drop_expired
from tests.lakehouse.small_tables import CLIPS, DAY, INFO, LEDGER, NOW, SIGHTS, data_files, file_contents, sights

HOURS = list(DAY.capture_hours[:3])
FIRST = DAY.start_at
MINUTE = timedelta(minutes=1)


def at(hours: int, minutes: int) -> datetime:
    """That long after the first capture hour began."""
    return FIRST + timedelta(hours=hours, minutes=minutes)


def fill(lake: Lake, table: TableContract) -> None:
    replace_partition(lake, table, sights(HOURS, table=table), DAY.partition(table), commit=INFO, now=FIRST)


@pytest.mark.parametrize(
    ("table", "now", "gone"),
    [
        (SIGHTS, at(71, 29), 0),
        (SIGHTS, at(71, 30), 1),
        (SIGHTS, at(72, 0), 1),
        (SIGHTS, at(72, 29), 1),
        (SIGHTS, at(72, 30), 2),
        (CLIPS, at(72, 0), 0),
        (CLIPS, at(167, 29), 0),
        (CLIPS, at(167, 30), 1),
        (CLIPS, at(168, 0), 1),
        (CLIPS, at(400, 0), 3),
    ],
)
def test_hours_die_at_their_time_and_their_neighbours_live(
    lake: Lake, table: TableContract, now: datetime, gone: int
) -> None:
    fill(lake, table)
    before = file_contents(Path(lake.uri(table)))
    dropped = drop_expired(lake, table, commit=INFO, now=now).hours
    assert [(d.store_id, d.capture_hour) for d in dropped] == [("s001", hour) for hour in HOURS[:gone]]
    for hour in dropped:
        assert (hour.rows_removed, hour.files_removed, hour.rows_left, hour.files_left) == (3, 1, 0, 0)
        assert hour.bytes_removed > 0
        assert now < hour.expires_at or now >= at(72, 0)
    kept = scan(lake, table).collect().sort("row_id")
    assert kept.equals(sights(HOURS[gone:], table=table))
    left = data_files(Path(lake.uri(table)))
    assert left == {name for name in before if any(hour in name for hour in HOURS[gone:])}
    assert {name: data for name, data in file_contents(Path(lake.uri(table))).items() if name in left} == {
        name: before[name] for name in left
    }
    folders = {path.name for path in Path(lake.uri(table)).rglob("capture_hour=*")}
    assert folders == {f"capture_hour={hour}" for hour in HOURS[gone:]}


def test_no_value_reaches_its_limit_if_the_sweep_runs_every_15_minutes(lake: Lake) -> None:
    fill(lake, SIGHTS)
    for step in range(0, 80 * 4):
        now = FIRST + timedelta(minutes=15 * step)
        drop_expired(lake, SIGHTS, commit=INFO, now=now)
        oldest = scan(lake, SIGHTS).collect().get_column("captured_at").min()
        if not isinstance(oldest, datetime):
            break
        assert now + 15 * MINUTE - oldest < timedelta(hours=72)
    assert now == at(73, 30)


@pytest.mark.parametrize(("table", "hours"), [(SIGHTS, 71), (CLIPS, 167)])
def test_the_writer_refuses_from_the_moment_of_the_drop(lake: Lake, table: TableContract, hours: int) -> None:
    fill(lake, table)
    whole_day, rows = DAY.partition(table), sights(HOURS, seed=1, table=table)
    replace_partition(lake, table, rows, whole_day, commit=INFO, now=at(hours, 30) - timedelta(seconds=1))
    with pytest.raises(errors.CaptureHourExpired) as refused:
        replace_partition(lake, table, sights(HOURS, seed=2, table=table), whole_day, commit=INFO, now=at(hours, 30))
    assert refused.value.count == 1
    # Refused whole, also if no row lies in the expired hour: half a day must not replace a day.
    with pytest.raises(errors.CaptureHourExpired):
        replace_partition(lake, table, sights(HOURS[1:], table=table), whole_day, commit=INFO, now=at(hours, 30))
    assert scan(lake, table).collect().sort("row_id").equals(rows)


def test_replaced_files_and_leftovers_of_an_expired_hour_go_too(lake: Lake) -> None:
    fill(lake, SIGHTS)
    replace_partition(lake, SIGHTS, sights(HOURS, seed=1), DAY.partition(SIGHTS), commit=INFO, now=FIRST)
    folder = Path(lake.uri(SIGHTS)) / "store_id=s001"
    (folder / f"capture_hour={HOURS[0]}/x.parquet.77.unfinished").write_bytes(b"half")
    (never_committed := folder / f"capture_hour={DAY.capture_hours[5]}").mkdir()
    (never_committed / "y.parquet").write_bytes(b"whole")
    (dropped,) = drop_expired(lake, SIGHTS, commit=INFO, now=at(71, 30)).hours
    assert (dropped.rows_removed, dropped.files_removed, dropped.files_left) == (3, 3, 0)
    assert not (folder / f"capture_hour={HOURS[0]}").exists()
    assert [d.rows_removed for d in drop_expired(lake, SIGHTS, commit=INFO, now=at(90, 0)).hours] == [3, 3, 0]
    assert data_files(Path(lake.uri(SIGHTS))) == set()


def test_a_second_drop_and_an_absent_table_find_nothing(lake: Lake) -> None:
    assert drop_expired(lake, SIGHTS, commit=INFO, now=at(100, 0)).hours == []
    fill(lake, SIGHTS)
    assert len(drop_expired(lake, SIGHTS, commit=INFO, now=at(71, 30)).hours) == 1
    before = file_contents(Path(lake.uri(SIGHTS)))
    assert drop_expired(lake, SIGHTS, commit=INFO, now=at(71, 30)).hours == []
    assert file_contents(Path(lake.uri(SIGHTS))) == before


def test_tables_without_a_limit_are_left_alone(lake: Lake) -> None:
    with pytest.raises(ValueError, match="no capture hour of it expires"):
        drop_expired(lake, LEDGER, commit=INFO, now=NOW + timedelta(days=10_000))


def test_every_limited_table_of_the_project_can_be_dropped_by_hour() -> None:
    for table in CONTRACTS.values():
        if expiry.limit_of(table) is not None:
            assert "capture_hour" in table.partition_by, table.path
            assert "store_id" in table.partition_by, table.path
            assert table.clock_column is not None, table.path


def test_a_day_seals_when_its_earliest_hour_of_movement_expires() -> None:
    assert expiry.seals_at(DAY) == at(71, 30)
    assert expiry.limit_at(SIGHTS, HOURS[0]) == at(72, 0)
    assert expiry.drop_at(CLIPS, HOURS[0]) == at(167, 30)
