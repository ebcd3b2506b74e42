"""The receipts scorer against receipts scored by hand."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from evaluation import receipts
from evaluation.receipts import StoreDayRows, Truth
from lakehouse.contracts.orders import ORDER_LINES, ORDERS, REVIEW_ITEMS, VISITS
from lakehouse.lake import Lake
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.writer import replace_partition

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)
PLACE = {"store_id": "s001", "business_date": "2026-11-22"}
PRICE = {"tea": 300, "milk": 500}

# a: exact. b: one piece too many. c: one lost. d: looks only. e: in review. f: billed though never there.
TRUE = {"a": {"tea": 2}, "b": {"milk": 1}, "c": {"tea": 1, "milk": 1}, "e": {"milk": 2}, None: {"tea": 3}}
BILLED = {"a": {"tea": 2}, "b": {"milk": 1, "tea": 1}, "c": {"milk": 1}, "f": {"tea": 1}}
PROPOSED = {"e": {"milk": 2}}
SCENARIO = {
    "a": "single",
    "b": "put_back",
    "c": "single",
    "d": "browser",
    "e": "several",
    "staff": "restocking",
}


def truth() -> Truth:
    lines = [
        {"account_id": account, "product_id": product, "quantity": pieces, "unit_price_fen": PRICE[product]}
        for account, goods in TRUE.items()
        for product, pieces in goods.items()
    ]
    persons = [
        {"account_id": account, "kind": "staff" if account == "staff" else "shopper", "scenario": scenario}
        for account, scenario in SCENARIO.items()
    ]
    return Truth(
        pl.DataFrame(lines),
        pl.DataFrame([*persons, {"account_id": None, "kind": "tailgater", "scenario": "t"}]),
    )


def found() -> StoreDayRows:
    def frame(contract: receipts.StoreDayRows, rows: list[dict[str, object]]) -> pl.DataFrame:
        blank = dict.fromkeys(contract.schema.names())  # type: ignore[attr-defined]
        return pl.DataFrame([blank | PLACE | row for row in rows], contract.schema)  # type: ignore[attr-defined]

    orders = [
        {
            "order_no": f"no-{account}",
            "visit_id": f"v-{account}",
            "account_id": account,
            "created_at": NOON,
            "amount_fen": sum(PRICE[product] * pieces for product, pieces in goods.items()),
            "payment_method": "alipay",
            "confidence_prob": 0.9,
            "review_state": "none",
        }
        for account, goods in BILLED.items()
    ]
    lines = [
        {
            "order_no": f"no-{account}",
            "product_id": product,
            "quantity": pieces,
            "unit_price_fen": PRICE[product],
            "amount_fen": PRICE[product] * pieces,
            "confidence_prob": 0.9,
        }
        for account, goods in BILLED.items()
        for product, pieces in goods.items()
    ]
    items = [
        {
            "review_id": f"r-{account}",
            "visit_id": account and f"v-{account}",
            "raised_at": NOON,
            "evidence_expires_at": NOON,
            "reason": "low_confidence" if account else "unattributed_events",
            "confidence_prob": 0.3,
            "product_ids": list(goods),
            "quantities": list(goods.values()),
            "amount_fen": 0,
            "state": "waiting",
        }
        for account, goods in [*PROPOSED.items(), (None, {"tea": 1})]
    ]
    visits = [
        {
            "visit_id": f"v-{account}",
            "account_id": account,
            "entered_at": NOON,
            "state": "closed",
            "has_track": True,
            "binding_prob": 1.0,
        }
        for account in "abcdef"
    ]
    return StoreDayRows(
        frame(ORDERS, orders), frame(ORDER_LINES, lines), frame(REVIEW_ITEMS, items), frame(VISITS, visits)
    )


def test_scores_by_hand() -> None:
    summary = receipts.report(found(), truth(), draws=200)
    right, billed, true = 2 + 1 + 1, 2 + 2 + 1 + 1, 2 + 1 + 2 + 2
    assert summary["precision"] == pytest.approx(right / billed, abs=1e-4)
    assert summary["recall"] == pytest.approx(right / true, abs=1e-4)
    assert summary["f1"] == pytest.approx(2 * right / (billed + true), abs=1e-4)
    assert summary["receipts"] == 6, "a, b, c, d, e and the billed f; staff and tailgaters have none"
    assert summary["exact_match"] == pytest.approx(2 / 6, abs=1e-4), "a, and d who took nothing"
    assert summary["review_rate"] == pytest.approx(1 / 6, abs=1e-4)
    assert summary["overcharge_fen"] == 300 + 300
    assert summary["loss_fen"] == 300 + 2 * 500
    assert summary["pieces_without_account"] == 3
    assert summary["events_of_nobody_in_review"] == 1
    assert summary["f1_if_proposals_were_accepted"] == pytest.approx(2 * 6 / (8 + 7), abs=1e-4)
    assert set(summary["by_scenario"]) == {"single", "put_back", "browser", "several", "no_shopper"}
    assert summary["by_scenario"]["single"]["recall"] == pytest.approx(3 / 4, abs=1e-4)


def test_intervals_hold_the_value_and_repeat() -> None:
    once, again = (receipts.report(found(), truth()) for _ in range(2))
    assert once == again
    for name in receipts.SCORES:
        low, high = once["interval_95"][name]
        assert low <= once[name] <= high


def test_perfect_and_empty_days() -> None:
    day, true = found(), truth()
    nothing = StoreDayRows(day.orders.clear(), day.order_lines.clear(), day.review_items.clear(), day.visits)
    assert receipts.report(nothing, true, draws=10)["f1"] == 0.0
    empty = Truth(true.lines.clear(), true.persons.clear())
    summary = receipts.report(nothing, empty, draws=10)
    assert (summary["receipts"], summary["f1"]) == (0, 1.0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    lake = Lake(str(tmp_path / "lake"))
    info = CommitInfo("run", "code", "model", "planogram")
    rows = found()
    partition = {"store_id": ["s001"], "business_date": ["2026-11-22"]}
    visits = rows.visits.with_columns(pl.lit("alipay").alias("payment_method"), pl.lit(NOON).alias("exited_at"))
    for contract, frame in (
        (ORDERS, rows.orders),
        (ORDER_LINES, rows.order_lines),
        (REVIEW_ITEMS, rows.review_items),
        (VISITS, visits.cast(VISITS.schema)),
    ):
        replace_partition(lake, contract, frame, partition, commit=info, now=NOON)
    (tmp_path / "truth").mkdir()
    truth().lines.write_parquet(tmp_path / "truth/receipts.parquet")
    truth().persons.write_parquet(tmp_path / "truth/persons.parquet")
    return tmp_path


def test_command_reads_the_lake(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--home", str(home), "--truth", str(home / "truth")]
    assert receipts.main([*arguments, "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["f1"] == receipts.report(found(), truth())["f1"]
    assert receipts.main(arguments) == 0
    text = capsys.readouterr().out
    assert "put_back" in text
    assert "account" not in text.replace("with an account", "").replace("without an account", "")


def test_command_names_what_is_wrong(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, word in (
        (["--home", str(home / "none"), "--truth", str(home / "truth")], "no such folder"),
        (["--home", str(home), "--truth", str(home)], "receipts.parquet"),
        (["--home", str(home), "--truth", str(home / "truth"), "--date", "2020-01-01"], "no such store-day"),
    ):
        with pytest.raises(SystemExit) as stopped:
            receipts.main(arguments)
        assert stopped.value.code == 2
        assert word in capsys.readouterr().err
