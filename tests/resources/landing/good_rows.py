"""One good line of every delivery that comes as lines."""

from __future__ import annotations

from resources.landing.deliveries import ACCOUNTS, GATE_EVENTS, ORDERS_HISTORY, REVIEWS

SCAN = {
    "account_id": "acc-1",
    "gate_id": "gate-1",
    "scanned_at": "2026-11-22T02:00:00.500Z",
    "direction": "entry",
    "payment_method": "alipay",
}
ACCOUNT = {"account_id": "a", "created_at": "2026-01-01T00:00:00Z", "status": "active", "is_simulated": True}
ORDER = {
    "order_no": "o-1",
    "account_id": "acc-1",
    "store_id": "s001",
    "created_at": "2026-11-20T02:00:00Z",
    "payment_method": "icbc",
    "amount_fen": 700,
    "lines": [{"product_id": "p1", "quantity": 2, "unit_price_fen": 350, "amount_fen": 700}],
    "is_simulated": True,
}
REVIEW = {
    "review_id": "r1",
    "decision": "amend",
    "lines": [{"product_id": "p1", "quantity": 2}],
    "reviewer_id": "rev",
    "decided_at": "2026-11-22T02:00:00Z",
    "reason": "seen",
}
LINES = [(GATE_EVENTS, SCAN), (ACCOUNTS, ACCOUNT), (ORDERS_HISTORY, ORDER), (REVIEWS, REVIEW)]
