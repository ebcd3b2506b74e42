"""One entry for each delivery: nothing that a store may deliver is without, and the page for stores says the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from resources.landing import deliveries
from resources.landing.deliveries import DELIVERIES, Delivery
from resources.landing.folder import CHAIN_DOCUMENTS, STORE_DOCUMENTS
from resources.landing.lines import LineFormat

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "landing.md").read_text()
ROWS = dict(re.findall(r"^\| `(\S+/\S+)` \| (.+) \|$", PAGE, re.MULTILINE))
"""What the page says of each path."""


def test_every_format_is_delivered() -> None:
    formats = {value.category for value in vars(deliveries).values() if isinstance(value, LineFormat)}
    assert formats == {delivery.category for delivery in DELIVERIES.values() if delivery.lines}
    assert all(
        delivery.lines is None or delivery.lines.by_store == delivery.by_store for delivery in DELIVERIES.values()
    )


def test_the_page_has_every_delivery_and_no_other() -> None:
    assert {path.split("/")[0] for path in ROWS} == set(DELIVERIES)
    documents = {path.split("/")[-1] for path in ROWS if path.startswith("reference/")}
    assert documents == {*STORE_DOCUMENTS, *CHAIN_DOCUMENTS}


@pytest.mark.parametrize("delivery", [d for d in DELIVERIES.values() if d.lines], ids=lambda d: d.category)
def test_the_page_names_every_field_of_a_line(delivery: Delivery) -> None:
    assert delivery.lines is not None
    ((path, said),) = [(path, said) for path, said in ROWS.items() if path.startswith(f"{delivery.category}/")]
    assert ("<store_id>" in path) == delivery.by_store
    assert [name for name in delivery.lines.fields if f"`{name}`" not in said] == []
