from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from lakehouse import errors
from lakehouse.lake import Lake
from lakehouse.leases.hold import hold_lease
from lakehouse.life import seals
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan, table_version
from lakehouse.tables.writer import append_once, replace_partition, upsert
from tests.lakehouse.small_tables import CARDS, DAY, INFO, LEDGER, NOW, PLAIN_CARDS, SIGHTS, TOTALS, sights, totals

TABLES = [SIGHTS, TOTALS, LEDGER, CARDS, PLAIN_CARDS]
NEXT = StoreDay.of_instant("s001", DAY.end_at)


def test_a_sealed_day_refuses_every_write_and_its_neighbours_do_not(lake: Lake) -> None:
    replace_partition(lake, TOTALS, totals({1: 10}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    assert not seals.is_sealed(lake, DAY)
    assert seals.seal(lake, DAY, TABLES, run_id="run-9", now=NOW)
    assert seals.sealed_days(lake) == [DAY]
    hour = DAY.capture_hours[3]
    with pytest.raises(errors.StoreDaySealed):
        replace_partition(lake, TOTALS, totals({1: 11}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    with pytest.raises(errors.StoreDaySealed):
        replace_partition(lake, SIGHTS, sights([hour]), DAY.partition(SIGHTS), commit=INFO, now=NOW)
    with pytest.raises(errors.StoreDaySealed):
        append_once(lake, LEDGER, totals({1: 1}), commit=INFO, now=NOW)
    with pytest.raises(errors.StoreDaySealed):
        upsert(lake, CARDS, totals({1: 1}), commit=INFO, now=NOW)
    assert scan(lake, TOTALS).collect().get_column("amount_fen").to_list() == [10]
    assert table_version(lake, SIGHTS) is None

    other_store = StoreDay("s002", DAY.business_date)
    for day in (NEXT, other_store):
        replace_partition(lake, TOTALS, totals({2: 20}, day), day.partition(TOTALS), commit=INFO, now=NOW)
    upsert(lake, PLAIN_CARDS, totals({1: 1}), commit=INFO, now=NOW)


def test_a_seal_is_written_once(lake: Lake) -> None:
    replace_partition(lake, TOTALS, totals({1: 10}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    assert seals.seal(lake, DAY, TABLES, run_id="first", now=NOW)
    record = Path(lake.root) / "_engine/seals/s001/2026-11-22.json"
    before = record.read_bytes()
    assert json.loads(before)["table_versions"] == {"probe/totals": 1}
    assert not seals.seal(lake, DAY, TABLES, run_id="second", now=NOW)
    assert record.read_bytes() == before


def test_of_many_sealers_one_wins(lake: Lake) -> None:
    won: list[bool] = []
    threads = [
        threading.Thread(target=lambda: won.append(seals.seal(lake, DAY, TABLES, run_id="r", now=NOW)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(won) == [False] * 5 + [True]


def test_a_seal_waits_for_the_write_that_began_before_it(lake: Lake) -> None:
    sealed = threading.Event()

    def seal() -> None:
        seals.seal(lake, DAY, [TOTALS], run_id="r", now=NOW)
        sealed.set()

    with hold_lease(lake, TOTALS):
        sealer = threading.Thread(target=seal)
        sealer.start()
        assert not sealed.wait(0.2)
    sealer.join(5)
    assert sealed.is_set()
