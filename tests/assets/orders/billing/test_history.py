"""Orders from before the platform: each once, and a number that is taken is refused with its place."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets.orders.billing import history
from assets.orders.billing.assets import order_history
from lakehouse.contracts.orders import HISTORICAL_ORDER_LINES, HISTORICAL_ORDERS, ORDERS
from lakehouse.lake import Lake
from lakehouse.tables.reader import scan
from resources.clock import Clock
from resources.landing.deliveries import ORDERS_HISTORY
from resources.landing.folder import Landing, Rejection
from resources.landing.refusals import Reason
from resources.steps.write_path import Tables
from resources.workplace import Workplace
from tests.assets.analytics.marts.conftest import order as platform_order
from tests.assets.analytics.marts.conftest import write

NAME = "orders_history/s001/2026-11-21.jsonl"
LINE = {"product_id": "p1", "quantity": 2, "unit_price_fen": 350, "amount_fen": 700}
ORDER = {
    "order_no": "o-1",
    "account_id": "a",
    "store_id": "s001",
    "created_at": "2026-11-20T17:00:00Z",
    "payment_method": "icbc",
    "amount_fen": 700,
    "lines": [LINE],
    "is_simulated": True,
}
OTHER_GOODS = ORDER | {"lines": [LINE | {"product_id": "p2"}]}
NOTHING = ORDER | {"order_no": "o-9", "amount_fen": 0, "lines": []}


def land(folder: Path, *rows: dict[str, object], name: str = NAME) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def read(folder: Path, known: history.History | None = None, billed: tuple[str, ...] = ()) -> history.History:
    orders = known.orders if known else pl.DataFrame(schema=HISTORICAL_ORDERS.schema)
    lines = known.lines if known else pl.DataFrame(schema=HISTORICAL_ORDER_LINES.schema)
    return history.from_landing(Landing(folder).read(ORDERS_HISTORY).frame, orders, lines, billed)


def test_delivered_orders_become_rows_once(tmp_path: Path) -> None:
    land(tmp_path, ORDER, ORDER, ORDER | {"order_no": "o-2"})
    found = read(tmp_path)
    assert found.orders["order_no"].to_list() == ["o-1", "o-2"]
    assert found.orders["business_date"].to_list() == ["2026-11-21"] * 2, "one in the morning in Shanghai"
    assert found.lines["amount_fen"].to_list() == [700, 700]
    assert found.refused == ()
    assert found.orders.schema == HISTORICAL_ORDERS.schema
    assert found.lines.schema == HISTORICAL_ORDER_LINES.schema
    again = read(tmp_path, known=found)
    assert again.refused == ()
    assert again.orders.equals(found.orders)


@pytest.mark.parametrize(
    "other",
    [OTHER_GOODS, ORDER | {"account_id": "b"}, ORDER | {"created_at": "2026-11-20T17:00:01Z"}],
)
def test_a_number_of_another_order_is_refused_alone(tmp_path: Path, other: dict[str, object]) -> None:
    land(tmp_path, ORDER, other, ORDER | {"order_no": "o-2"})
    found = read(tmp_path)
    assert found.refused == (Rejection(NAME, 2, "order_no", Reason.DUPLICATE_KEY),)
    assert found.orders["order_no"].to_list() == ["o-1", "o-2"]
    assert found.lines["product_id"].to_list() == ["p1", "p1"]
    land(tmp_path, other)
    assert read(tmp_path, known=found).refused == (Rejection(NAME, 1, "order_no", Reason.DUPLICATE_KEY),)


def test_a_number_of_another_stores_order_or_of_the_platforms_own_is_refused(tmp_path: Path) -> None:
    land(tmp_path, ORDER)
    land(tmp_path, ORDER | {"store_id": "s002"}, name="orders_history/s002/2026-11-21.jsonl")
    place = Rejection("orders_history/s002/2026-11-21.jsonl", 1, "order_no", Reason.DUPLICATE_KEY)
    assert read(tmp_path).refused == (place,)
    assert read(tmp_path, billed=("o-1",)).orders.is_empty()


def test_lines_that_a_cut_off_run_did_not_write_are_written(tmp_path: Path) -> None:
    land(tmp_path, ORDER)
    found = read(tmp_path)
    again = read(tmp_path, known=history.History(found.orders, found.lines.clear(), ()))
    assert again.refused == ()
    assert again.lines.equals(found.lines)


def test_what_a_store_delivers_wrongly_breaks_no_sum_of_the_others(tmp_path: Path) -> None:
    """On real tables: every order keeps its sum, which the marts of all stores ask for, and nothing is lost."""
    lake = Lake(str(tmp_path / "lake"))
    write(lake, ORDERS, [platform_order("S001-20261120-K7Q2M4XD5RPT", 300)])
    resources = {"tables": Tables(workplace=Workplace(home=str(tmp_path)), clock=Clock())}
    for rows in (
        [ORDER],
        [ORDER, OTHER_GOODS, NOTHING, ORDER | {"order_no": "o-2"}],
        [ORDER | {"order_no": "S001-20261120-K7Q2M4XD5RPT"}],
    ):
        path = land(tmp_path / "landing", *rows)
        assert dg.materialize([order_history], resources=resources).success
        assert not path.exists()
    orders, lines = (scan(lake, table).collect() for table in (HISTORICAL_ORDERS, HISTORICAL_ORDER_LINES))
    sums = lines.group_by("order_no").agg(pl.col("amount_fen").sum()).sort("order_no")
    assert (
        sums.rows() == orders.select("order_no", "amount_fen").sort("order_no").rows() == [("o-1", 700), ("o-2", 700)]
    )
    notes = [json.loads(path.read_bytes()) for path in (tmp_path / "landing" / "rejected").rglob("*.reason.json")]
    told = sorted((line["line"], line["field"], line["reason"]) for note in notes for line in note["lines"])
    assert told == [
        (1, "order_no", "duplicate_key"),
        (2, "order_no", "duplicate_key"),
        (3, "amount_fen", "out_of_range"),
    ]
