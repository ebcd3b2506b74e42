"""Orders from before the platform: a table-only past of the simulated store, without footage.

Every day depends on the seed and its own date alone, so that a longer history agrees with a shorter one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulation.catalogue import FIRST_PRICES, PRODUCTS, STAFF_ACCOUNT, account_id

SHANGHAI = ZoneInfo("Asia/Shanghai")
HISTORY_SEED = 20
# busiest hours are the morning, noon and the way home
_HOUR_WEIGHTS = np.array([0, 0, 0, 0, 0, 0, 1, 5, 7, 4, 3, 5, 9, 6, 3, 3, 4, 7, 10, 9, 6, 4, 2, 0], float)


@dataclass(frozen=True)
class Habits:
    """How customers buy: visit shares (n,), cumulative product shares (n, products), payment, pieces."""

    visits: NDArray[np.float64]
    shares: NDArray[np.float64]
    payment: list[str]
    pieces: NDArray[np.float64]


def habits(seed: int, accounts: int) -> Habits:
    """Tastes of every account: few regulars, many occasional customers, favourite categories."""
    rng = np.random.default_rng([seed, 11])
    visits = rng.gamma(0.8, 1.0, accounts) + 0.05
    popularity = np.array([product.popularity for product in PRODUCTS])
    categories = sorted({product.category for product in PRODUCTS})
    category = np.array([categories.index(product.category) for product in PRODUCTS])
    liking = rng.dirichlet(np.full(len(categories), 0.9), accounts)[:, category]
    taste = rng.gamma(0.6, 1.0, (accounts, len(PRODUCTS)))
    shares = popularity * (0.05 + liking) * (0.1 + taste)
    shares = np.cumsum(shares / shares.sum(axis=1, keepdims=True), axis=1)
    payment = [str(name) for name in rng.choice(["alipay", "wechat", "icbc"], accounts, p=[0.45, 0.45, 0.10])]
    return Habits(visits / visits.sum(), shares, payment, rng.uniform(1.2, 3.6, accounts))


def created_at(number: int) -> datetime:
    """When the nth customer opened the account: some day in the seven months after the first price list."""
    day = FIRST_PRICES + timedelta(days=1 + (number * 37) % 211)
    return datetime(day.year, day.month, day.day, 1 + number % 12, (number * 7) % 60, tzinfo=UTC)


def account_rows(accounts: int) -> list[dict[str, Any]]:
    """The whole population as lines of the landing category `accounts`, staff included."""
    rows = [(account_id(number), created_at(number)) for number in range(accounts)]
    rows.append((STAFF_ACCOUNT, created_at(0)))
    return [
        {
            "account_id": name,
            "created_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "status": "active",
            "is_simulated": True,
        }
        for name, at in rows
    ]


def day_orders(day: date, store_id: str, seed: int, known: Habits, visits_per_day: int) -> list[dict[str, Any]]:
    """Orders of one store-local day in the order of their creation; at least visits_per_day of them."""
    rng = np.random.default_rng([seed, 12, day.toordinal()])
    busy = 1.0 + (0.12 if day.weekday() >= 5 else 0.0) + 0.08 * float(np.sin(day.toordinal() / 58.0))
    count = visits_per_day + int(rng.poisson(visits_per_day * 0.08 * busy)) + int(visits_per_day * max(0.0, busy - 1))
    buyers = rng.choice(len(known.visits), count, p=known.visits)
    hours = rng.choice(24, count, p=_HOUR_WEIGHTS / _HOUR_WEIGHTS.sum())
    seconds = np.sort(hours * 3600 + rng.integers(0, 3600, count))
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)
    prices = [product.price_on(day) for product in PRODUCTS]
    orders = []
    for number, (buyer, second) in enumerate(zip(buyers.tolist(), seconds.tolist(), strict=True), start=1):
        pieces = 1 + int(rng.poisson(known.pieces[buyer] - 1))
        drawn = np.searchsorted(known.shares[buyer], rng.random(pieces), side="right")
        chosen, quantities = np.unique(np.minimum(drawn, len(PRODUCTS) - 1), return_counts=True)
        lines = [
            {
                "product_id": PRODUCTS[k].product_id,
                "quantity": quantity,
                "unit_price_fen": prices[k],
                "amount_fen": quantity * prices[k],
            }
            for k, quantity in zip(chosen.tolist(), quantities.tolist(), strict=True)
        ]
        at = midnight + timedelta(seconds=second)
        orders.append(
            {
                "order_no": f"sim-{store_id}-{day:%Y%m%d}-{number:04d}",
                "account_id": account_id(buyer),
                "store_id": store_id,
                "created_at": at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
                "payment_method": known.payment[buyer],
                "amount_fen": sum(line["amount_fen"] for line in lines),
                "lines": lines,
                "is_simulated": True,
            }
        )
    return orders


def history_days(until: date, days: int) -> list[date]:
    """The `days` days that end on `until`, oldest first."""
    return [until - timedelta(days=back) for back in range(days - 1, -1, -1)]


def write_text(path: Path, text: str) -> None:
    """Put a finished file in place; a kill leaves the old or the new one, and at most a hidden leftover."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)


def lines_text(rows: list[dict[str, Any]]) -> str:
    """JSON lines."""
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def write_history(
    landing: Path, store_id: str, days: list[date], *, seed: int, accounts: int, visits_per_day: int
) -> Iterator[date]:
    """Write orders_history/<store>/<date>.jsonl for the days, yielding each when it lies in place."""
    known = habits(seed, accounts)
    for day in days:
        orders = day_orders(day, store_id, seed, known, visits_per_day)
        write_text(landing / "orders_history" / store_id / f"{day.isoformat()}.jsonl", lines_text(orders))
        yield day


def write_accounts(landing: Path, on: date, accounts: int) -> None:
    """Write accounts/<date>.jsonl with the whole population."""
    write_text(landing / "accounts" / f"{on.isoformat()}.jsonl", lines_text(account_rows(accounts)))
