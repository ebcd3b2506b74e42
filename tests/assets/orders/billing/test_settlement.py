"""From attributed shelf events to baskets, orders and review items."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.orders.review.decisions import decide_until
from lakehouse.contracts.orders import BASKETS, ORDER_LINES, ORDERS, REVIEW_ITEMS
from tests.assets.orders.builders import DAY, PRICE, at, basket, decision, event, run, visit


def test_picks_become_an_order_at_the_price_of_the_day() -> None:
    netting, settlement = run(
        [visit("v1")],
        [event(1, "v1", "pick"), event(2, "v1", "pick", "milk", quantity=2), event(3, "v1", "touch")],
    )
    assert basket(netting) == {"tea": 1, "milk": 2}
    order = settlement.orders.row(0, named=True)
    assert order["amount_fen"] == 350 + 2 * 620
    assert order["created_at"] == at(600)
    assert order["review_state"] == "none"
    assert settlement.order_lines["amount_fen"].sum() == order["amount_fen"]
    assert settlement.review_items.is_empty()
    assert netting.baskets.schema == BASKETS.schema
    assert settlement.orders.schema == ORDERS.schema
    assert settlement.order_lines.schema == ORDER_LINES.schema
    assert settlement.review_items.schema == REVIEW_ITEMS.schema


def test_a_put_back_cancels_the_pick_and_nothing_left_is_no_order() -> None:
    netting, settlement = run([visit("v1")], [event(1, "v1", "pick"), event(2, "v1", "put_back")])
    assert basket(netting) == {}
    assert settlement.orders.is_empty()
    assert settlement.review_items.is_empty()


def test_a_put_back_in_the_wrong_slot_returns_what_was_held() -> None:
    netting, settlement = run([visit("v1")], [event(1, "v1", "pick", "nuts"), event(2, "v1", "put_back", "tea")])
    assert basket(netting) == {}
    assert netting.closings["confidence_prob"].item() == pytest.approx(0.8, abs=0.01)
    assert settlement.orders.is_empty()


def test_a_put_back_of_something_else_with_two_things_in_hand_goes_to_review() -> None:
    netting, _ = run(
        [visit("v1")],
        [event(1, "v1", "pick", "nuts"), event(2, "v1", "pick", "milk"), event(3, "v1", "put_back", "tea")],
    )
    assert basket(netting) == {"nuts": 1}
    assert netting.closings["confidence_prob"].item() < 0.7


def test_a_put_back_whose_product_vision_named_returns_that_one_wherever_it_was_put() -> None:
    picks = [event(1, "v1", "pick", "nuts"), event(2, "v1", "pick", "milk")]
    put = event(3, "v1", "put_back", "nuts") | {"slot_id": "slot of tea"}
    netting, settlement = run([visit("v1")], [*picks, put])
    assert basket(netting) == {"milk": 1}
    assert netting.closings["confidence_prob"].item() > 0.7
    assert settlement.orders.height == 1


def test_a_put_back_without_a_pick_never_makes_a_negative_line() -> None:
    netting, _ = run([visit("v1")], [event(1, "v1", "put_back"), event(2, "v1", "pick")])
    assert basket(netting) == {"tea": 1}


def test_a_put_back_of_an_uncertain_hand_is_the_holders() -> None:
    visits = [visit("v1"), visit("v2")]
    events = [event(1, "v1", "pick"), event(9, "v2", "put_back", attribution_prob=0.4)]
    netting, _ = run(visits, events)
    assert basket(netting, "v1") == {}
    visits[0]["exited_at"] = at(5)
    netting, _ = run(visits, events)
    assert basket(netting, "v1") == {"tea": 1}, "who has left returns nothing"


def test_a_shadow_that_passes_over_a_slot_is_no_doubt_about_the_basket() -> None:
    events = [
        event(1, "v1", "pick", "milk"),
        event(2, "v1", "pick", event_prob=0.55, attribution_prob=0.9),
        event(4, "v1", "put_back", event_prob=0.3, attribution_prob=0.9),
    ]
    netting, settlement = run([visit("v1")], events)
    assert basket(netting) == {"milk": 1}
    assert settlement.orders["amount_fen"].to_list() == [PRICE["milk"]]
    alone, doubtful = run([visit("v1")], events[:2])
    assert basket(alone) == {"milk": 1, "tea": 1}
    assert doubtful.orders.is_empty(), "without its reversal the same pick is in doubt"


def test_what_a_trajectory_does_after_its_exit_scan_is_somebody_elses() -> None:
    netting, settlement = run(
        [visit("v1", exited_at=at(50))],
        [event(1, "v1", "pick"), event(54, "v1", "pick"), event(90, "v1", "pick")],
    )
    assert basket(netting) == {"tea": 2}, "a scan and a reach a moment apart belong together"
    assert settlement.review_items["reason"].to_list() == ["unattributed_events"]


def test_staff_is_never_billed_and_their_put_backs_are_restocks() -> None:
    visits = [visit("v1"), visit("s", state="staff", payment_method="staff")]
    netting, settlement = run(
        visits, [event(1, "s", "pick"), event(2, "s", "put_back", "milk"), event(3, "v1", "pick", "milk")]
    )
    assert settlement.orders["account_id"].to_list() == ["account-v1"]
    assert settlement.review_items.is_empty()
    assert netting.unattributed.is_empty()


@pytest.mark.parametrize(
    ("changes", "kind", "reason"),
    [
        ({"account_id": None, "payment_method": None, "state": "no_account"}, {}, "no_account"),
        ({"binding_prob": 0.4}, {}, "low_confidence"),
        ({"state": "open", "exited_at": None}, {}, "no_exit"),
        ({}, {"event_prob": 0.8, "attribution_prob": 0.5}, "low_confidence"),
        ({}, {"product": "unpriced"}, "unknown_product"),
        ({}, {"product": None}, "unknown_product"),
    ],
)
def test_doubt_becomes_a_review_item_and_never_an_order(
    changes: dict[str, object], kind: dict[str, Any], reason: str
) -> None:
    _, settlement = run([visit("v1", **changes)], [event(1, "v1", "pick", **kind)])
    assert settlement.orders.is_empty()
    item = settlement.review_items.row(0, named=True)
    assert item["reason"] == reason
    assert item["state"] == "waiting"
    assert item["visit_id"] == "v1"
    assert item["evidence_expires_at"] == decide_until(DAY)


def test_an_account_that_the_cameras_lost_and_an_event_of_nobody_wait_for_a_person() -> None:
    netting, settlement = run(
        [visit("v1", has_track=False, binding_prob=0.0)],
        [event(1, None, "pick"), event(2, None, "touch"), event(3, None, "restock"), event(4, None, "put_back")],
    )
    assert sorted(settlement.review_items["reason"]) == ["no_track", *["unattributed_events"] * 2]
    assert netting.unattributed["event_id"].to_list() == ["e001", "e004"]
    assert settlement.review_items["product_ids"].to_list() == [["tea"], [], []], "only a pick is missing"
    assert settlement.orders.is_empty()


def test_decisions_make_change_and_drop_the_order() -> None:
    visits, events = [visit("v1", binding_prob=0.3)], [event(1, "v1", "pick")]
    _, waiting = run(visits, events)
    review_id = waiting.review_items["review_id"].item()
    _, accepted = run(visits, events, decision(review_id, "accept"))
    assert accepted.orders.select("amount_fen", "review_state").row(0) == (350, "accepted")
    _, amended = run(visits, events, decision(review_id, "amend", {"milk": 2}))
    assert amended.orders.select("amount_fen", "review_state").row(0) == (1240, "amended")
    assert amended.orders["order_no"].item() == accepted.orders["order_no"].item()
    _, rejected = run(visits, events, decision(review_id, "reject"))
    assert rejected.orders.is_empty()
    states = [s.review_items["state"].item() for s in (waiting, accepted, amended, rejected)]
    assert states == ["waiting", "accepted", "amended", "rejected"]
    both = pl.concat([decision(review_id, "reject", minute=40), decision(review_id, "accept")])
    _, first = run(visits, events, both)
    assert first.review_items["state"].item() == "accepted"


def test_accepting_what_has_no_account_bills_nobody() -> None:
    visits = [visit("v1", account_id=None, payment_method=None, state="no_account")]
    events = [event(1, "v1", "pick")]
    _, waiting = run(visits, events)
    _, accepted = run(visits, events, decision(waiting.review_items["review_id"].item(), "accept"))
    assert accepted.orders.is_empty()
    assert accepted.review_items["state"].item() == "accepted"


kinds = st.sampled_from(["pick", "pick", "pick", "put_back", "put_back", "swap", "touch", "restock"])
probs = st.floats(0.0, 1.0, allow_nan=False, width=32)
some_events = st.lists(
    st.tuples(
        st.sampled_from(["v1", "v2", "v3", "gone", None]),
        kinds,
        st.sampled_from(["tea", "milk", "nuts", "unpriced", None]),
        st.integers(1, 3),
        probs,
        probs,
    ),
    max_size=25,
)
some_visits = st.fixed_dictionaries(
    {name: st.sampled_from(["closed", "closed", "open", "staff", "no_account"]) for name in ("v1", "v2", "v3")}
)


def build(
    states: dict[str, str], drawn: list[tuple[Any, ...]]
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    visits = [
        visit(
            name,
            state=state,
            **({"account_id": None, "payment_method": None} if state == "no_account" else {}),
        )
        for name, state in states.items()
    ]
    events = [
        event(n, who, kind, product, quantity=0 if kind == "touch" else pieces, event_prob=p, attribution_prob=q)
        for n, (who, kind, product, pieces, p, q) in enumerate(drawn)
    ]
    return visits, events


@settings(max_examples=60, deadline=None)
@given(some_visits, some_events, st.randoms(use_true_random=False))
def test_whatever_happens_money_adds_up_and_nothing_is_lost(
    states: dict[str, str], drawn: list[tuple[Any, ...]], random: Any
) -> None:
    visits, events = build(states, drawn)
    netting, settlement = run(visits, events)
    orders, lines, items = settlement.orders, settlement.order_lines, settlement.review_items

    sums = lines.group_by("order_no").agg(pl.col("amount_fen").sum().alias("total"))
    joined = orders.join(sums, "order_no", how="full", coalesce=True)
    assert joined.filter(pl.col("amount_fen").ne_missing(pl.col("total"))).is_empty()
    assert (lines["quantity"] * lines["unit_price_fen"]).to_list() == lines["amount_fen"].to_list()
    assert orders["order_no"].n_unique() == orders.height == orders["visit_id"].n_unique()
    assert not set(orders["visit_id"]) & set(items["visit_id"]), "a visit is billed or in review, never both"
    assert set(orders["visit_id"]) <= {name for name, state in states.items() if state == "closed"}
    assert netting.baskets["quantity"].min() is None or netting.baskets["quantity"].min() >= 1

    used = netting.baskets["event_ids"].explode(empty_as_null=False).to_list() if netting.baskets.height else []
    assert len(used) == len(set(used)), "an event is in one line at most"
    in_review = set(items["visit_id"].drop_nulls())
    for visit_id, product, pieces in netting.baskets.select("visit_id", "product_id", "quantity").iter_rows():
        billed = orders.filter(pl.col("visit_id") == visit_id).join(lines, "order_no")
        found = billed.filter(pl.col("product_id") == product)["quantity"].sum()
        assert found == pieces or visit_id in in_review
    nobodys = [e for e in events if e["track_id"] in (None, "t-gone") and e["type"] in ("pick", "put_back", "swap")]
    assert items.filter(pl.col("visit_id").is_null()).height == len(nobodys)

    random.shuffle(visits)
    random.shuffle(events)
    again_netting, again = run(visits, events)
    assert again_netting.baskets.equals(netting.baskets)
    assert again.orders.equals(orders)
    assert again.order_lines.equals(lines)
    assert again.review_items.equals(items)
