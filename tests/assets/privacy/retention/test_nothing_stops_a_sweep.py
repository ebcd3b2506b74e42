"""One broken thing at a time in a home with everything due: what is not the broken thing's own dies all the same, what
still lives lives on, and what went wrong is named."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.privacy.places import FilePlace, file_places
from assets.privacy.retention import sweep as sweep_module
from assets.privacy.retention.notes import FIRST_SEEN, JOURNAL, close_journal
from assets.privacy.retention.sweep import Swept, sweep
from assets.privacy.retention.trimming import LAST_TRIM, trim_daily
from lakehouse.contract import TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.privacy import SWEEPS
from lakehouse.contracts.vision import CLOTHING, FOOTAGE_SEGMENTS, TRACK_POINTS
from lakehouse.files.open import object_store
from lakehouse.lake import Lake
from lakehouse.leases.hold import hold_lease
from lakehouse.life import seals
from lakehouse.store_day import StoreDay, capture_hour
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import append_once
from resources.settings import load_settings
from tests.assets.privacy.retention import sweep_process
from tests.assets.privacy.retention.test_sweep_failures import CANARY, DAY, INFO, at, clip, put

REPOSITORY = Path(__file__).resolve().parents[4]
EVERYTHING_DUE = at(168.6)
"""The day's first hour is past every limit; the hour that `LIVING` lies in is not past any."""
LIVING = at(168.5)
OLD = (at(0.5), at(0.75))


@dataclass(frozen=True)
class Home:
    """A home below a folder of its own, in which old and living things lie in every kind of place."""

    root: Path

    @property
    def lake(self) -> Lake:
        return load_settings(home=self.root).lake()

    @property
    def places(self) -> tuple[FilePlace, ...]:
        return file_places(load_settings(home=self.root))

    def sweep(self) -> Swept:
        return sweep(self.lake, self.places, commit=INFO, now=EVERYTHING_DUE)

    def table(self, name: str) -> Path:
        return self.root / "lake" / "vision" / name

    def clips(self, root: str = "footage") -> set[str]:
        """Keys of the clips that lie in a folder."""
        return {file.key for file in object_store(str(self.root / root)).list() if file.key.endswith(".mp4")}


def full_home(folder: Path) -> Home:
    """Old and living things in every kind of place."""
    made = Home(folder / "home")
    for table in (CLOTHING, TRACK_POINTS, FOOTAGE_SEGMENTS):
        put(made.lake, table, [at(0.5)])
        put(made.lake, table, [LIVING], now=LIVING)
    footage = object_store(str(made.root / "footage"))
    for moment in (*OLD, LIVING):
        footage.put_bytes(b"picture", clip(moment))
    object_store(str(made.root / "landing")).put_bytes(b"late", "footage/s001/c2/20260301T160000.000Z.mp4")
    return made


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return full_home(tmp_path)


def is_swept(home: Home, *, but: str = "") -> None:
    """Everything due is gone but in the table or folder `but`, and everything living is there."""
    for table in (CLOTHING, TRACK_POINTS, FOOTAGE_SEGMENTS):
        if table.path == but:
            continue
        folder = home.root / "lake" / table.path
        assert {path.name for path in folder.rglob("capture_hour=*")} == {f"capture_hour={capture_hour(LIVING)}"}
        assert scan(home.lake, table).collect()["capture_hour"].to_list() == [capture_hour(LIVING)]
    if but != "footage":
        assert home.clips() == {clip(LIVING)}
    assert not home.clips("landing")


def log_broken(home: Home) -> None:
    log = home.table("clothing") / "_delta_log"
    for entry in log.glob("*.json"):
        entry.write_bytes(b"{")


def log_gone(home: Home) -> None:
    for entry in (home.table("clothing") / "_delta_log").glob("*"):
        entry.unlink()


@pytest.mark.parametrize("damage", [log_broken, log_gone])
def test_a_broken_log_stops_nothing_and_its_own_folders_go_too(home: Home, damage: Callable[[Home], None]) -> None:
    damage(home)
    swept = home.sweep()
    is_swept(home, but=CLOTHING.path)
    assert {path.name for path in home.table("clothing").rglob("capture_hour=*")} == {
        f"capture_hour={capture_hour(LIVING)}"
    }
    assert any(failure.startswith(f"{CLOTHING.path}: its log") for failure in swept.failures)
    assert swept.places_left == 0
    assert CLOTHING.path in set(swept.ledger["place"])
    assert seals.is_sealed(home.lake, DAY)


@pytest.mark.parametrize(
    "content", [b"", b"[{", b"\xff", b"[" * 5000, b'[{"sink": 1}]', b'{"a": "2026-01-01"}', b"null"]
)
@pytest.mark.parametrize("note", [JOURNAL, FIRST_SEEN, LAST_TRIM])
def test_a_cut_note_is_set_aside_and_named(home: Home, note: str, content: bytes) -> None:
    home.lake.objects.put_bytes(content, note)
    swept, trimmed = home.sweep(), trim_daily(home.lake, EVERYTHING_DUE)
    is_swept(home)
    assert swept.places_left == 0
    assert swept.ledger.height == 5
    said = " ".join((*swept.failures, *trimmed.failures))
    assert note.rpartition("/")[2].partition(".")[0].replace("_", " ") in said.replace("_", " ")
    if note != LAST_TRIM:
        assert home.lake.objects.read_bytes(f"{note}.damaged") == content
    close_journal(home.lake, swept.ledger)
    assert home.sweep().failures == ()


@pytest.mark.parametrize("note", [JOURNAL, FIRST_SEEN, LAST_TRIM])
def test_a_folder_where_a_note_should_be_stops_nothing(home: Home, note: str) -> None:
    (home.root / "lake" / note / "inside").mkdir(parents=True)
    object_store(str(home.root / "footage")).put_bytes(b"strange", "s001/c1/holiday.mp4")
    swept, trimmed = home.sweep(), trim_daily(home.lake, EVERYTHING_DUE)
    assert home.clips() == {clip(LIVING), "s001/c1/holiday.mp4"}
    assert not home.clips("landing")
    assert swept.places_left == 0
    assert swept.ledger.height == 5
    assert any("IsADirectoryError" in failure for failure in (*swept.failures, *trimmed.failures))


def test_odd_folders_and_strays_beside_seals_stop_nothing(home: Home) -> None:
    for odd in (
        "store_id=s001/capture_hour=never",
        "store_id=s001/capture_hour=9999-12-31T23Z",
        "store_id=/x",
        "notes",
    ):
        folder = home.table("clothing") / odd
        folder.mkdir(parents=True)
        (folder / "x.parquet").write_bytes(b"odd")
    for stray in ("notes.txt", "s001/2026-13-45.json", "s001/deep/2026-03-02.json", "s001/copy of 2026-03-02.json"):
        home.lake.objects.put_bytes(b"stray", f"_engine/seals/{stray}")
    (home.root / "footage" / "s001" / "c1" / "empty.mp4").mkdir()
    (home.root / "footage" / os.fsdecode(b"\xff\xfe")).mkdir()
    (home.root / "footage" / os.fsdecode(b"\xff\xfe") / os.fsdecode(b"20260301T160000.000Z-\xff.mp4")).write_bytes(b"x")
    swept = home.sweep()
    assert home.clips() == {clip(LIVING)}
    assert not home.clips("landing")
    assert set(swept.ledger["place"]) >= {FOOTAGE_SEGMENTS.path, CLOTHING.path, TRACK_POINTS.path}
    assert f"{CLOTHING.path}: 2 folders whose capture hour is none" in swept.failures
    assert swept.places_left == 0
    assert seals.is_sealed(home.lake, DAY)


def test_a_link_goes_and_what_it_points_to_is_not_said_to_be_gone(home: Home, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.mp4"
    elsewhere.write_bytes(b"a video that lies elsewhere")
    folder = home.root / "footage" / "s001" / "c1" / capture_hour(at(0.5))
    (folder / "20260301T161000.000Z-link.mp4").symlink_to(elsewhere)
    (folder / "20260301T161100.000Z-dangling.mp4").symlink_to(tmp_path / "nowhere")
    os.link(elsewhere, folder / "20260301T161200.000Z-hard.mp4")
    os.mkfifo(folder / "20260301T161300.000Z-pipe.mp4")
    swept = home.sweep()
    is_swept(home)
    assert elsewhere.read_bytes() == b"a video that lies elsewhere"
    assert "footage: 2 symbolic links removed, and not what they point to" in swept.failures
    assert "footage: 1 files removed that have other names, under which their bytes stay" in swept.failures
    (row,) = swept.ledger.filter(pl.col("place") == "footage/s001/c1").iter_rows(named=True)
    assert (row["files_removed"], row["bytes_removed"]) == (6, 2 * len(b"picture"))


def give_to_nobody(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, sweep_process.NOBODY, sweep_process.NOBODY)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize("mode", [0o500, 0o000], ids=["cannot be changed", "cannot be looked into"])
def test_a_file_that_cannot_be_unlinked_stops_no_other(home: Home, mode: int) -> None:
    give_to_nobody(home.root)
    closed = home.root / "footage" / "s001" / "c1" / capture_hour(at(0.5))
    closed.chmod(mode)
    table = home.table("clothing") / "store_id=s001" / f"capture_hour={capture_hour(at(0.5))}"
    table.chmod(0o500)

    arguments = [sys.executable, "-m", sweep_process.__name__, str(home.root), EVERYTHING_DUE.isoformat()]
    done = subprocess.run(arguments, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert f"{CLOTHING.path}: 1 files not unlinked: PermissionError" in found["failures"]
    assert any(failure.startswith("footage: ") and "PermissionError" in failure for failure in found["failures"])
    places = set(found["places"])
    assert CLOTHING.path not in places
    assert "footage/s001/c1" not in places, "part of it may still be there"
    assert {FOOTAGE_SEGMENTS.path, TRACK_POINTS.path, "landing/footage/s001/c2"} <= places
    is_sound, limits = found["check"]
    assert not is_sound
    assert ("footage" in limits) == (mode == 0o000), "what cannot be looked into is not known"
    assert not home.clips("landing")
    closed.chmod(0o700)
    table.chmod(0o700)
    assert home.sweep().failures == ()
    is_swept(home)


def test_a_lease_that_is_held_is_waited_for_until_the_limit_is_near(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_module, "LEASE_WAIT_S", 0.05)
    with hold_lease(home.lake, TRACK_POINTS):
        early = sweep(home.lake, home.places, commit=INFO, now=at(71.6))
        assert early.places_left == 2, "of both movement tables: the day could not be sealed either"
        assert any("LeaseUnavailable" in failure for failure in early.failures)
        late = sweep(home.lake, home.places, commit=INFO, now=at(71.76))
        assert late.places_left == 1, "the rows are still in the log, their files are not"
    folders = {path.name for path in home.table("track_points").rglob("capture_hour=*")}
    assert folders == {f"capture_hour={capture_hour(LIVING)}"}
    assert home.sweep().failures == ()
    is_swept(home)


def test_a_lease_that_cannot_be_had_at_all_stops_nothing(home: Home) -> None:
    """A folder in the place of the lease."""
    lease = home.root / "lake" / "_engine" / "leases" / CLOTHING.path
    lease.unlink()
    (lease / "inside").mkdir(parents=True)
    swept = home.sweep()
    assert any(failure.startswith(f"{CLOTHING.path}: lease: IsADirectoryError") for failure in swept.failures)
    is_swept(home, but=CLOTHING.path)
    assert not list(home.table("clothing").rglob(f"capture_hour={capture_hour(at(0.5))}"))


def test_a_ledger_that_cannot_be_written_loses_no_note(home: Home) -> None:
    first = home.sweep()
    is_swept(home)
    # It was not entered: the next sweep has it again, with the same ids.
    again = home.sweep()
    assert again.ledger.sort("sweep_id").equals(first.ledger.sort("sweep_id"))
    append_once(home.lake, SWEEPS, again.ledger, commit=INFO, now=EVERYTHING_DUE)
    close_journal(home.lake, again.ledger)
    assert home.sweep().ledger.is_empty()


def test_a_full_disk_stops_no_unlinking(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be written: no note, no log entry."""
    from lakehouse.files.disk import LocalObjects

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(LocalObjects, "_write", full)
        patch.setattr("lakehouse.upkeep.expired_hours.commit_cells", full)
        swept = home.sweep()
    assert home.clips() == {clip(LIVING)}
    assert not home.clips("landing")
    for table in ("clothing", "track_points", "footage_segments"):
        assert not list(home.table(table).rglob(f"capture_hour={capture_hour(at(0.5))}"))
    assert any("log: OSError" in failure for failure in swept.failures)
    assert not any(CANARY.decode() in failure for failure in swept.failures)
    assert home.sweep().failures == ()
    is_swept(home)


def test_a_socket_and_an_unreadable_store_folder_name_are_no_trouble(home: Home, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as held:
        short = Path("/tmp") / f"oa-{os.getpid()}.sock"
        held.bind(str(short))
        short.rename(home.root / "footage" / "20260301T160000.000Z.sock")
    assert home.sweep().failures == ()
    is_swept(home)
    assert not (home.root / "footage" / "20260301T160000.000Z.sock").exists()


@pytest.mark.parametrize("place", ["landing/footage", "landing/rejected/footage"])
@pytest.mark.parametrize("rest", [{}, {"fps": "not a number"}], ids=["sound sidecar", "refused for another field"])
def test_a_recorder_that_is_ahead_prolongs_no_life(home: Home, place: str, rest: dict[str, object]) -> None:
    """Eight hours: by its name the clip has them to live when its 168 are over."""
    ahead, captured_at = timedelta(hours=8), at(0.5)
    named = (captured_at + ahead).strftime("%Y%m%dT%H%M%S.000Z")
    store = object_store(str(home.root / place))
    for name, skew in ((named, ahead), (at(20).strftime("%Y%m%dT%H%M%S.000Z"), -ahead)):
        store.put_bytes(b"picture", f"s001/c3/{name}.mp4")
        sidecar = rest | {"clock_skew_ms": skew / timedelta(milliseconds=1)}
        store.put_bytes(json.dumps(sidecar).encode(), f"s001/c3/{name}.json")
    young = {file.key for file in store.list()}
    sweep(home.lake, home.places, commit=INFO, now=at(167.49))
    assert {file.key for file in store.list("s001/c3")} == {key for key in young if "/c3/" in key}
    swept = sweep(home.lake, home.places, commit=INFO, now=at(167.5))
    assert {file.key for file in store.list("s001/c3")} == {key for key in young if "/c3/" in key and named not in key}
    (row,) = swept.ledger.filter(pl.col("place") == f"{place}/s001/c3").iter_rows(named=True)
    assert (row["files_removed"], row["capture_hour"]) == (2, capture_hour(captured_at))


def test_a_sidecar_that_is_a_pipe_or_a_link_is_not_opened(home: Home, tmp_path: Path) -> None:
    folder = home.root / "landing" / "footage" / "s001" / "c3"
    folder.mkdir(parents=True)
    for number, make in enumerate((os.mkfifo, lambda path: path.symlink_to(tmp_path / "elsewhere.json"))):
        (folder / f"20260309T0{number}0000.000Z.mp4").write_bytes(b"x")
        make(folder / f"20260309T0{number}0000.000Z.json")
    (tmp_path / "elsewhere.json").write_text('{"clock_skew_ms": 86400000}')
    home.sweep()
    assert len(list(folder.iterdir())) == 4


def test_a_day_at_the_end_of_the_calendar_stops_no_sweep(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sweep_module.known_days
    far = StoreDay("s001", date(9999, 12, 31))
    monkeypatch.setattr(sweep_module, "known_days", lambda *given: real(*given) | {far})
    swept = home.sweep()
    is_swept(home)
    assert swept.failures == ("seal s001 9999-12-31: OverflowError",)
    assert seals.is_sealed(home.lake, DAY)


def test_each_log_and_folder_is_looked_at_once_before_and_once_after(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once where nothing is due. Sealing a day, which is done here before, opens every table once more."""
    from lakehouse.files.disk import LocalObjects

    seals.seal(home.lake, DAY, list(CONTRACTS.values()), run_id="run", now=EVERYTHING_DUE)
    looked: Counter[tuple[str, str]] = Counter()
    real_list, real_open = LocalObjects.list, Lake.open

    def counted_list(self: LocalObjects, prefix: str = "") -> object:
        looked["listed", f"{self._root.name}/{prefix}".rstrip("/")] += 1
        return real_list(self, prefix)

    def counted_open(self: Lake, contract: TableContract) -> object:
        looked["opened", contract.path] += 1
        return real_open(self, contract)

    monkeypatch.setattr(LocalObjects, "list", counted_list)
    monkeypatch.setattr(Lake, "open", counted_open)
    for expected, now in ((2, EVERYTHING_DUE), (1, EVERYTHING_DUE + timedelta(minutes=10))):
        looked.clear()
        sweep(home.lake, home.places, commit=INFO, now=now)
        for table in (CLOTHING, TRACK_POINTS, FOOTAGE_SEGMENTS):
            assert looked["opened", table.path] == expected
            assert looked["listed", f"lake/{table.path}"] == expected
        for folder in ("footage", "landing/footage"):
            assert looked["listed", folder] == expected
        assert looked["listed", "tmp"] == 1
