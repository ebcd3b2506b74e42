"""Every check of the orders tables holds on good rows and sees its violation."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from assets.orders.baskets.checks import check_baskets
from assets.orders.billing.checks import check_orders, check_reconciled
from assets.orders.reference.checks import check_reference, check_waiting
from assets.orders.visits.checks import check_gate_events, check_visits
from lakehouse.audit import failed
from lakehouse.contracts.orders import GATE_EVENTS
from lakehouse.contracts.store_reference import CAMERAS, PLANOGRAMS, PRODUCTS, SLOT_VIEWS, SLOTS, STORES
from resources.landing.folder import Rejection
from resources.landing.refusals import Reason
from tests.assets.orders.builders import PRICE, at, event, frames, prices, run, visit

VISITS_OF_DAY = [
    visit("v1"),
    visit("v2", binding_prob=0.3),
    visit("s", state="staff", payment_method="staff"),
]
EVENTS_OF_DAY = [
    event(1, "v1", "pick", quantity=2),
    event(2, "v2", "pick", "milk"),
    event(3, None, "pick", "nuts"),
    event(4, "v1", "put_back"),
]


@pytest.fixture
def day() -> dict[str, pl.DataFrame]:
    shelf_events, visits, visit_tracks = frames(VISITS_OF_DAY, EVENTS_OF_DAY)
    netting, settlement = run(VISITS_OF_DAY, EVENTS_OF_DAY)
    products = [{"product_id": name, "name": name, "category": "c", "weight_g": 1.0} for name in PRICE]
    return {
        "shelf_events": shelf_events,
        "visits": visits,
        "visit_tracks": visit_tracks,
        "baskets": netting.baskets,
        "orders": settlement.orders,
        "order_lines": settlement.order_lines,
        "review_items": settlement.review_items,
        "products": pl.DataFrame(products, PRODUCTS.schema),
        "prices": prices(),
        "slots": one(SLOTS, slot_id="a"),
        "slot_views": one(SLOT_VIEWS, slot_id="a", camera_id="c1", is_zone=False),
        "cameras": one(CAMERAS, camera_id="c1"),
        "planograms": one(PLANOGRAMS, slot_id="a", product_id="tea"),
        "stores": one(STORES, gate_ids=["gate-1"]),
        "gate_events": one(GATE_EVENTS, gate_id="gate-1"),
    }


def one(contract: Any, **values: object) -> pl.DataFrame:
    row: dict[str, object] = dict.fromkeys(contract.schema.names()) | {"store_id": "s001"} | values
    return pl.DataFrame([row], contract.schema)


def results(day: dict[str, pl.DataFrame]) -> dict[str, list[str]]:
    def call(check: Any, *names: str) -> list[str]:
        return failed(check(*(day[name] for name in names)))

    return {
        "reference": call(check_reference, "slots", "slot_views", "cameras", "planograms", "products", "prices"),
        "gate": call(check_gate_events, "gate_events", "stores"),
        "visits": call(check_visits, "visits", "visit_tracks"),
        "baskets": call(check_baskets, "baskets", "visits", "shelf_events", "products"),
        "orders": call(check_orders, "orders", "order_lines", "visits", "products"),
        "reconciled": call(
            check_reconciled,
            "shelf_events",
            "visit_tracks",
            "baskets",
            "orders",
            "order_lines",
            "review_items",
        ),
    }


def test_a_good_day_passes_every_check(day: dict[str, pl.DataFrame]) -> None:
    assert day["orders"].height == 1
    assert day["review_items"].height == 2
    assert not any(results(day).values())


def test_what_waits_is_counted_by_its_kind_and_blocks_nothing() -> None:
    assert failed(check_waiting(())) == []
    for file, check in (
        ("reference/stores/s001/cameras.yaml", "no_view_waits"),
        ("reference/stores/s001/planogram.csv", "no_planogram_row_waits"),
        ("reference/prices.csv", "no_price_waits"),
    ):
        waiting = [Rejection(file, line, "product_id", Reason.UNKNOWN_REFERENCE) for line in (2, 5)]
        found = check_waiting(waiting)
        assert [(one.name, one.unexpected_count) for one in found if not one.success] == [(check, 2)]
        assert not any(one.blocks for one in found)


def test_empty_tables_pass(day: dict[str, pl.DataFrame]) -> None:
    assert not any(results({name: frame.clear() for name, frame in day.items()}).values())


def every(column: str, value: object) -> Any:
    return lambda frame: frame.with_columns(pl.lit(value).cast(frame.schema[column]).alias(column))


def doubled(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame])


def none_left(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.clear()


@pytest.mark.parametrize(
    ("group", "name", "table", "change"),
    [
        ("reference", "planogram_slots_known", "planograms", every("slot_id", "x")),
        ("reference", "planogram_products_known", "planograms", every("product_id", "x")),
        ("reference", "views_show_known_slots", "slot_views", every("slot_id", "x")),
        ("reference", "views_are_of_known_cameras", "slot_views", every("camera_id", "x")),
        ("reference", "priced_products_known", "products", none_left),
        ("reference", "planned_products_priced", "prices", none_left),
        ("gate", "gates_known", "gate_events", every("gate_id", "x")),
        ("visits", "ends_after_it_began", "visits", every("exited_at", at(-5))),
        ("visits", "account_or_marked", "visits", every("account_id", None)),
        ("visits", "visits_of_tracks_known", "visit_tracks", every("visit_id", "x")),
        ("visits", "followed_visits_have_tracks", "visit_tracks", none_left),
        ("baskets", "visits_known_and_not_staff", "baskets", every("visit_id", "s")),
        ("baskets", "products_known", "baskets", every("product_id", "x")),
        ("baskets", "events_known", "shelf_events", none_left),
        ("baskets", "event_billed_at_most_once", "baskets", doubled),
        ("orders", "lines_sum_to_amount", "orders", every("amount_fen", 1)),
        ("orders", "lines_sum_to_amount", "order_lines", none_left),
        ("orders", "line_is_quantity_times_price", "order_lines", every("quantity", 9)),
        ("orders", "order_numbers_unique", "orders", doubled),
        ("orders", "visit_billed_at_most_once", "orders", doubled),
        ("orders", "payer_is_of_the_visit", "orders", every("account_id", "account-v2")),
        ("orders", "products_known", "order_lines", every("product_id", "x")),
        ("reconciled", "pieces_on_orders_or_in_review", "order_lines", none_left),
        ("reconciled", "pieces_on_orders_or_in_review", "baskets", doubled),
        ("reconciled", "events_of_nobody_in_review", "review_items", none_left),
        ("reconciled", "not_billed_while_undecided", "review_items", every("visit_id", "v1")),
    ],
)
def test_a_check_sees_its_violation(
    day: dict[str, pl.DataFrame], group: str, name: str, table: str, change: Any
) -> None:
    day[table] = change(day[table])
    assert name in results(day)[group]
