"""A small lake: one simulated store, a day of the platform and a day of history, with canaries for
everything personal."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lakehouse.contract import AppendOnce, ReplacePartition, TableContract
from lakehouse.contracts import contract
from lakehouse.lake import Lake
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.writer import append_once, replace_partition, upsert

NOW = datetime(2026, 1, 6, tzinfo=UTC)
DAY = "2026-01-05"
COMMIT = CommitInfo("run-1", "test")
CANARIES = (
    "acct-canary-7f3a",
    "visit-canary-91bc",
    "order-canary-55de",
    "reviewer-canary-20aa",
    "reason-canary-4c1d",
)
ACCOUNT, VISIT, ORDER, REVIEWER, REASON = CANARIES


def write(lake: Lake, table: TableContract, rows: list[dict[str, Any]]) -> None:
    """Rows of a table, by its own write mode; fields that are left out are empty or false."""
    full = [{column.name: row.get(column.name, _default(column.dtype)) for column in table.columns} for row in rows]
    frame = pl.DataFrame(full, table.schema)
    match table.write_mode:
        case ReplacePartition():
            partition = {name: sorted(set(frame[name])) for name in table.partition_by}
            replace_partition(lake, table, frame, partition, commit=COMMIT, now=NOW)
        case AppendOnce():
            append_once(lake, table, frame, commit=COMMIT, now=NOW)
        case _:
            upsert(lake, table, frame, commit=COMMIT, now=NOW)


def _default(dtype: Any) -> Any:
    if dtype == pl.String:
        return ""
    if dtype == pl.Boolean:
        return False
    if isinstance(dtype, pl.List):
        return []
    return datetime(2026, 1, 5, 3, tzinfo=UTC) if isinstance(dtype, pl.Datetime) else 0


def store(store_id: str = "s001") -> dict[str, Any]:
    return {"store_id": store_id, "name": "Shop", "is_simulated": True}


def order(order_no: str, amount_fen: int, **more: Any) -> dict[str, Any]:
    return {
        "store_id": "s001",
        "business_date": DAY,
        "order_no": order_no,
        "visit_id": f"{VISIT}-{order_no}",
        "account_id": ACCOUNT,
        "amount_fen": amount_fen,
        "payment_method": "alipay",
        "review_state": "none",
        "is_simulated": True,
    } | more


def line(order_no: str, product_id: str, quantity: int, unit_price_fen: int, **more: Any) -> dict[str, Any]:
    return {
        "store_id": "s001",
        "business_date": DAY,
        "order_no": order_no,
        "product_id": product_id,
        "quantity": quantity,
        "unit_price_fen": unit_price_fen,
        "amount_fen": quantity * unit_price_fen,
    } | more


def visit(visit_id: str, state: str = "closed") -> dict[str, Any]:
    return {
        "store_id": "s001",
        "business_date": DAY,
        "visit_id": visit_id,
        "account_id": ACCOUNT,
        "state": state,
        "payment_method": "alipay",
    }


def review_item(review_id: str, state: str = "waiting") -> dict[str, Any]:
    return {
        "store_id": "s001",
        "business_date": DAY,
        "review_id": review_id,
        "visit_id": VISIT,
        "reason": "no_account",
        "state": state,
    }


def fill(lake: Lake) -> None:
    """Two orders of three visits (and one of staff), two review items of which one was decided, one order of
    history."""
    write(lake, contract("orders", "stores"), [store()])
    visits = [visit(VISIT), visit("v2"), visit("v3", "no_account"), visit("v4", "staff")]
    write(lake, contract("orders", "visits"), visits)
    write(lake, contract("orders", "orders"), [order(ORDER, 700), order("o2", 300)])
    lines = [line(ORDER, "p1", 2, 300), line(ORDER, "p2", 1, 100), line("o2", "p1", 1, 300)]
    write(lake, contract("orders", "order_lines"), lines)
    write(lake, contract("orders", "review_items"), [review_item("r1"), review_item("r2")])
    decision = {
        "store_id": "s001",
        "business_date": DAY,
        "review_id": "r1",
        "decision": "reject",
        "reviewer_id": REVIEWER,
        "reason": REASON,
    }
    write(lake, contract("orders", "review_decisions"), [decision])
    history = {"business_date": "2025-12-30"}
    write(lake, contract("orders", "historical_orders"), [order("h1", 500, **history)])
    write(lake, contract("orders", "historical_order_lines"), [line("h1", "p1", 1, 500, **history)])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def lake(home: Path) -> Lake:
    return Lake(str(home / "lake"))
