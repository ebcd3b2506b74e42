"""Orders from before the platform."""

from __future__ import annotations

import json
from pathlib import Path

from assets.orders.billing import history
from lakehouse.contracts.orders import HISTORICAL_ORDER_LINES, HISTORICAL_ORDERS
from resources.landing.deliveries import ORDERS_HISTORY
from resources.landing.folder import Landing


def test_delivered_orders_become_rows_once(tmp_path: Path) -> None:
    line = {"product_id": "p1", "quantity": 2, "unit_price_fen": 350, "amount_fen": 700}
    order = {
        "order_no": "o-1",
        "account_id": "a",
        "store_id": "s001",
        "created_at": "2026-11-20T17:00:00Z",
        "payment_method": "icbc",
        "amount_fen": 700,
        "lines": [line],
        "is_simulated": True,
    }
    empty = order | {"order_no": "o-2", "amount_fen": 0, "lines": []}
    path = tmp_path / "orders_history/s001/2026-11-21.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in (order, order, empty)))
    found = history.from_landing(Landing(tmp_path).read(ORDERS_HISTORY).frame)
    assert found.orders["order_no"].to_list() == ["o-1", "o-2"]
    assert found.orders["business_date"].to_list() == ["2026-11-21"] * 2, "one in the morning in Shanghai"
    assert found.lines["amount_fen"].to_list() == [700]
    assert found.orders.schema == HISTORICAL_ORDERS.schema
    assert found.lines.schema == HISTORICAL_ORDER_LINES.schema
