"""One delivery of every bad kind, to be landed beside a good day: each with the reason that it must be refused for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from tests.assets.orders.reference.test_any_document import CAMERAS, SQUARE

Write = Callable[[Path], object]


@dataclass(frozen=True)
class BadDelivery:
    """A file below landing. `reason`: what it is refused for; None if it waits, half a clip for its other half and
    reference data for what they name. `adds`: it adds to a good file that lies there."""

    path: str
    reason: str | None
    write: Write
    adds: bool = False


def content(raw: bytes | str) -> Write:
    """A plain file of that content."""
    return lambda path: path.write_bytes(raw.encode() if isinstance(raw, str) else raw)


def line(**fields: object) -> Write:
    """A file of one JSON line."""
    return content(json.dumps(fields) + "\n")


def added(row: str) -> Write:
    """A row more in a file."""

    def write(path: Path) -> None:
        with path.open("a") as stream:
            stream.write(row + "\n")

    return write


def link(path: Path) -> None:
    """A symbolic link to a video that lies elsewhere."""
    target = path.parents[3] / "elsewhere.mp4"
    target.write_bytes(b"not to be touched")
    path.symlink_to(target)


SCAN = {"account_id": "acc-1", "gate_id": "g-in", "direction": "entry", "payment_method": "alipay"}
ORDER = {
    "order_no": "old-1",
    "account_id": "acc-1",
    "created_at": "2026-01-05T03:00:00Z",
    "payment_method": "alipay",
    "amount_fen": 900,
    "lines": [{"product_id": "sku-1001", "quantity": 2, "unit_price_fen": 450, "amount_fen": 900}],
    "is_simulated": True,
}
LONG_NUMBER = "9" * 400


def every_kind(store_id: str, day: date, taken_number: str) -> Iterator[BadDelivery]:
    """The deliveries, for a store whose good day is `day`. `taken_number`: of an order in its history; empty if it has
    none."""
    scans, history = f"gate_events/{store_id}", f"orders_history/{store_id}"
    clips = f"footage/{store_id}/c1"
    noon = f"{day:%Y-%m-%d}T04:00:00Z"

    def stamp_of(minute: int) -> str:
        return f"{day:%Y%m%d}T00{minute:02}00.000Z"

    # Names that say no day, or one that no run can be of.
    for name in ("2026-13-45", "9999-12-31", "0001-01-01"):
        yield BadDelivery(f"{scans}/{name}.jsonl", "file_name", line(**SCAN, scanned_at=noon))
    yield BadDelivery(f"{scans}/2019-01-01.jsonl", "out_of_range", line(**SCAN, scanned_at=noon))
    for stamp in ("20261345T010000.000Z", "99991231T000000.000Z", "yesterday"):
        yield BadDelivery(f"{clips}/{stamp}.mp4", "file_name", content(b"x"))
    # Places where nobody looks.
    yield BadDelivery("gate_events/2026-01-05.jsonl", "file_name", line(**SCAN, scanned_at=noon))
    yield BadDelivery("orders_history/2026-01-05.jsonl", "file_name", line(**ORDER, store_id=store_id))
    yield BadDelivery(f"footage/{store_id}/{stamp_of(0)}.mp4", "file_name", content(b"x"))
    yield BadDelivery("reference/notes.txt", "file_name", content("hello"))
    # What is no plain file.
    yield BadDelivery(f"{clips}/{stamp_of(1)}.mp4", "not_a_plain_file", link)
    yield BadDelivery(f"{clips}/{stamp_of(2)}.mp4", "not_a_plain_file", os.mkfifo)
    yield BadDelivery(f"{history}/2026-01-06.jsonl", "not_a_plain_file", os.mkfifo)
    # Of a store or camera that nobody registered.
    yield BadDelivery(f"gate_events/s999/{day:%Y-%m-%d}.jsonl", "unknown_reference", line(**SCAN, scanned_at=noon))
    # Lines.
    bad = {
        "not_utf8": b"\xff\xfe\x00{\n",
        "not_json": b"{" * 3000 + b"\n",
        "duplicate_field": b'{"order_no": "a", "order_no": "b"}\n',
        "unknown_field": json.dumps(ORDER | {"store_id": store_id, "phone": "1"}).encode() + b"\n",
        "missing_field": b'{"order_no": "a"}\n',
        "arithmetic": json.dumps(ORDER | {"store_id": store_id, "amount_fen": 901}).encode() + b"\n",
        "wrong_store": json.dumps(ORDER | {"store_id": "s002"}).encode() + b"\n",
        "out_of_range": json.dumps(ORDER | {"store_id": store_id}).replace("900", LONG_NUMBER).encode() + b"\n",
        "not_an_instant": json.dumps(ORDER | {"store_id": store_id, "created_at": "2026-02-30T00:00:00Z"}).encode(),
    }
    for number, (reason, raw) in enumerate(bad.items(), start=7):
        yield BadDelivery(f"{history}/2026-01-{number:02}.jsonl", reason, content(raw))
    nothing = ORDER | {"store_id": store_id, "amount_fen": 0, "lines": []}
    yield BadDelivery(f"{history}/2026-01-30.jsonl", "out_of_range", line(**nothing))
    if taken_number:
        other = ORDER | {"store_id": store_id, "order_no": taken_number}
        yield BadDelivery(f"{history}/2099-01-01.jsonl", "duplicate_key", line(**other))
    half_a_pair = {"review_id": "r1", "decision": "reject", "reviewer_id": "r", "decided_at": noon, "reason": "\ud800"}
    yield BadDelivery(f"reviews/{day:%Y-%m-%d}.jsonl", "not_utf8", line(**half_a_pair))
    # Reference data of another store.
    yield BadDelivery("reference/stores/s002/store.yaml", "not_yaml", content("[" * 3000))
    yield BadDelivery("reference/stores/s002/cameras.yaml", "not_yaml", content("cameras: &a [*a, 2026-02-30]\n"))
    yield BadDelivery("reference/stores/s002/planogram.csv", "missing_field", content('slot_id,product_id\n"a,b\n'))
    twice = yaml.safe_dump({"cameras": [CAMERAS["cameras"][0] | {"zones": [{"zone_id": "a", "polygon_px": SQUARE}]}]})
    yield BadDelivery("reference/stores/s003/cameras.yaml", "duplicate_key", content(twice))
    # Reference data that name a slot or product of nobody: good files with a row more, and files of a store that has
    # not delivered its floor plan.
    plan = f"reference/stores/{store_id}/planogram.csv"
    yield BadDelivery(plan, None, added("nowhere,sku-1001,1,2026-01-01"), adds=True)
    yield BadDelivery("reference/prices.csv", None, added(f"nobodys,{store_id},450,2026-01-01"), adds=True)
    yield BadDelivery("reference/stores/s004/cameras.yaml", None, content(yaml.safe_dump(CAMERAS)))
    rows = "slot_id,product_id,facings,valid_from\na,sku-1001,1,2026-01-01\n"
    yield BadDelivery("reference/stores/s004/planogram.csv", None, content(rows))
    # Sidecars that say nothing usable of their clips, and a half that waits for its other half.
    sidecars = {"not_json": b"{", "missing_field": b"{}", "not_utf8": b"\xff", "unknown_field": b'{"colour": 1}'}
    for minute, (reason, raw) in enumerate(sidecars.items(), start=3):
        yield BadDelivery(f"{clips}/{stamp_of(minute)}.json", reason, content(raw))
        yield BadDelivery(f"{clips}/{stamp_of(minute)}.mp4", reason, content(b"x"))
    yield BadDelivery(f"{clips}/{stamp_of(9)}.mp4", None, content(b"half a pair"))


def land_every_kind(landing: Path, store_id: str, day: date) -> list[BadDelivery]:
    """Puts them there and returns them."""
    history = sorted((landing / "orders_history" / store_id).glob("*.jsonl"))
    number = json.loads(history[0].read_text().splitlines()[0])["order_no"] if history else ""
    found = list(every_kind(store_id, day, number))
    for delivery in found:
        path = landing / delivery.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if delivery.adds or not path.exists():
            delivery.write(path)
    return found
