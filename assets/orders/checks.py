"""The orders domain's own checks by table: what they are called and what they mean. Counted in quality.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lakehouse.audit import ExpectationResult
from lakehouse.contract import Severity
from resources.table_specs import DomainCheck

_PRODUCTS = DomainCheck("products_known", "Every product is in orders/products.")

DECLARED: Mapping[str, tuple[DomainCheck, ...]] = {
    "orders/slot_views": (
        DomainCheck("views_show_known_slots", "Every slot that a camera sees is in orders/slots."),
        DomainCheck("views_are_of_known_cameras", "Every view belongs to a camera in orders/cameras."),
    ),
    "orders/planograms": (
        DomainCheck("planogram_slots_known", "Every planned slot is in orders/slots."),
        DomainCheck("planogram_products_known", "Every planned product is in orders/products."),
        DomainCheck("planned_products_priced", "Every planned product has a price.", Severity.WARNING),
    ),
    "orders/prices": (DomainCheck("priced_products_known", "Every priced product is in orders/products."),),
    "orders/gate_events": (DomainCheck("gates_known", "Every scan was made at a gate that the store has."),),
    "orders/visits": (
        DomainCheck("ends_after_it_began", "A visit ends after it began."),
        DomainCheck("account_or_marked", "A visit has an account, or is marked as one without."),
        DomainCheck("followed_visits_have_tracks", "A visit that the cameras followed has a track."),
    ),
    "orders/visit_tracks": (DomainCheck("visits_of_tracks_known", "Every link names a visit."),),
    "orders/baskets": (
        DomainCheck("visits_known_and_not_staff", "Every basket belongs to a visit that is not staff."),
        _PRODUCTS,
        DomainCheck("events_known", "Every event behind a line is in vision/shelf_events."),
        DomainCheck("event_billed_at_most_once", "No event is behind two lines."),
    ),
    "orders/orders": (
        DomainCheck("lines_sum_to_amount", "The lines of an order sum to its amount."),
        DomainCheck("order_numbers_unique", "No two orders share a number."),
        DomainCheck("visit_billed_at_most_once", "No visit has two orders."),
        DomainCheck("payer_is_of_the_visit", "The account that pays is the visit's."),
    ),
    "orders/order_lines": (
        DomainCheck("line_is_quantity_times_price", "A line's amount is quantity times unit price."),
        _PRODUCTS,
    ),
    "orders/review_items": (
        DomainCheck("pieces_on_orders_or_in_review", "Every piece of a basket is on an order or in review."),
        DomainCheck("events_of_nobody_in_review", "Every event of nobody is in review."),
        DomainCheck("not_billed_while_undecided", "No visit is billed while its review is undecided."),
    ),
}


def of_table(path: str, results: Iterable[ExpectationResult]) -> list[ExpectationResult]:
    """Those of the results that are declared for a table."""
    names = {check.name for check in DECLARED.get(path, ())}
    return [result for result in results if result.name in names]


def declared(*paths: str) -> dict[str, tuple[DomainCheck, ...]]:
    """Declarations of the tables that have any."""
    return {path: DECLARED[path] for path in paths if path in DECLARED}
