"""`python -m evaluation receipts`: the orders of a store-day against the true receipts.

A piece counts as right when product and customer are right, as in the AutoCheckout competition (CPS-IoT
Week 2020): true positives are, per account, the pieces that both multisets share. Goods that nobody with an
account carried out cannot be billed and are reported apart. Intervals are percentiles of a seeded bootstrap
over receipts, because the pieces of one shopper stand or fall together.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evaluation.events import InputError
from evaluation.stdout import libraries_to_stderr
from lakehouse.contracts.orders import ORDER_LINES, ORDERS, REVIEW_ITEMS, VISITS
from lakehouse.errors import LakehouseError
from lakehouse.lake import Lake
from lakehouse.tables.reader import scan
from resources.preflight import NotReady, check_lake
from resources.settings import SettingsError, load_settings

Floats = NDArray[np.float64]

DRAWS = 2000
SEED = 20261122
INTERVAL = (2.5, 97.5)
SCORES = ("precision", "recall", "f1", "exact_match", "review_rate")

_TRUE_LINES = {
    "account_id": pl.String,
    "product_id": pl.String,
    "quantity": pl.Int64,
    "unit_price_fen": pl.Int64,
}
_PERSONS = {"account_id": pl.String, "kind": pl.String, "scenario": pl.String}


@dataclass(frozen=True)
class StoreDayRows:
    """Rows of `orders`, `order_lines`, `review_items` and `visits` of one store-day."""

    orders: pl.DataFrame
    order_lines: pl.DataFrame
    review_items: pl.DataFrame
    visits: pl.DataFrame


@dataclass(frozen=True)
class Truth:
    """`lines`: account_id (null without one), product_id, quantity, unit_price_fen. `persons`: account_id,
    kind, scenario; one row a person."""

    lines: pl.DataFrame
    persons: pl.DataFrame


def receipts(found: StoreDayRows, truth: Truth) -> pl.DataFrame:
    """One row per receipt, that is per account that a shopper came in with or that was billed: scenario,
    right, billed and true (pieces), overcharge_fen, loss_fen, is_exact, in_review, proposed_right and
    proposed (pieces, with the lines that review items propose). No account id comes out."""
    key = ["account_id", "product_id"]
    billed = (
        found.orders.join(found.order_lines, "order_no", suffix="_line")
        .group_by(key)
        .agg(pl.col("quantity").cast(pl.Int64).sum().alias("billed"), pl.col("unit_price_fen").max())
    )
    items = found.review_items.join(found.visits, "visit_id", suffix="_visit")
    proposed = (
        items.select("account_id", pl.col("product_ids").alias("product_id"), pl.col("quantities").alias("proposed"))
        .explode("product_id", "proposed")
        .drop_nulls()
        .group_by(key)
        .agg(pl.col("proposed").cast(pl.Int64).sum())
    )
    true = (
        truth.lines.drop_nulls("account_id")
        .group_by(key)
        .agg(pl.col("quantity").sum().alias("true"), pl.col("unit_price_fen").max().alias("true_price_fen"))
    )
    lines = (
        true.join(billed, key, how="full", coalesce=True)
        .join(proposed, key, how="full", coalesce=True)
        .with_columns(pl.col("true", "billed", "proposed").fill_null(0))
        .with_columns((pl.col("billed") + pl.col("proposed")).alias("offered"))
    )
    over = (pl.col("billed") - pl.col("true")).clip(0) * pl.col("unit_price_fen").fill_null(0)
    short = (pl.col("true") - pl.col("billed")).clip(0) * pl.col("true_price_fen").fill_null(0)
    per_account = lines.group_by("account_id").agg(
        pl.min_horizontal("true", "billed").sum().alias("right"),
        pl.col("billed").sum(),
        pl.col("true").sum(),
        over.sum().alias("overcharge_fen"),
        short.sum().alias("loss_fen"),
        (pl.col("true") * pl.col("true_price_fen").fill_null(0)).sum().alias("true_fen"),
        (pl.col("true") == pl.col("billed")).all().alias("is_exact"),
        pl.min_horizontal("true", "offered").sum().alias("proposed_right"),
        pl.col("offered").sum().alias("proposed"),
    )
    shoppers = (
        truth.persons.filter(pl.col("account_id").is_not_null() & (pl.col("kind") != "staff"))
        .group_by("account_id")
        .agg(pl.col("scenario").min())
    )
    pieces = (
        "right",
        "billed",
        "true",
        "overcharge_fen",
        "loss_fen",
        "true_fen",
        "proposed_right",
        "proposed",
    )
    return (
        shoppers.join(per_account, "account_id", how="full", coalesce=True)
        .with_columns(
            pl.col("scenario").fill_null("no_shopper"),
            pl.col("is_exact").fill_null(value=True),
            pl.col(pieces).fill_null(0),
            pl.col("account_id").is_in(items["account_id"].drop_nulls().implode()).alias("in_review"),
        )
        .sort("scenario", "account_id")
        .drop("account_id")
    )


def scores(rows: pl.DataFrame) -> dict[str, float]:
    """Precision, recall and F1 over pieces; exact-match and review rate over receipts. 1.0 where nothing
    was to be found and nothing was."""
    return _scores(_columns(rows), np.arange(rows.height)[None, :], rows.height)[0]


def report(found: StoreDayRows, truth: Truth, draws: int = DRAWS, seed: int = SEED) -> dict[str, object]:
    """What the command prints as JSON."""
    rows = receipts(found, truth)
    rng = np.random.default_rng(seed)
    sample = rng.integers(0, max(rows.height, 1), (draws, rows.height))
    drawn = _scores(_columns(rows), sample, rows.height)
    bounds = {name: np.percentile([one[name] for one in drawn], INTERVAL).tolist() for name in SCORES}
    without = truth.lines.filter(pl.col("account_id").is_null())
    nobody = found.review_items.filter(pl.col("visit_id").is_null()).height
    with_proposals = scores(
        rows.with_columns(pl.col("proposed_right").alias("right"), pl.col("proposed").alias("billed"))
    )
    return {
        "receipts": rows.height,
        "orders": found.orders.height,
        "true_pieces": int(rows["true"].sum()),
        "billed_pieces": int(rows["billed"].sum()),
        **{name: round(value, 4) for name, value in scores(rows).items()},
        "interval_95": {name: [round(bound, 4) for bound in pair] for name, pair in bounds.items()},
        "overcharge_fen": int(rows["overcharge_fen"].sum()),
        "loss_fen": int(rows["loss_fen"].sum()),
        "true_fen": int(rows["true_fen"].sum()),
        "f1_if_proposals_were_accepted": round(with_proposals["f1"], 4),
        "review_items": found.review_items.height,
        "events_of_nobody_in_review": nobody,
        "pieces_without_account": int(without["quantity"].sum()),
        "by_scenario": {
            str(scenario): {"receipts": group.height}
            | {name: round(value, 4) for name, value in scores(group).items()}
            | {name: int(group[name].sum()) for name in ("true", "billed", "overcharge_fen", "loss_fen")}
            for (scenario,), group in rows.partition_by("scenario", as_dict=True, maintain_order=True).items()
        },
        "bootstrap": {"draws": draws, "seed": seed, "unit": "receipt"},
    }


def read_store_day(lake: Lake, store_id: str | None = None, business_date: str | None = None) -> StoreDayRows:
    """The store-day's rows; by default of the latest business date that has visits. Raises InputError."""
    known = scan(lake, VISITS).select("business_date", "store_id").unique().collect().sort("business_date", "store_id")
    for column, wanted in (("store_id", store_id), ("business_date", business_date)):
        known = known if wanted is None else known.filter(pl.col(column) == wanted)
    if known.is_empty():
        raise InputError(f"{lake.root}: no such store-day has visits; was it materialized?")
    day, store = known.row(-1)
    partition = {"store_id": [store], "business_date": [day]}
    tables = (scan(lake, contract, partition).collect() for contract in (ORDERS, ORDER_LINES, REVIEW_ITEMS, VISITS))
    return StoreDayRows(*tables)


def read_truth(folder: Path) -> Truth:
    """receipts.parquet and persons.parquet of a simulated store-day. Raises InputError."""
    return Truth(
        _columns_of(folder / "receipts.parquet", _TRUE_LINES),
        _columns_of(folder / "persons.parquet", _PERSONS),
    )


def as_text(summary: Mapping[str, object]) -> str:
    """The report for a reader."""
    bounds, kinds = summary["interval_95"], summary["by_scenario"]
    assert isinstance(bounds, dict)
    assert isinstance(kinds, dict)
    lines = [
        f"{summary['receipts']} receipts, {summary['orders']} orders, {summary['review_items']} review items "
        f"({summary['events_of_nobody_in_review']} events of nobody)",
        f"{summary['true_pieces']} pieces of shoppers with an account, {summary['billed_pieces']} billed;"
        f" {summary['pieces_without_account']} more without an account",
        "",
    ]
    for name in SCORES:
        low, high = bounds[name]
        lines.append(f"{name:<12} {summary[name]:.3f}   95 % {low:.3f} to {high:.3f}")
    lines += [
        "",
        f"charged too much {_yuan(summary['overcharge_fen'])}, lost {_yuan(summary['loss_fen'])}, "
        f"of {_yuan(summary['true_fen'])}",
        f"F1 if every proposed line in review were accepted: {summary['f1_if_proposals_were_accepted']:.3f}",
        "",
        f"{'scenario':<14} {'receipts':>8} {'true':>5} {'billed':>6} {'f1':>6} {'exact':>6} {'review':>6}",
    ]
    for scenario, row in kinds.items():
        lines.append(
            f"{scenario:<14} {row['receipts']:>8} {row['true']:>5} {row['billed']:>6} "
            f"{row['f1']:>6.3f} {row['exact_match']:>6.3f} {row['review_rate']:>6.3f}"
        )
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    """Run the command; returns the exit status (2: a given folder cannot be used)."""
    parser = argparse.ArgumentParser(
        prog="python -m evaluation receipts",
        description="Score the orders of a store-day against true receipts.",
    )
    parser.add_argument("--home", type=Path, required=True, help="the home whose lake holds the orders")
    parser.add_argument("--truth", type=Path, required=True, help="folder with receipts.parquet and persons.parquet")
    parser.add_argument("--store", help="store id (the one with the latest visits)")
    parser.add_argument("--date", help="business date as 2026-11-22 (the latest with visits)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args(argv)
    try:
        if not given.home.is_dir():
            raise InputError(f"{given.home}: no such folder")
        truth = read_truth(given.truth)
        settings = load_settings(home=given.home)
        check_lake(settings)
        with libraries_to_stderr():
            summary = report(read_store_day(settings.lake(), given.store, given.date), truth)
    except (InputError, LakehouseError, NotReady, SettingsError) as error:
        parser.exit(2, f"{error}\n")
    sys.stdout.write((json.dumps(summary, indent=2) if given.json else as_text(summary)) + "\n")
    return 0


def _columns(rows: pl.DataFrame) -> Floats:
    """(5, n): right, billed, true, exact, in review."""
    names = ("right", "billed", "true", "is_exact", "in_review")
    return np.stack([rows[name].cast(pl.Float64).to_numpy() for name in names])


def _scores(columns: Floats, sample: NDArray[np.int64], count: int) -> list[dict[str, float]]:
    """Scores of every draw; `sample` (draws, n) are places of receipts."""
    sums = columns[:, sample].sum(axis=2)
    right, billed, true, exact, review = sums
    precision = np.where(billed > 0, right / np.maximum(billed, 1), 1.0)
    recall = np.where(true > 0, right / np.maximum(true, 1), 1.0)
    f1 = np.where(billed + true > 0, 2 * right / np.maximum(billed + true, 1), 1.0)
    rates = (precision, recall, f1, exact / max(count, 1), review / max(count, 1))
    return [dict(zip(SCORES, map(float, values), strict=True)) for values in zip(*rates, strict=True)]


def _columns_of(path: Path, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, columns=list(schema)).cast(pl.Schema(schema))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except pl.exceptions.PolarsError:
        raise InputError(f"{path}: must be Parquet with the columns {', '.join(schema)}") from None


def _yuan(fen: object) -> str:
    assert isinstance(fen, int)
    return f"¥{fen / 100:.2f}"
