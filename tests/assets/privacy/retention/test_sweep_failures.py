"""A sweep that meets trouble: killed anywhere, a table that cannot be opened, files that hide their age."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.privacy.places import FilePlace
from assets.privacy.retention import sweep as sweep_module
from assets.privacy.retention.checks import nothing_ahead_of_time, nothing_past_its_limit
from assets.privacy.retention.due import SWEPT_TABLES, see_everything
from assets.privacy.retention.notes import close_journal
from assets.privacy.retention.sweep import Swept, sweep
from lakehouse.contract import TableContract
from lakehouse.contracts.privacy import SWEEPS
from lakehouse.contracts.vision import CLOTHING, SLOT_EPISODES, TRACK_POINTS
from lakehouse.errors import ContractVersionMismatch, LeaseUnavailable
from lakehouse.files.open import object_store
from lakehouse.lake import Lake
from lakehouse.life import seals
from lakehouse.store_day import StoreDay, capture_hour
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import append_once, replace_partition

DAY = StoreDay("s001", date(2026, 3, 2))
INFO = CommitInfo(run_id="run", code_version="code")
CANARY = b"canary-6f1e"


def at(hours: float) -> datetime:
    """That long after the day's first capture hour began."""
    return DAY.start_at + timedelta(hours=hours)


def put(
    lake: Lake, table: TableContract, moments: list[datetime], now: datetime | None = None, store_id: str = "s001"
) -> None:
    """One row at each moment, its texts a canary."""
    rows = []
    for moment in moments:
        row = {c.name: _value(c.dtype, moment) for c in table.columns}
        texts = [name for name in table.key if table.column(name).dtype == pl.String]
        row |= {name: f"{CANARY.decode()}-{moment.isoformat()}" for name in texts}
        rows.append(row | {"store_id": store_id, "capture_hour": capture_hour(moment)})
    frame = pl.DataFrame(rows, table.schema)
    partition = {"store_id": [store_id], "capture_hour": sorted({*frame["capture_hour"]})}
    replace_partition(lake, table, frame, partition, commit=INFO, now=now or DAY.start_at)


def _value(dtype: object, moment: datetime) -> object:
    if dtype == pl.String:
        return CANARY.decode()
    if dtype == pl.Binary:
        return CANARY
    if isinstance(dtype, pl.Datetime):
        return moment
    if isinstance(dtype, pl.List):
        return []
    return False if dtype == pl.Boolean else 0


def clip(moment: datetime) -> str:
    return f"s001/c1/{capture_hour(moment)}/{moment.strftime('%Y%m%dT%H%M%S.000Z')}-abc.mp4"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    made = Lake(str(tmp_path / "lake"))
    put(made, CLOTHING, [at(0.5), at(3)])
    put(made, TRACK_POINTS, [at(0.5), at(3)])
    return made


@pytest.fixture
def footage(tmp_path: Path) -> FilePlace:
    store = object_store(str(tmp_path / "footage"))
    for moment in (at(0.5), at(0.75), at(3)):
        store.put_bytes(b"picture", clip(moment))
    return FilePlace(store, "", "footage")


def ledger(lake: Lake) -> pl.DataFrame:
    return scan(lake, SWEEPS).sort("sink", "place", "capture_hour").collect()


def enter(lake: Lake, swept: Swept) -> None:
    append_once(lake, SWEEPS, swept.ledger, commit=INFO, now=swept.moment)
    close_journal(lake, swept.ledger)


class Killed(BaseException):
    """kill -9, as far as the code can see: nothing that catches errors catches it."""


KILLED_IN = ("write_journal", "_unlink", "_seal", "drop_expired", "see_folder", "ledger_row")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", KILLED_IN)
def test_killed_anywhere_the_next_sweep_ends_with_the_same_ledger(
    lake: Lake, footage: FilePlace, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    put(lake, SLOT_EPISODES, [at(0.5)])
    real = getattr(sweep_module, step)

    def die(*args: object, **kwargs: object) -> None:
        if when == "after":
            real(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sweep_module, step, die)
        with pytest.raises(Killed):
            sweep(lake, (footage,), commit=INFO, now=at(167.6))
    enter(lake, sweep(lake, (footage,), commit=INFO, now=at(167.7)))

    entered = ledger(lake)
    places = [CLOTHING.path, SLOT_EPISODES.path, TRACK_POINTS.path]
    hours = {name: 2 if name != SLOT_EPISODES.path else 1 for name in places}
    assert dict(entered["place"].value_counts().iter_rows()) == {"footage/s001/c1": 1, **hours}
    assert entered["rows_removed"].sum() == 5
    assert entered.filter(pl.col("sink") == "footage")["files_removed"].to_list() == [2]
    assert entered["bytes_removed"].min() > 0
    assert seals.is_sealed(lake, DAY)
    assert sweep(lake, (footage,), commit=INFO, now=at(167.8)).ledger.is_empty()


def test_neighbours_stay_as_they_are_to_the_byte(lake: Lake, footage: FilePlace, tmp_path: Path) -> None:
    dead = (capture_hour(at(0.5)), "_delta_log", "_engine")
    before = contents(tmp_path)
    sweep(lake, (footage,), commit=INFO, now=at(72))
    after = contents(tmp_path)
    kept = {
        name: data
        for name, data in before.items()
        if name.startswith("footage") or not any(part in name for part in dead)
    }
    assert {name: after[name] for name in kept} == kept
    assert len(kept) == 5, "two tables' later hours and three clips"


def test_the_canary_is_found_before_and_nowhere_after(lake: Lake, footage: FilePlace, tmp_path: Path) -> None:
    assert any(CANARY in data for data in contents(tmp_path / "lake").values())
    sweep(lake, (footage,), commit=INFO, now=at(75))
    assert not any(CANARY in data for data in contents(tmp_path / "lake").values())


def test_one_table_that_fails_stops_no_other(lake: Lake, footage: FilePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sweep_module.drop_expired

    def stuck(lake: Lake, table: TableContract, **more: object) -> object:
        if table == CLOTHING:
            raise LeaseUnavailable(table.path, "held")
        return real(lake, table, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(sweep_module, "drop_expired", stuck)
        swept = sweep(lake, (footage,), commit=INFO, now=at(71.6))
    assert swept.failures == (f"{CLOTHING.path}: LeaseUnavailable",)
    assert swept.places_left == 1
    assert swept.ledger["place"].to_list() == [TRACK_POINTS.path], "what is left is not entered as removed"
    enter(lake, swept)

    again = sweep(lake, (footage,), commit=INFO, now=at(71.8))
    enter(lake, again)
    assert (again.failures, again.places_left) == ((), 0)
    assert ledger(lake)["place"].to_list() == [CLOTHING.path, TRACK_POINTS.path]


@pytest.mark.parametrize("error", [LeaseUnavailable("orders/orders", "held"), OSError("no space")])
def test_movement_waits_for_its_seal_for_a_while_and_nothing_else_does(
    lake: Lake, footage: FilePlace, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """One store's day cannot be sealed; another store's can, and footage needs no seal."""
    put(lake, TRACK_POINTS, [at(0.5)], store_id="s002")
    real = seals.seal

    def fail(lake: Lake, day: StoreDay, *more: object, **named: object) -> bool:
        if day.store_id == "s002":
            raise error
        return real(lake, day, *more, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(seals, "seal", fail)
    swept = sweep(lake, (footage,), commit=INFO, now=at(71.6))
    assert len(swept.failures) == 1
    assert "seal" in swept.failures[0]
    assert swept.sealed == (DAY,)
    assert scan(lake, TRACK_POINTS).collect()["store_id"].to_list() == ["s001", "s002"], "later hours, and s002's first"
    assert swept.places_left == 1
    # The limit is near: it goes unsealed rather than late.
    late = sweep(lake, (footage,), commit=INFO, now=at(71.76))
    assert late.failures
    assert late.places_left == 0
    assert scan(lake, TRACK_POINTS).collect()["store_id"].to_list() == ["s001"]
    assert sweep(lake, (footage,), commit=INFO, now=at(167.6)).places_left == 0
    assert [file.key for file in footage.objects.list()] == [clip(at(3))]


def test_deletion_waits_for_no_migration(lake: Lake, footage: FilePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table written under an older contract cannot be read, and dies on time all the same."""
    newer = replace(TRACK_POINTS, version=TRACK_POINTS.version + 1)
    with pytest.raises(ContractVersionMismatch):
        scan(lake, newer)
    tables = tuple(newer if table == TRACK_POINTS else table for table in SWEPT_TABLES)
    monkeypatch.setattr(sweep_module, "SWEPT_TABLES", tables)
    swept = sweep(lake, (footage,), commit=INFO, now=at(72))
    assert (swept.failures, swept.places_left) == ((), 0)
    assert TRACK_POINTS.path in set(swept.ledger["place"])


@pytest.mark.parametrize("name", ["holiday.mp4", "20990101T000000.000Z.mp4", "20269999T000000.000Z.mp4"])
def test_a_file_that_hides_its_age_lives_from_its_first_sight(lake: Lake, tmp_path: Path, name: str) -> None:
    landing = object_store(str(tmp_path / "landing"))
    places = (
        FilePlace(landing, "footage", "landing/footage"),
        FilePlace(landing, "rejected/footage", "landing/rejected/footage"),
    )
    landing.put_bytes(b"strange", f"footage/s001/c1/{name}")
    sweep(lake, places, commit=INFO, now=at(10))
    # Moved to the rejected files it is the same file: no new life begins.
    landing.delete(f"footage/s001/c1/{name}")
    landing.put_bytes(b"strange", f"rejected/footage/s001/c1/{name}")
    sweep(lake, places, commit=INFO, now=at(100))
    assert len(list(landing.list())) == 1

    sweep(lake, places, commit=INFO, now=at(177.49))
    assert len(list(landing.list())) == 1
    swept = sweep(lake, places, commit=INFO, now=at(177.5))
    assert list(landing.list()) == []
    assert "landing/rejected/footage/s001/c1" in set(swept.ledger["place"])
    assert not any(name in str(row) for row in swept.ledger.iter_rows())


def test_scratch_files_die_within_two_hours(lake: Lake, tmp_path: Path) -> None:
    store = object_store(str(tmp_path / "tmp"))
    place = FilePlace(store, "", "tmp", timedelta(hours=2))
    store.put_bytes(b"trajectories", "review-1234.png")
    sweep(lake, (place,), commit=INFO, now=at(10.2))
    sweep(lake, (place,), commit=INFO, now=at(11.4))
    assert len(list(store.list())) == 1
    swept = sweep(lake, (place,), commit=INFO, now=at(11.5))
    assert list(store.list()) == []
    assert swept.ledger.filter(pl.col("place") == "tmp")["retention"].to_list() == ["movement"]


def test_rows_from_the_future_are_seen(lake: Lake) -> None:
    assert nothing_ahead_of_time(see_everything(lake, (), {}), at(3)).success
    put(lake, TRACK_POINTS, [datetime(2099, 1, 1, tzinfo=UTC)])
    found = nothing_ahead_of_time(see_everything(lake, (), {}), at(3))
    assert not found.success
    assert found.unexpected_count == 1


def test_a_place_that_cannot_be_looked_at_is_not_empty(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, footage: FilePlace
) -> None:
    def broken(*_: object) -> object:
        raise OSError("gone")

    monkeypatch.setattr(type(footage.objects), "list", broken)
    looks = see_everything(lake, (footage,), {})
    assert {look.name for look in looks if look.contents is None} >= {"footage", TRACK_POINTS.path}
    found = nothing_past_its_limit(looks, at(1))
    assert not found.success
    assert "not looked at, so not known: footage" in found.limits


def test_a_day_without_movement_is_sealed_too(tmp_path: Path) -> None:
    from lakehouse.contracts.orders import GATE_EVENTS

    lake = Lake(str(tmp_path / "lake"))
    row = {c.name: _value(c.dtype, at(1)) for c in GATE_EVENTS.columns}
    row |= {"store_id": "s001", "business_date": "2026-03-02"}
    row |= {"direction": "entry", "payment_method": "alipay"}
    frame = pl.DataFrame([row], GATE_EVENTS.schema)
    replace_partition(lake, GATE_EVENTS, frame, DAY.partition(GATE_EVENTS), commit=INFO, now=at(1))
    assert sweep(lake, (), commit=INFO, now=at(71.4)).sealed == ()
    assert sweep(lake, (), commit=INFO, now=at(71.5)).sealed == (DAY,)
    assert scan(lake, GATE_EVENTS).collect().height == 1
