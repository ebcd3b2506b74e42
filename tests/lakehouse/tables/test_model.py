"""Any sequence of writes equals a plain dict that does the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import append_once, replace_partition, upsert
from tests.lakehouse.small_tables import CARDS, INFO, LEDGER, NOW, PLAIN_CARDS, TOTALS, totals

DAYS = [StoreDay(store, date(2026, 11, day)) for store in ("s001", "s002") for day in (21, 22)]
ROWS = st.dictionaries(st.integers(0, 6), st.integers(-3, 3), max_size=5)
WRITES = st.lists(st.tuples(st.sampled_from(DAYS), ROWS), max_size=6)

Model = dict[int, tuple[str, str, int]]


def placed(day: StoreDay, rows: dict[int, int]) -> Model:
    return {row: (day.store_id, day.business_date.isoformat(), amount) for row, amount in rows.items()}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(WRITES)
def test_any_sequence_of_writes_equals_a_dict(writes: list[tuple[StoreDay, dict[int, int]]]) -> None:
    with TemporaryDirectory() as folder:
        lake = Lake(str(Path(folder) / "lake"))
        by_day: dict[StoreDay, dict[int, int]] = {}
        ledger: Model = {}
        cards: Model = {}
        for day, rows in writes:
            partition = day.partition(TOTALS)
            replace_partition(lake, TOTALS, totals(rows, day), partition, commit=INFO, now=NOW, may_empty=True)
            append_once(lake, LEDGER, totals(rows, day), commit=INFO, now=NOW)
            upsert(lake, CARDS, totals(rows, day), commit=INFO, now=NOW)
            upsert(lake, PLAIN_CARDS, totals(rows, day), commit=INFO, now=NOW)
            by_day[day] = rows
            ledger = {**placed(day, rows), **ledger}
            cards = {**cards, **placed(day, rows)}
        found = scan(lake, TOTALS).collect()
        expected = pl.concat([totals({}), *(totals(rows, day) for day, rows in by_day.items())])
        order = ["store_id", "business_date", "row_id"]
        assert found.sort(order).equals(expected.sort(order))
        for table, model in ((LEDGER, ledger), (CARDS, cards), (PLAIN_CARDS, cards)):
            rows_found = scan(lake, table).select("row_id", "store_id", "business_date", "amount_fen").collect().rows()
            assert {row[0]: row[1:] for row in rows_found} == model
            assert len(rows_found) == len(model)
