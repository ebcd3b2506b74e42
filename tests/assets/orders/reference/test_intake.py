"""What names nobody is left out by itself; whatever the order in which files come, the tables end up the same."""

from __future__ import annotations

from collections.abc import Iterable

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.orders.reference import intake
from assets.orders.reference.checks import check_reference
from assets.orders.reference.documents import read_documents
from assets.orders.reference.intake import Frames, Intake
from lakehouse.audit import ExpectationResult
from lakehouse.contracts.store_reference import TABLES
from lakehouse.tables.admission import check_frame
from resources.landing.folder import Document, Rejection
from resources.landing.refusals import Reason
from tests.assets.orders.reference.test_any_document import CAMERAS, SQUARE, STORE

CHECKED = ("slots", "slot_views", "cameras", "planograms", "products", "prices")


def store(*slots: str, gates: Iterable[str] = ("gate-1",), x_m: float = 1.0) -> Document:
    (slot,) = STORE["slots"]  # type: ignore[misc]
    content = STORE | {
        "slots": [slot | {"slot_id": name} for name in slots],
        "gates": [{"gate_id": name, "x_m": x_m, "y_m": 2.0} for name in gates],
    }
    return Document("store.yaml", "s001", "reference/stores/s001/store.yaml", yaml.safe_dump(content).encode())


def cameras(*slots: str, zones: Iterable[str] = ()) -> Document:
    camera = CAMERAS["cameras"][0] | {
        "slots": [{"slot_id": name, "polygon_px": SQUARE} for name in slots],
        "zones": [{"zone_id": name, "polygon_px": SQUARE} for name in zones],
    }
    content = yaml.safe_dump({"cameras": [camera]}).encode()
    return Document("cameras.yaml", "s001", "reference/stores/s001/cameras.yaml", content)


def table(kind: str, head: str, rows: Iterable[str]) -> Document:
    store_id = "s001" if kind == "planogram.csv" else None
    name = f"reference/stores/s001/{kind}" if store_id else f"reference/{kind}"
    return Document(kind, store_id, name, "\n".join([head, *rows]).encode())


def planogram(*pairs: tuple[str, str]) -> Document:
    head = "slot_id,product_id,facings,valid_from"
    return table("planogram.csv", head, [f"{slot},{product},1,2026-01-01" for slot, product in pairs])


def products(*ids: str) -> Document:
    return table("products.csv", "product_id,name,category,weight_g", [f"{name},a thing,things,10" for name in ids])


def prices(*ids: str, fen: int = 450) -> Document:
    head = "product_id,store_id,price_fen,valid_from"
    return table("prices.csv", head, [f"{name},s001,{fen},2026-01-01" for name in ids])


def take(*documents: Document, known: Frames | None = None, waits: bool = True) -> Intake:
    names = {document.name for document in documents} if waits else set()
    return intake.take(read_documents(documents), known or {}, names)


def blocked(tables: Frames) -> list[ExpectationResult]:
    return [result for result in check_reference(*(tables[name] for name in CHECKED)) if result.blocks]


def test_rows_that_name_nobody_are_left_out_alone() -> None:
    found = take(
        store("a", "c"),
        planogram(("a", "p1"), ("b", "p1"), ("c", "p9"), ("d", "p9")),
        products("p1"),
        prices("p1", "p9"),
        waits=False,
    )
    plan, price = "reference/stores/s001/planogram.csv", "reference/prices.csv"
    assert found.refused == (
        Rejection(price, 3, "product_id", Reason.UNKNOWN_REFERENCE),
        Rejection(plan, 3, "slot_id", Reason.UNKNOWN_REFERENCE),
        Rejection(plan, 4, "product_id", Reason.UNKNOWN_REFERENCE),
        Rejection(plan, 5, "slot_id", Reason.UNKNOWN_REFERENCE),
    )
    assert found.waiting == ()
    assert found.tables["planograms"].select("slot_id", "product_id").rows() == [("a", "p1")]
    assert found.tables["prices"]["product_id"].to_list() == ["p1"]
    assert blocked(found.tables) == []


def test_a_camera_file_with_a_slot_of_nobody_is_left_out_whole_and_says_where() -> None:
    found = take(store("a"), cameras("a", "b", "c", zones=["z"]), waits=False)
    assert found.refused == (
        Rejection("reference/stores/s001/cameras.yaml", 0, "cameras[0].slots[1].slot_id", Reason.UNKNOWN_REFERENCE),
    )
    assert found.tables["cameras"].is_empty()
    assert found.tables["slot_views"].is_empty()
    assert found.tables["stores"].height == 1


def test_zones_are_of_their_camera_and_name_nothing() -> None:
    found = take(store("a"), cameras("a", zones=["z"]))
    assert found.waiting == ()
    assert found.tables["slot_views"]["slot_id"].to_list() == ["a", "z"]


def test_a_file_waits_only_as_long_as_it_may_and_if_nothing_else_is_wrong_with_it() -> None:
    torn = Document("prices.csv", None, "reference/prices.csv", prices("p1", "p9").content + b"\np1,s001,cheap,soon")
    for document, waits, waiting, refused in (
        (prices("p1", "p9"), True, 1, 0),
        (prices("p1", "p9"), False, 0, 1),
        (torn, True, 0, 2),
    ):
        found = take(products("p1"), document, waits=waits)
        assert (len(found.waiting), len(found.refused)) == (waiting, refused)
        assert found.waiting_files == ({"reference/prices.csv"} if waiting else set())
        assert found.rows["prices"]["product_id"].to_list() == ["p1"], "what is known is taken at once"


def test_what_was_delivered_before_counts() -> None:
    known = take(store("a"), products("p1")).tables
    assert take(planogram(("a", "p1")), cameras("a"), prices("p1"), known=known).waiting == ()


def test_what_a_new_file_leaves_out_stays_and_breaks_no_promise() -> None:
    known = take(store("a", "b"), cameras("a", "b"), products("p1"), planogram(("a", "p1"), ("b", "p1"))).tables
    after = take(store("a"), known=known).tables
    assert sorted(after["slots"]["slot_id"]) == ["a", "b"]
    assert blocked(after) == []


def test_a_gate_that_a_new_plan_leaves_out_keeps_its_place() -> None:
    known = take(store(gates=["one", "two"])).tables
    moved = store(gates=["three", "one"], x_m=5.0)
    found = take(moved, known=known)
    (row,) = found.tables["stores"].iter_rows(named=True)
    assert row["gate_ids"] == ["three", "one", "two"]
    assert row["gate_positions_m"] == [[5.0, 2.0], [5.0, 2.0], [1.0, 2.0]]
    assert take(moved, known=found.tables).tables["stores"].equals(found.tables["stores"]), "read again, the same"
    assert take(store(gates=[]), known=known).tables["stores"]["gate_ids"].to_list() == [["one", "two"]]


ids = st.lists(st.sampled_from("abc"), max_size=3, unique=True)
goods = st.lists(st.sampled_from(("p1", "p2", "p3")), max_size=3, unique=True)
delivery = st.fixed_dictionaries(
    {
        "store": ids.map(lambda names: store(*names)),
        "cameras": st.tuples(ids, ids).map(
            lambda both: cameras(*both[0], zones=[name for name in both[1] if name not in both[0]])
        ),
        "products": goods.map(lambda names: products(*names)),
        "prices": goods.map(lambda names: prices(*names)),
        "planogram": st.dictionaries(st.sampled_from("abc"), st.sampled_from(("p1", "p2", "p3"))).map(
            lambda pairs: planogram(*pairs.items())
        ),
    }
)


def sorted_rows(tables: Frames) -> dict[str, list[tuple[object, ...]]]:
    return {contract.name: tables[contract.name].sort(contract.key).rows() for contract in TABLES}


@settings(max_examples=60, deadline=None)
@given(delivery, delivery, st.permutations(["store", "cameras", "products", "prices", "planogram"]))
def test_no_delivery_holds_another_up_and_any_order_ends_the_same(
    earlier: dict[str, Document], later: dict[str, Document], order: list[str]
) -> None:
    known = take(*earlier.values(), waits=False).tables
    at_once = take(*later.values(), known=known)
    for found in (known, at_once.tables):
        assert blocked(found) == []
        for contract in TABLES:
            check_frame(contract, found[contract.name])
    # Nothing is lost: every row of a CSV file is taken or named, and so is every YAML file.
    landed = read_documents(later.values())
    for kind, name in (("prices.csv", "prices"), ("planogram.csv", "planograms")):
        named = sum(waits.file.endswith(kind) for waits in at_once.waiting)
        assert at_once.rows[name].height + named == landed.frames[name].height
    # One by one, what waits is tried again each time; at the end nothing waits but what waited at once.
    tables, lying = known, dict[str, Document]()
    for kind in order:
        lying[kind] = later[kind]
        found = take(*lying.values(), known=tables)
        tables = found.tables
        lying = {kind: document for kind, document in lying.items() if document.name in found.waiting_files}
    assert sorted_rows(tables) == sorted_rows(at_once.tables)
    assert {document.name for document in lying.values()} == at_once.waiting_files
