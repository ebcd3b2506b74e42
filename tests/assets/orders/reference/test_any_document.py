"""Whatever a reference document holds, it becomes rows that its tables can hold, or is refused without repeating
anything, and the documents beside it are read."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.orders.reference.documents import read_documents, sourced_schema
from lakehouse.contracts import store_reference
from resources.landing.folder import Document
from resources.landing.refusals import Reason

SECRET = "13812345678"
LONG = "9" * 400
SQUARE = [[0, 0], [1, 0], [1, 1]]
STORE = {
    "store_id": "s001",
    "name": "a store",
    "is_simulated": True,
    "timezone": "Asia/Shanghai",
    "region": "cn-east",
    "opening_hours": {"open": "00:00", "close": "24:00"},
    "floor_m": {"width": 8.0, "depth": 6.0},
    "gondolas": [{"gondola_id": "g1", "polygon_m": SQUARE}],
    "entrance_zone_m": SQUARE,
    "exit_zone_m": SQUARE,
    "gates": [{"gate_id": "gate-1", "x_m": 1, "y_m": 2}],
    "slots": [
        {"slot_id": "a", "gondola_id": "g1", "shelf_index": 2, "x_m": 1, "y_m": 1}
        | {"z_m": 1, "width_m": 0.2, "normal_deg": 90}
    ],
}
CAMERAS = {
    "cameras": [
        {
            "camera_id": "c1",
            "kind": "shelf",
            "width_px": 640,
            "height_px": 480,
            "fps": 10,
            "matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            "distortion": [0, 0, 0, 0, 0],
            "rotation": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            "translation_m": [0, 0, 0],
            "slots": [{"slot_id": "a", "polygon_px": SQUARE}],
            "zones": [{"zone_id": "z", "polygon_px": SQUARE}],
        }
    ]
}
TABLES_AS_TEXT = {
    "products.csv": ["product_id,name,category,weight_g", "p1,a thing,things,10.5"],
    "prices.csv": ["product_id,store_id,price_fen,valid_from", "p1,s001,450,2026-01-01"],
    "planogram.csv": ["slot_id,product_id,facings,valid_from", "a,p1,2,2026-01-01"],
}
PRODUCT = Document("products.csv", None, "reference/products.csv", "\n".join(TABLES_AS_TEXT["products.csv"]).encode())


def document(kind: str, content: bytes | str) -> Document:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    if kind in ("products.csv", "prices.csv"):
        return Document(kind, None, f"reference/{kind}", raw)
    return Document(kind, "s001", f"reference/stores/s001/{kind}", raw)


def rows_or_refusals(found: Document) -> int:
    """Number of rows that the tables got from it. The sound document beside it is always read."""
    beside = PRODUCT if found.kind != "products.csv" else document("store.yaml", yaml.safe_dump(STORE))
    reference = read_documents([found, beside])
    assert {rejection.file for rejection in reference.rejections} <= {found.name}
    assert SECRET not in repr(reference.rejections)
    for contract in store_reference.TABLES:
        assert reference.frames[contract.name].schema == sourced_schema(contract)
    rows = sum(frame.height for frame in reference.frames.values())
    alone = sum(frame.height for frame in read_documents([beside]).frames.values())
    assert rows >= alone
    return rows - alone


odd = st.sampled_from(
    [int(LONG), 1e308, 2**63, True, None, "\ud800", "\x00", SECRET, "2026-02-30", "25:61", 3.5, [], {}, [[]], {"": 1}]
)
any_value = st.recursive(
    odd | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=2),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for step, inner in inside for place in places(inner, (*path, step)))]


@st.composite
def nearly(draw: st.DrawFn, sound: dict[str, Any]) -> str:
    """A sound document, as YAML, of which one value is another."""
    changed = copy.deepcopy(sound)
    *way, last = draw(st.sampled_from(places(changed)[1:]))
    holder: Any = changed
    for step in way:
        holder = holder[step]
    holder[last] = copy.deepcopy(draw(any_value))
    return str(yaml.safe_dump(changed))


@pytest.mark.parametrize(("kind", "sound"), [("store.yaml", STORE), ("cameras.yaml", CAMERAS)])
def test_any_yaml_document_becomes_rows_or_is_refused(kind: str, sound: dict[str, Any]) -> None:
    @settings(max_examples=100, deadline=None)
    @given(st.one_of(st.binary(max_size=60), nearly(sound), any_value.map(yaml.safe_dump)))
    def holds(content: bytes | str) -> None:
        rows_or_refusals(document(kind, content))

    assert rows_or_refusals(document(kind, yaml.safe_dump(sound))) >= 2
    holds()


cell = st.sampled_from([LONG, "-1", "1e400", "nan", "2026-13-45", "0001-01-01", SECRET, '"', "", "\ud800", "1_0", "१"])


@pytest.mark.parametrize("kind", sorted(TABLES_AS_TEXT))
def test_any_csv_document_becomes_rows_or_is_refused(kind: str) -> None:
    head, sound = TABLES_AS_TEXT[kind]

    @settings(max_examples=100, deadline=None)
    @given(
        st.one_of(
            st.binary(max_size=60),
            st.lists(st.lists(cell | st.sampled_from(sound.split(",")), max_size=5).map(",".join), max_size=3).map(
                lambda rows: "\n".join([head, *rows])
            ),
        )
    )
    def holds(content: bytes | str) -> None:
        rows_or_refusals(document(kind, content))

    assert rows_or_refusals(document(kind, f"{head}\n{sound}\n")) == 1
    holds()


@pytest.mark.parametrize(
    ("kind", "content", "line", "field", "reason"),
    [
        ("prices.csv", f"p1,s001,{LONG},2026-01-01", 3, "price_fen", Reason.OUT_OF_RANGE),
        ("prices.csv", f"p1,s001,{'9' * 5_000},2026-01-01", 3, "price_fen", Reason.WRONG_TYPE),
        ("prices.csv", "p1,s001,450,2026-13-45", 3, "valid_from", Reason.NOT_A_DATE),
        ("prices.csv", "p1,s001,450,9999-12-31", 3, "valid_from", Reason.OUT_OF_RANGE),
        ("products.csv", "p2,a,b,1e400", 3, "weight_g", Reason.OUT_OF_RANGE),
        ("planogram.csv", f"b,p1,{LONG},2026-01-01", 3, "facings", Reason.OUT_OF_RANGE),
    ],
)
def test_a_number_or_date_that_no_table_holds_costs_its_row_only(
    kind: str, content: str, line: int, field: str, reason: Reason
) -> None:
    found = document(kind, "\n".join([*TABLES_AS_TEXT[kind], content]))
    assert rows_or_refusals(found) == 1
    (rejection,) = read_documents([found]).rejections
    assert (rejection.line, rejection.field, rejection.reason) == (line, field, reason)


@pytest.mark.parametrize(
    ("kind", "content", "field", "reason"),
    [
        ("store.yaml", "[" * 3_000, "", Reason.NOT_YAML),
        ("cameras.yaml", "cameras: " + "{a: " * 3_000, "", Reason.NOT_YAML),
        ("store.yaml", yaml.safe_dump(STORE | {"name": "\ud800"}), "name", Reason.NOT_UTF8),
        ("store.yaml", yaml.safe_dump(STORE).replace("a store", "2026-02-30"), "", None),
        ("store.yaml", yaml.safe_dump(STORE | {"floor_m": {"width": int(LONG), "depth": 1}}), "floor_m.width", "range"),
        ("cameras.yaml", yaml.safe_dump({"cameras": [CAMERAS["cameras"][0] | {"fps": int(LONG)}]}), "fps", "range"),
        ("store.yaml", yaml.safe_dump(STORE | {"timezone": "Asia/Urumqi"}), "timezone", Reason.NOT_ALLOWED),
        ("store.yaml", yaml.safe_dump(STORE | {"timezone": "UTC"}), "timezone", Reason.NOT_ALLOWED),
    ],
)
def test_a_yaml_document_is_taken_or_refused_whole(kind: str, content: str, field: str, reason: object) -> None:
    rejections = read_documents([document(kind, content), PRODUCT]).rejections
    if reason is None:
        assert rejections == ()
        return
    (rejection,) = rejections
    assert rejection.field.endswith(field)
    assert rejection.reason is (Reason.OUT_OF_RANGE if reason == "range" else reason)


@pytest.mark.parametrize(("kind", "sound"), [("store.yaml", STORE), ("cameras.yaml", CAMERAS)])
def test_the_page_for_stores_names_the_fields_and_no_other(kind: str, sound: dict[str, Any]) -> None:
    page = (Path(__file__).resolve().parents[4] / "docs" / "landing.md").read_text()
    table = page.split(f"| `{kind}` | what |")[1].split("\n\n")[0]
    named = {name.split("[].")[-1] for row in table.splitlines() for name in re.findall(r"`([a-z_.\[\]]+)`", row)}
    fields = {step for place in places(sound) for step in place if isinstance(step, str)}
    assert fields <= named
    assert {name for row in table.splitlines()[2:] for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])} <= fields
