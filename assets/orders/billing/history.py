"""Orders from before the platform, as the system that made them delivers them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from lakehouse.contracts.orders import HISTORICAL_ORDER_LINES, HISTORICAL_ORDERS
from lakehouse.store_day import business_date_of
from resources.landing.folder import SOURCE_FILE, SOURCE_LINE, Rejection
from resources.landing.refusals import Reason

_ORDER = ("store_id", "account_id", "created_at", "payment_method", "amount_fen", "is_simulated")
_LINE = ("product_id", "quantity", "unit_price_fen", "amount_fen")


@dataclass(frozen=True)
class History:
    """Rows of `historical_orders` and `historical_order_lines`. `refused`: landed lines that count for nothing, with
    the reason."""

    orders: pl.DataFrame
    lines: pl.DataFrame
    refused: tuple[Rejection, ...]


@dataclass(frozen=True)
class _Content:
    """What an order number stands for. `lines` None: a run was cut off before it wrote them."""

    order: tuple[object, ...]
    lines: frozenset[tuple[object, ...]] | None

    def is_same(self, other: _Content) -> bool:
        return self.order == other.order and (self.lines is None or self.lines == other.lines)


def from_landing(
    landed: pl.DataFrame, known: pl.DataFrame, known_lines: pl.DataFrame, billed: Collection[str]
) -> History:
    """Rows from a landing batch's frame, whose arithmetic the landing format has checked.

    `known`, `known_lines`: rows of the two tables with the landed order numbers; `billed`: those of these numbers that
    are on orders of the platform itself. A number stands for one order, whichever came first: who delivers another
    under it is refused, or sums of all stores would break. The same order again is neither new nor refused.
    """
    taken = _contents(known, known_lines)
    kept: list[bool] = []
    refused: list[Rejection] = []
    for row in landed.iter_rows(named=True):
        content = _Content(_values(row, _ORDER), frozenset(_values(line, _LINE) for line in row["lines"]))
        number = row["order_no"]
        is_other = number in billed or not taken.setdefault(number, content).is_same(content)
        kept.append(not is_other)
        if is_other:
            refused.append(Rejection(row[SOURCE_FILE], row[SOURCE_LINE], "order_no", Reason.DUPLICATE_KEY))
    dated = (
        landed.filter(pl.Series(kept, dtype=pl.Boolean))
        .with_columns(business_date_of("created_at").alias("business_date"))
        .unique("order_no", keep="first", maintain_order=True)
        .sort("store_id", "created_at", "order_no")
    )
    lines = dated.select("store_id", "business_date", "order_no", "lines").explode("lines").unnest("lines")
    return History(
        dated.select(HISTORICAL_ORDERS.schema.names()),
        lines.select(HISTORICAL_ORDER_LINES.schema.names()),
        tuple(refused),
    )


def _contents(orders: pl.DataFrame, lines: pl.DataFrame) -> dict[str, _Content]:
    lines_of: dict[str, set[tuple[object, ...]]] = {}
    for number, *line in lines.select("order_no", *_LINE).iter_rows():
        lines_of.setdefault(number, set()).add(tuple(line))
    return {
        row["order_no"]: _Content(
            _values(row, _ORDER), frozenset(lines_of[row["order_no"]]) if row["order_no"] in lines_of else None
        )
        for row in orders.iter_rows(named=True)
    }


def _values(row: dict[str, object], columns: tuple[str, ...]) -> tuple[object, ...]:
    return tuple(row[column] for column in columns)
