from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from subprocess import PIPE
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError

from lakehouse import errors
from lakehouse.lake import Lake
from lakehouse.leases.attempts import current_waits
from lakehouse.leases.hold import hold_lease
from lakehouse.leases.holder import holder_of, signature
from lakehouse.life.seals import seal
from lakehouse.tables.properties import arrow_schema
from lakehouse.tables.reader import scan, table_version
from lakehouse.tables.writer import append_once, replace_partition
from tests.lakehouse.small_tables import DAY, INFO, LEDGER, NOW, SIGHTS, TOTALS, sights, totals

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(params=["disk", "bucket"])
def any_lake(request: pytest.FixtureRequest) -> Lake:
    found = request.getfixturevalue("lake" if request.param == "disk" else "bucket_lake")
    assert isinstance(found, Lake)
    return found


def test_one_holder_at_a_time(any_lake: Lake) -> None:
    with hold_lease(any_lake, SIGHTS):
        with (
            pytest.raises(errors.LeaseUnavailable, match="probe/sights"),
            hold_lease(any_lake, SIGHTS, wait_s=0.05),
        ):
            pass
        with hold_lease(any_lake, TOTALS, wait_s=0.05):
            pass
    with hold_lease(any_lake, SIGHTS, wait_s=0.05):
        pass


HOLDER = """
import sys
from lakehouse.lake import Lake
from lakehouse.leases.hold import hold_lease
from lakehouse.leases.holder import THIS_PROCESS
from tests.lakehouse.small_tables import SIGHTS
THIS_PROCESS.run_id = "1f2e3d4c-0000"
with hold_lease(Lake(sys.argv[1]), SIGHTS):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_who_waits_in_vain_is_told_who_holds_it_and_since_when(lake: Lake) -> None:
    command = [sys.executable, "-c", HOLDER, lake.root]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=PIPE, stdout=PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        who = rf"free within 0 s: held by run 1f2e3d4c \(process {process.pid}\) since \d\d:\d\d:\d\d UTC$"
        with pytest.raises(errors.LeaseUnavailable, match=who), hold_lease(lake, SIGHTS, wait_s=0.0):
            pass
        process.kill()
    with hold_lease(lake, SIGHTS, wait_s=0.0):
        pass


def test_the_holder_in_a_bucket_is_told_too(bucket_lake: Lake) -> None:
    with (
        hold_lease(bucket_lake, SIGHTS),
        pytest.raises(errors.LeaseUnavailable, match=rf"0 s: held by process {os.getpid()}$"),
        hold_lease(bucket_lake, SIGHTS, wait_s=0.0),
    ):
        pass


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"some host 1 2 3 7", b"\xff", b'{"run": 1}'])
def test_what_names_no_holder_is_no_holder(content: bytes) -> None:
    assert holder_of(content) is None


def test_no_name_of_a_computer_gets_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "laptop-of-li-wei")
    written = signature(beats=1)
    assert b"li-wei" not in written
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    found = holder_of(written)
    assert found is not None
    assert found.words == f"process {os.getpid()} of another machine"


def test_a_wait_is_known_while_it_lasts(lake: Lake) -> None:
    assert current_waits() == []
    with hold_lease(lake, SIGHTS):
        waiter = threading.Thread(target=lambda: hold_lease(lake, SIGHTS).__enter__())
        waiter.start()
        while not (found := current_waits()):
            assert waiter.is_alive()
        (wait,) = found
        assert (wait.table, wait.holder and wait.holder.process) == ("probe/sights", os.getpid())
    waiter.join()
    assert current_waits() == []


def test_holders_never_overlap(any_lake: Lake) -> None:
    inside, most = [0], [0]

    def hold() -> None:
        for _ in range(3):
            with hold_lease(any_lake, SIGHTS, wait_s=60):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.003)
                inside[0] -= 1

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 1


def test_it_is_free_again_after_an_exception(any_lake: Lake) -> None:
    with pytest.raises(RuntimeError, match="inside"), hold_lease(any_lake, SIGHTS):
        raise RuntimeError("inside")
    with hold_lease(any_lake, SIGHTS, wait_s=0.0):
        pass


def test_a_dead_holders_object_is_taken_over_and_a_living_ones_is_not(bucket_lake: Lake) -> None:
    key = "_engine/leases/probe/sights"
    bucket_lake.objects.put_bytes(b"some host 1 2 3 7", key)  # nobody renews this one
    started = time.monotonic()
    with hold_lease(bucket_lake, SIGHTS, takeover_s=0.4):
        assert time.monotonic() - started >= 0.4
        # Alive: its object keeps changing, so it outlasts many takeover times.
        with (
            pytest.raises(errors.LeaseUnavailable),
            hold_lease(bucket_lake, SIGHTS, wait_s=1.2, takeover_s=0.4),
        ):
            pass
    assert bucket_lake.objects.read_bytes(key) == b"free"


def test_who_lost_the_lease_commits_nothing(bucket_lake: Lake) -> None:
    replace_partition(bucket_lake, TOTALS, totals({1: 10}), DAY.partition(TOTALS), commit=INFO, now=NOW)

    def steal(step: str) -> None:
        if step == "file written":
            bucket_lake.objects.put_bytes(b"somebody else", "_engine/leases/probe/totals")

    with pytest.raises(errors.LeaseLost):
        replace_partition(
            bucket_lake, TOTALS, totals({1: 11}), DAY.partition(TOTALS), commit=INFO, now=NOW, steps=steal
        )
    assert scan(bucket_lake, TOTALS).collect().get_column("amount_fen").to_list() == [10]


@pytest.fixture
def quick_takeover(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(hold_lease.__wrapped__.__kwdefaults__, "takeover_s", 0.3)  # type: ignore[attr-defined]


def steal_lease(lake: Lake) -> None:
    """What a holder finds that slept for too long: an object that is no longer its own."""
    lake.objects.put_bytes(b"somebody else 1", "_engine/leases/probe/totals")


@pytest.mark.usefixtures("quick_takeover")
def test_who_lost_the_lease_after_its_check_leaves_the_winners_file_alone(bucket_lake: Lake) -> None:
    """Both write the same rows to the same version: their files have the same bytes, not the same name."""
    rows, day = totals({1: 11}), DAY.partition(TOTALS)
    replace_partition(bucket_lake, TOTALS, totals({1: 10}), day, commit=INFO, now=NOW)

    def lose(step: str) -> None:
        if step == "lease checked":
            steal_lease(bucket_lake)
            assert replace_partition(bucket_lake, TOTALS, rows, day, commit=INFO, now=NOW).committed

    report = replace_partition(bucket_lake, TOTALS, rows, day, commit=INFO, now=NOW, steps=lose)
    assert not report.committed  # it read again, and its rows were there
    assert scan(bucket_lake, TOTALS).collect().get_column("amount_fen").to_list() == [11]


@pytest.mark.usefixtures("quick_takeover")
def test_a_seal_that_slips_in_between_check_and_commit_stops_the_commit(bucket_lake: Lake) -> None:
    replace_partition(bucket_lake, TOTALS, totals({1: 10}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    sealed_at: list[int | None] = []

    def slip_in(step: str) -> None:
        if step == "lease checked":
            steal_lease(bucket_lake)
            assert seal(bucket_lake, DAY, [TOTALS], run_id="run-2", now=NOW)
            sealed_at.append(table_version(bucket_lake, TOTALS))

    with pytest.raises(errors.LeaseLost):
        replace_partition(
            bucket_lake, TOTALS, totals({1: 99}), DAY.partition(TOTALS), commit=INFO, now=NOW, steps=slip_in
        )
    assert scan(bucket_lake, TOTALS).collect().get_column("amount_fen").to_list() == [10]
    assert [table_version(bucket_lake, TOTALS)] == sealed_at
    assert len([key for key in bucket_lake.objects.list(TOTALS.path) if "_delta_log" not in key.key]) == 1


def test_a_lease_that_was_given_back_needs_no_fence(bucket_lake: Lake) -> None:
    for seed in (1, 2):
        replace_partition(bucket_lake, TOTALS, totals({1: seed}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    assert table_version(bucket_lake, TOTALS) == 2


def test_a_store_that_refuses_a_commit_it_has_made_loses_no_file(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that repeats a put whose answer got lost hears that somebody was first: it was itself."""
    made = DeltaTable.create_write_transaction

    def made_and_refused(self: DeltaTable, *arguments: Any, **more: Any) -> None:
        made(self, *arguments, **more)
        raise CommitFailedError("already there")

    append_once(lake, LEDGER, totals({1: 10}), commit=INFO, now=NOW)
    monkeypatch.setattr(DeltaTable, "create_write_transaction", made_and_refused)
    report = append_once(lake, LEDGER, totals({2: 20}), commit=INFO, now=NOW)
    assert (report.committed, report.version, report.attempts) == (True, 2, 1)
    assert scan(lake, LEDGER).collect().get_column("row_id").sort().to_list() == [1, 2]


def test_a_commit_whose_fate_cannot_be_read_takes_nothing_back(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was made, its answer got lost, and the log cannot be read at that moment."""
    append_once(lake, LEDGER, totals({1: 10}), commit=INFO, now=NOW)
    made = DeltaTable.create_write_transaction
    log = Path(lake.uri(LEDGER)) / "_delta_log"

    def made_and_refused(self: DeltaTable, *arguments: Any, **more: Any) -> None:
        made(self, *arguments, **more)
        log.rename(log.with_name("away"))
        raise CommitFailedError("already there")

    with monkeypatch.context() as patch:
        patch.setattr(DeltaTable, "create_write_transaction", made_and_refused)
        with pytest.raises(errors.TableDamaged):
            append_once(lake, LEDGER, totals({2: 20}), commit=INFO, now=NOW)
    log.with_name("away").rename(log)
    assert scan(lake, LEDGER).collect().get_column("row_id").sort().to_list() == [1, 2]


def test_a_commit_that_came_second_reads_again(lake: Lake) -> None:
    """Another engine (Spark, say) knows nothing of our leases, and Delta lets appends pass each other: only
    a commit that never retries by itself sees that the key it was about to add is there by now."""
    append_once(lake, LEDGER, totals({1: 10}), commit=INFO, now=NOW)
    intruded: list[str] = []

    def intrude(step: str) -> None:
        if step == "lease checked" and not intruded:
            intruded.append(step)
            rows = totals({2: 77}).to_arrow(compat_level=pl.CompatLevel.oldest())
            write_deltalake(lake.uri(LEDGER), rows.cast(arrow_schema(LEDGER)), mode="append")

    report = append_once(lake, LEDGER, totals({1: 99, 2: 20, 3: 30}), commit=INFO, now=NOW, steps=intrude)
    assert (report.attempts, report.rows_kept, report.rows_present) == (2, 1, 2)
    assert scan(lake, LEDGER).select("row_id", "amount_fen").collect().sort("row_id").rows() == [
        (1, 10),
        (2, 77),
        (3, 30),
    ]


def test_somebody_who_always_comes_first_is_reported(lake: Lake) -> None:
    append_once(lake, LEDGER, totals({1: 10}), commit=INFO, now=NOW)

    def intrude(step: str) -> None:
        if step == "lease checked":
            table = lake.open(LEDGER)
            assert table is not None
            table.alter.set_table_properties({"delta.checkpointInterval": str(5 + table.version())})

    with pytest.raises(errors.CommitConflict, match=r"\(8\)"):
        append_once(lake, LEDGER, totals({2: 20}), commit=INFO, now=NOW, steps=intrude)
    assert scan(lake, LEDGER).collect().height == 1


def test_a_drop_beside_a_writer_leaves_each_its_own(lake: Lake) -> None:
    from datetime import timedelta

    from lakehouse.store_day import StoreDay
    from lakehouse.upkeep.expired_hours import drop_expired

    following = StoreDay.of_instant("s001", DAY.end_at)
    replace_partition(lake, SIGHTS, sights(DAY.capture_hours[:4]), DAY.partition(SIGHTS), commit=INFO, now=NOW)
    now = DAY.start_at + timedelta(hours=75)
    faults: list[BaseException] = []

    def write() -> None:
        try:
            for seed in range(6):
                rows = sights(following.capture_hours[:3], seed=seed)
                replace_partition(lake, SIGHTS, rows, following.partition(SIGHTS), commit=INFO, now=now)
        except BaseException as fault:  # noqa: BLE001 - reported below
            faults.append(fault)

    def drop() -> None:
        try:
            for minutes in range(6):
                drop_expired(lake, SIGHTS, commit=INFO, now=now + timedelta(minutes=minutes))
        except BaseException as fault:  # noqa: BLE001 - reported below
            faults.append(fault)

    threads = [threading.Thread(target=job) for job in (write, drop)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    found = scan(lake, SIGHTS).collect().sort("row_id")
    assert found.equals(sights(following.capture_hours[:3], seed=5))
