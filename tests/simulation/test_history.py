from __future__ import annotations

import json
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.catalogue import BY_ID, POPULATION, PRICE_CHANGE
from simulation.history import (
    SHANGHAI,
    account_rows,
    day_orders,
    habits,
    history_days,
    write_history,
)

KNOWN = habits(20, POPULATION)


@settings(max_examples=25, deadline=None)
@given(st.dates(date(2025, 9, 1), date(2028, 1, 1)), st.integers(0, 5))
def test_receipts_add_up_and_stay_inside_their_day(day: date, seed: int) -> None:
    orders = day_orders(day, "s001", seed, KNOWN, 150)
    assert len(orders) >= 150
    for order in orders:
        assert order["is_simulated"] is True
        assert datetime.fromisoformat(order["created_at"]).astimezone(SHANGHAI).date() == day
        assert order["amount_fen"] == sum(line["amount_fen"] for line in order["lines"])
        products = [line["product_id"] for line in order["lines"]]
        assert len(set(products)) == len(products) > 0
        for line in order["lines"]:
            assert line["amount_fen"] == line["quantity"] * line["unit_price_fen"]
            assert line["unit_price_fen"] == BY_ID[line["product_id"]].price_on(day)


def test_a_day_depends_on_seed_and_date_alone(tmp_path: Path) -> None:
    short, long = tmp_path / "short", tmp_path / "long"
    until = date(2026, 11, 20)
    for folder, days in ((short, 3), (long, 6)):
        list(write_history(folder, "s001", history_days(until, days), seed=4, accounts=50, visits_per_day=150))
    names = sorted(path.name for path in (short / "orders_history" / "s001").iterdir())
    assert names == ["2026-11-18.jsonl", "2026-11-19.jsonl", "2026-11-20.jsonl"]
    for name in names:
        same = [(folder / "orders_history" / "s001" / name).read_bytes() for folder in (short, long)]
        assert same[0] == same[1]
    assert len(list((long / "orders_history" / "s001").iterdir())) == 6


def test_another_seed_gives_other_orders() -> None:
    day = date(2026, 3, 1)
    assert day_orders(day, "s001", 1, KNOWN, 150) != day_orders(day, "s001", 2, KNOWN, 150)


def test_order_numbers_are_unique_over_days() -> None:
    numbers = Counter(
        order["order_no"]
        for day in history_days(date(2026, 11, 20), 10)
        for order in day_orders(day, "s001", 20, KNOWN, 150)
    )
    assert max(numbers.values()) == 1


def test_prices_change_once() -> None:
    before = {line["product_id"]: line["unit_price_fen"] for line in _lines(PRICE_CHANGE - timedelta(days=1))}
    after = {line["product_id"]: line["unit_price_fen"] for line in _lines(PRICE_CHANGE)}
    both = before.keys() & after.keys()
    assert {after[product] - before[product] for product in both} == {0, 50}


def _lines(day: date) -> list[dict[str, int]]:
    return [line for order in day_orders(day, "s001", 20, KNOWN, 400) for line in order["lines"]]


def test_population_is_whole_and_labelled() -> None:
    rows = account_rows(POPULATION)
    assert len({row["account_id"] for row in rows}) == POPULATION + 1
    assert all(row["is_simulated"] and row["account_id"].startswith("acc-") for row in rows)
    assert json.loads(json.dumps(rows)) == rows
    buyers = {order["account_id"] for order in day_orders(date(2026, 5, 5), "s001", 20, KNOWN, 200)}
    assert buyers <= {row["account_id"] for row in rows}
