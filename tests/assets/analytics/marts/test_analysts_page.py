"""Every query of docs/analysts.md runs on the file that analysts get, and gives what the page shows."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from assets.analytics.marts.warehouse import open_read_only
from assets.orders.billing.history import from_landing
from lakehouse.contracts import contract
from lakehouse.contracts.orders import HISTORICAL_ORDER_LINES, HISTORICAL_ORDERS
from lakehouse.lake import Lake
from resources.landing.deliveries import ORDERS_HISTORY
from resources.landing.folder import Landing
from simulation.history import HISTORY_SEED, history_days, write_history
from simulation.landing import HISTORY_DAYS, POPULATION, VISITS_PER_DAY
from tests.assets.analytics.marts.conftest import line, order, review_item, store, visit, write
from tests.assets.analytics.marts.test_marts import build

PAGE = (Path(__file__).resolve().parents[4] / "docs" / "analysts.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sql\n([^`]*)```\n(?:```\n([^`]*)```)?", PAGE)
PLATFORM_DAY = "2026-11-25"
"""The date of the page's store-day. What vision makes of it differs a little between processors, so of its rows only
the kind of each value is compared; the history before it is the same everywhere."""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The analysts' file over the page's 200 days of history and one day of the platform."""
    home = tmp_path_factory.mktemp("page")
    lake, landing = Lake(str(home / "lake")), home / "landing"
    days = history_days(date(2026, 11, 24), HISTORY_DAYS)
    past = write_history(landing, "s001", days, seed=HISTORY_SEED, accounts=POPULATION, visits_per_day=VISITS_PER_DAY)
    assert len(list(past)) == HISTORY_DAYS
    batch = Landing(landing).read(ORDERS_HISTORY)
    none_yet = (pl.DataFrame(schema=table.schema) for table in (HISTORICAL_ORDERS, HISTORICAL_ORDER_LINES))
    history = from_landing(batch.frame, *none_yet, ())
    write(lake, contract("orders", "stores"), [store()])
    write(lake, contract("orders", "historical_orders"), history.orders.to_dicts())
    write(lake, contract("orders", "historical_order_lines"), history.lines.to_dicts())
    that_day = {"business_date": PLATFORM_DAY}
    write(lake, contract("orders", "visits"), [visit("v1") | that_day, visit("v2") | that_day])
    write(lake, contract("orders", "orders"), [order("o1", 300, **that_day)])
    write(lake, contract("orders", "order_lines"), [line("o1", "p1", 1, 300, **that_day)])
    write(lake, contract("orders", "review_items"), [review_item("r1") | that_day])
    assert build(home).success
    return home / "warehouse" / "analytics.duckdb"


def shown(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in row.strip("│\n").split("│")] for row in table.splitlines()]


def kind(value: str) -> str:
    return "number" if re.fullmatch(r"-?\d+(\.\d+)?", value) else value


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) == PAGE.count("```sql")
    assert sum(bool(table) for _, table in EXAMPLES) >= 4


@pytest.mark.parametrize(("query", "table"), EXAMPLES, ids=[query.split("\n")[0][:40] for query, _ in EXAMPLES])
def test_an_example_gives_what_the_page_shows(file: Path, query: str, table: str) -> None:
    with open_read_only(file) as connection:
        result = connection.execute(query)
        names = [column[0] for column in result.description]
        got = [["NULL" if value is None else str(value) for value in row] for row in result.fetchall()]
    if not table:
        assert got
        return
    head, *rows = shown(table)
    assert names == head
    assert len(got) == len(rows)
    for found, expected in zip(got, rows, strict=True):
        if PLATFORM_DAY in expected:
            assert [kind(value) for value in found] == [kind(value) for value in expected]
        else:
            assert found == expected
