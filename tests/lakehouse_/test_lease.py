from __future__ import annotations

import threading
import time

import polars as pl
import pytest
from deltalake import write_deltalake

from lakehouse import errors
from lakehouse.lake import Lake
from lakehouse.lease import hold_lease
from lakehouse.properties import arrow_schema
from lakehouse.reader import scan
from lakehouse.writer import append_once, replace_partition
from tests.lakehouse_.tables import DAY, INFO, LEDGER, NOW, SIGHTS, TOTALS, sights, totals


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

    from lakehouse.maintenance import drop_expired
    from lakehouse.store_day import StoreDay

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
