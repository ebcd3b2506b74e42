"""Which decisions count, which are refused, what closes undecided."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from assets.orders.review import decisions
from lakehouse.contracts.orders import REVIEW_DECISIONS
from lakehouse.life.expiry import seals_at
from resources.landing.deliveries import REVIEWS
from resources.landing.folder import landed_schema
from resources.landing.refusals import Reason
from tests.assets.orders.builders import DAY, NO_DECISIONS, at, decision, event, prices, run, visit


def items(**changes: object) -> pl.DataFrame:
    return run([visit("v1", binding_prob=0.3)], [event(1, "v1", "pick", **changes)])[1].review_items


def landed(review_id: str, *words: str, lines: dict[str, int] | None = None, minute: int = 30) -> pl.DataFrame:
    rows = [
        {
            "review_id": review_id,
            "decision": word,
            "lines": [{"product_id": k, "quantity": v} for k, v in (lines or {}).items()] or None,
            "reviewer_id": "r1",
            "decided_at": at(60 * (minute + index)),
            "reason": "seen",
            "source_file": "reviews/2026-11-22.jsonl",
            "source_line": index + 1,
        }
        for index, word in enumerate(words)
    ]
    return pl.DataFrame(rows, landed_schema(REVIEWS))


def test_the_first_decision_counts_and_the_second_is_refused() -> None:
    waiting = items()
    resolution = decisions.resolve(
        landed(waiting["review_id"].item(), "accept", "reject"), waiting, NO_DECISIONS, prices()
    )
    assert resolution.decisions["decision"].to_list() == ["accept"]
    assert resolution.decisions.schema == REVIEW_DECISIONS.schema
    assert [(r.line, r.reason) for r in resolution.refused] == [(2, Reason.ALREADY_DECIDED)]


def test_the_same_line_again_is_neither_new_nor_refused() -> None:
    waiting = items()
    lines = landed(waiting["review_id"].item(), "accept")
    known = decisions.resolve(lines, waiting, NO_DECISIONS, prices()).decisions
    again = decisions.resolve(lines, waiting, known, prices())
    assert again.decisions.is_empty()
    assert again.refused == ()


@pytest.mark.parametrize(
    ("lines", "word", "minute", "reason"),
    [
        ({"unknown": 1}, "amend", 30, Reason.UNKNOWN_REFERENCE),
        (None, "accept", 60 * 24 * 4, Reason.EVIDENCE_EXPIRED),
    ],
)
def test_a_decision_that_cannot_stand_is_refused(
    lines: dict[str, int] | None, word: str, minute: int, reason: Reason
) -> None:
    waiting = items()
    found = decisions.resolve(
        landed(waiting["review_id"].item(), word, lines=lines, minute=minute), waiting, NO_DECISIONS, prices()
    )
    assert found.decisions.is_empty()
    assert [r.reason for r in found.refused] == [reason]


def test_a_decision_about_nothing_is_refused() -> None:
    found = decisions.resolve(landed("nothing", "accept"), items(), NO_DECISIONS, prices())
    assert [r.reason for r in found.refused] == [Reason.UNKNOWN_REVIEW]


@pytest.mark.parametrize("reason", sorted(decisions.OF_NOBODY))
@pytest.mark.parametrize("word", ["accept", "amend", "reject"])
def test_what_nobody_can_be_billed_for_is_only_rejected(reason: str, word: str) -> None:
    waiting = items().with_columns(reason=pl.lit(reason))
    lines = {"p1": 1} if word == "amend" else None
    found = decisions.resolve(landed(waiting["review_id"].item(), word, lines=lines), waiting, NO_DECISIONS, prices())
    expected = [] if word == "reject" else [("decision", Reason.NOBODY_TO_BILL)]
    assert [(r.field, r.reason) for r in found.refused] == expected
    assert found.decisions.height == (word == "reject")


def test_nobody_accepts_a_basket_with_an_unknown_product() -> None:
    waiting = run([visit("v1")], [event(1, "v1", "pick", None)])[1].review_items
    found = decisions.resolve(landed(waiting["review_id"].item(), "accept"), waiting, NO_DECISIONS, prices())
    assert [r.reason for r in found.refused] == [Reason.NOT_ALLOWED]
    found = decisions.resolve(
        landed(waiting["review_id"].item(), "amend", lines={"tea": 2}), waiting, NO_DECISIONS, prices()
    )
    assert found.decisions["quantities"].to_list() == [[2]]


def test_undecided_items_close_as_unbilled_exactly_when_their_time_is_up() -> None:
    waiting = items()
    until = decisions.decide_until(DAY)
    assert until < seals_at(DAY)
    assert decisions.expire(waiting, NO_DECISIONS, until - timedelta(microseconds=1)).is_empty()
    closed = decisions.expire(waiting, NO_DECISIONS, until)
    assert closed.select("decision", "reviewer_id", "decided_at").row(0) == ("unbilled", "system", until)
    assert closed.schema == REVIEW_DECISIONS.schema
    assert decisions.expire(waiting, NO_DECISIONS, until + timedelta(days=9)).equals(closed)
    assert decisions.expire(waiting, closed, until + timedelta(days=9)).is_empty()
    decided = decision(waiting["review_id"].item(), "reject")
    assert decisions.expire(waiting, decided, until).is_empty()
    assert decisions.current_items(waiting, decided)["state"].to_list() == ["rejected"]
    assert decisions.current_items(waiting, closed)["state"].to_list() == ["unbilled"]
    assert decisions.current_items(waiting, NO_DECISIONS)["state"].to_list() == ["waiting"]


def test_an_unbilled_visit_stays_without_an_order() -> None:
    waiting = items()
    closed = decisions.expire(waiting, NO_DECISIONS, decisions.decide_until(DAY))
    _, settlement = run([visit("v1", binding_prob=0.3)], [event(1, "v1", "pick")], closed)
    assert settlement.orders.is_empty()
    assert settlement.review_items["state"].to_list() == ["unbilled"]
