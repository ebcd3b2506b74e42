"""Reference files as tables, and the errors that name file, field and reason."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from assets.orders.reference.documents import read_documents, sourced_schema
from assets.orders.reference.prices import prices_on
from lakehouse.contracts import store_reference
from resources.landing.folder import Document
from resources.landing.refusals import Reason
from tests.assets.orders.reference.test_any_document import CAMERAS, SQUARE

STORE = b"""
store_id: s001
name: a store
is_simulated: true
timezone: Asia/Shanghai
region: cn-east
opening_hours: {open: "00:00", close: "24:00"}
floor_m: {width: 8.0, depth: 6.0}
gondolas: [{gondola_id: g1, polygon_m: [[0,0],[1,0],[1,1]]}]
entrance_zone_m: [[0,0],[1,0],[1,1]]
exit_zone_m: [[0,0],[1,0],[1,1]]
gates: [{gate_id: gate-1, x_m: 1, y_m: 2}]
slots:
  - {slot_id: a, gondola_id: g1, shelf_index: 2, x_m: 1, y_m: 1, z_m: 1, width_m: 0.2, normal_deg: 90}
  - {slot_id: b, gondola_id: g1, shelf_index: 1, x_m: 1, y_m: 1, z_m: 1, width_m: 0.2, normal_deg: 90}
"""


def store(content: bytes) -> Document:
    return Document("store.yaml", "s001", "reference/stores/s001/store.yaml", content)


def test_a_store_becomes_its_tables() -> None:
    found = read_documents([store(STORE)])
    assert found.rejections == ()
    assert found.frames["stores"].row(0, named=True)["gate_positions_m"] == [[1.0, 2.0]]
    assert found.frames["slots"]["slot_id"].to_list() == ["a", "b"]
    for contract in store_reference.TABLES:
        assert found.frames[contract.name].schema == sourced_schema(contract)


@pytest.mark.parametrize(
    ("old", "new", "field", "reason"),
    [
        (b"width_m: 0.2", b"width_m: -1", "slots[0].width_m", Reason.OUT_OF_RANGE),
        (b"slot_id: b", b"slot_id: a", "slots[1].slot_id", Reason.DUPLICATE_KEY),
        (
            b"slot_id: b, gondola_id: g1",
            b"slot_id: b, gondola_id: g9",
            "slots[1].gondola_id",
            Reason.UNKNOWN_REFERENCE,
        ),
        (b"store_id: s001", b"store_id: s002", "store_id", Reason.WRONG_STORE),
        (b"timezone: Asia/Shanghai", b"timezone: Europe/Berlin", "timezone", Reason.NOT_ALLOWED),
        (b"region: cn-east", b"region: cn-east\nowner_phone: '138'", "owner_phone", Reason.UNKNOWN_FIELD),
        (b'open: "00:00"', b'open: "25:00"', "opening_hours.open", Reason.OUT_OF_RANGE),
        (b"name: a store", b"name: [", "", Reason.NOT_YAML),
        (b"width: 8.0", b"width: 0", "floor_m.width", Reason.OUT_OF_RANGE),
        (b"name: a store\n", b"", "name", Reason.MISSING_FIELD),
        (b"exit_zone_m: [[0,0],[1,0],[1,1]]", b"exit_zone_m: [[0,0]]", "exit_zone_m", Reason.WRONG_TYPE),
    ],
)
def test_a_wrong_store_file_is_refused_whole(old: bytes, new: bytes, field: str, reason: Reason) -> None:
    assert old in STORE
    found = read_documents([store(STORE.replace(old, new, 1))])
    assert found.frames["stores"].is_empty()
    assert [(r.field, r.reason, r.line) for r in found.rejections] == [(field, reason, 0)]


def test_a_zone_with_the_id_of_a_slot_of_its_camera_is_refused() -> None:
    """They lie in one table: two rows of one key would be refused by it, and with them every store's."""
    camera = CAMERAS["cameras"][0]
    zones = [{"zone_id": "z", "polygon_px": SQUARE}, {"zone_id": "a", "polygon_px": SQUARE}]
    content = yaml.safe_dump({"cameras": [camera, camera | {"camera_id": "c2", "zones": zones}]})
    found = read_documents([Document("cameras.yaml", "s001", "reference/stores/s001/cameras.yaml", content.encode())])
    assert found.frames["cameras"].is_empty()
    (rejection,) = found.rejections
    assert (rejection.field, rejection.reason) == ("cameras[1].zones[1].zone_id", Reason.DUPLICATE_KEY)


def test_a_wrong_row_of_a_csv_is_refused_alone() -> None:
    content = (
        b"product_id,store_id,price_fen,valid_from\n"
        b"p1,s001,300,2026-01-01\n"
        b"p1,s001,3.5,2026-01-01\n"
        b"p1,s001,400,2026-01-01\n"
        b"p2,s001,400,soon\n"
        b"p2,s001,400,2026-02-01,extra\n"
    )
    found = read_documents([Document("prices.csv", None, "reference/prices.csv", content)])
    assert found.frames["prices"]["price_fen"].to_list() == [300]
    assert [(r.line, r.reason) for r in found.rejections] == [
        (3, Reason.WRONG_TYPE),
        (4, Reason.DUPLICATE_KEY),
        (5, Reason.NOT_A_DATE),
        (6, Reason.UNKNOWN_FIELD),
    ]
    wrong_head = Document("prices.csv", None, "reference/prices.csv", b"product_id,phone\n")
    assert read_documents([wrong_head]).rejections[0].reason is Reason.MISSING_FIELD


def test_what_holds_on_a_day_is_the_latest_before_it() -> None:
    prices = b"product_id,store_id,price_fen,valid_from\np1,s001,400,2026-02-01\np1,s001,300,2026-01-01\n"
    found = read_documents([Document("prices.csv", None, "reference/prices.csv", prices)])
    for day, fen in ((date(2026, 1, 31), 300), (date(2026, 2, 1), 400)):
        assert prices_on(found.frames["prices"], "s001", day)["unit_price_fen"].to_list() == [fen]
    assert prices_on(found.frames["prices"], "s001", date(2025, 1, 1)).is_empty()
