"""Whatever a delivery holds, its reader gives rows that its schema can hold, or refuses without repeating anything."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.landing.deliveries import GATE_EVENTS, ORDERS_HISTORY, REVIEWS
from resources.landing.fields import Field, parse_object, text
from resources.landing.footage import parse_sidecar
from resources.landing.lines import LineFormat, parse_line
from resources.landing.refusals import Reason, Refused
from tests.resources.landing.good_rows import LINES, ORDER, REVIEW, SCAN

SECRET = "13812345678"
LONG = int("9" * 400)
SIDECAR = {
    "camera_id": "c1",
    "store_id": "s001",
    "captured_at": "2026-11-22T02:00:00Z",
    "fps": 10,
    "frame_count": 3,
    "width_px": 640,
    "height_px": 480,
    "sha256": "0" * 64,
    "clock_skew_ms": 0,
    "frame_times_ms": [0, 100, 200.5],
}

# What JSON can spell and no table holds, beside ordinary values.
odd = st.sampled_from(
    (LONG, -LONG, 1e308, 2**63, -(2**63) - 1, True, None, 3.0, 3.5, "\ud800", "\x00", SECRET, "2026-11-22")
)
odd |= st.sampled_from(
    ("2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", [], {}, [[]], {"": 1})
)
any_value = st.recursive(
    odd | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        found += [place for name, inner in value.items() for place in places(inner, (*path, name))]
    if isinstance(value, list):
        found += [place for index, inner in enumerate(value) for place in places(inner, (*path, index))]
    return found


@st.composite
def nearly(draw: st.DrawFn, sound: dict[str, Any]) -> Any:
    """A sound document of which one or two values are others."""
    document: Any = copy.deepcopy(sound)
    for _ in range(draw(st.integers(0, 2))):
        *way, last = draw(st.sampled_from(places(document)[1:]))
        holder = document
        for step in way:
            holder = holder[step]
        holder[last] = copy.deepcopy(draw(any_value))
        if not isinstance(document, dict) or len(places(document)) == 1:
            break
    return document


def spelled(value: object) -> bytes:
    return json.dumps(value).encode()


def says_nothing_of_it(refused: Refused) -> None:
    assert SECRET not in str(refused)
    assert refused.__cause__ is None


def row_or_refusal(raw: bytes, line_format: LineFormat) -> None:
    try:
        row = parse_line(raw, line_format)
    except Refused as refused:
        says_nothing_of_it(refused)
        return
    frame = pl.DataFrame([row], line_format.schema)
    assert frame.height == 1
    frame.write_ipc(None)


@pytest.mark.parametrize(("line_format", "sound"), LINES, ids=lambda value: getattr(value, "category", ""))
def test_any_line_is_a_row_or_refused(line_format: LineFormat, sound: dict[str, Any]) -> None:
    @settings(max_examples=120, deadline=None)
    @given(st.one_of(st.binary(max_size=80), nearly(sound).map(spelled), any_value.map(spelled)))
    def holds(raw: bytes) -> None:
        row_or_refusal(raw, line_format)

    assert parse_line(spelled(sound), line_format)
    holds()


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=80), nearly(SIDECAR).map(spelled), any_value.map(spelled)))
def test_any_sidecar_is_read_or_refused(raw: bytes) -> None:
    try:
        found = parse_sidecar(raw)
    except Refused as refused:
        says_nothing_of_it(refused)
        return
    assert 2000 <= found.captured_at.year < 2100
    assert found.store_time.tzinfo is not None


@pytest.mark.parametrize(
    ("line_format", "sound", "changes", "field", "reason"),
    [
        (ORDERS_HISTORY, ORDER, {"amount_fen": LONG}, "amount_fen", Reason.OUT_OF_RANGE),
        (ORDERS_HISTORY, ORDER, {"amount_fen": -LONG}, "amount_fen", Reason.OUT_OF_RANGE),
        (ORDERS_HISTORY, ORDER, {"amount_fen": True}, "amount_fen", Reason.WRONG_TYPE),
        (ORDERS_HISTORY, ORDER, {"amount_fen": 700.5}, "amount_fen", Reason.WRONG_TYPE),
        (ORDERS_HISTORY, ORDER, {"created_at": "2026-02-30T00:00:00Z"}, "created_at", Reason.NOT_AN_INSTANT),
        (ORDERS_HISTORY, ORDER, {"created_at": "1999-12-31T23:59:59Z"}, "created_at", Reason.OUT_OF_RANGE),
        (ORDERS_HISTORY, ORDER, {"created_at": "9999-12-31T23:59:59-14:00"}, "created_at", Reason.OUT_OF_RANGE),
        (ORDERS_HISTORY, ORDER, {"lines": [ORDER["lines"][0]] * 501}, "lines", Reason.OUT_OF_RANGE),  # type: ignore[index]
        (ORDERS_HISTORY, ORDER, {"lines": []}, "lines", Reason.OUT_OF_RANGE),
        (ORDERS_HISTORY, ORDER, {"lines": ORDER["lines"] * 2}, "amount_fen", Reason.ARITHMETIC),  # type: ignore[operator]
        (REVIEWS, REVIEW, {"reason": "\ud800"}, "reason", Reason.NOT_UTF8),
        (REVIEWS, REVIEW, {"reason": "x" * 501}, "reason", Reason.OUT_OF_RANGE),
        (REVIEWS, REVIEW, {"reviewer_id": "\udfff"}, "reviewer_id", Reason.NOT_AN_ID),
        (GATE_EVENTS, SCAN, {"scanned_at": "2026-11-22T25:00:00Z"}, "scanned_at", Reason.NOT_AN_INSTANT),
        (GATE_EVENTS, SCAN, {"scanned_at": LONG}, "scanned_at", Reason.WRONG_TYPE),
    ],
)
def test_what_no_table_holds_is_refused_by_its_field(
    line_format: LineFormat, sound: dict[str, Any], changes: dict[str, Any], field: str, reason: Reason
) -> None:
    with pytest.raises(Refused) as caught:
        parse_line(spelled(sound | changes), line_format)
    assert (caught.value.field_name, caught.value.reason) == (field, reason)


@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5_000, b"1e999", b"-Infinity", b"\xff"])
def test_what_is_no_json_or_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused):
        parse_line(raw, GATE_EVENTS)


def test_a_whole_number_may_be_spelled_with_a_point() -> None:
    row = parse_line(spelled(ORDER).replace(b"700", b"700.0"), ORDERS_HISTORY)
    assert row["amount_fen"] == 700
    assert type(row["amount_fen"]) is int


def test_an_instant_is_read_as_utc() -> None:
    row = parse_line(spelled(SCAN | {"scanned_at": "2026-11-22T10:00:00.5+08:00"}), GATE_EVENTS)
    assert row["scanned_at"] == datetime(2026, 11, 22, 2, 0, 0, 500_000, UTC)


def test_half_a_surrogate_pair_as_a_name_is_not_repeated() -> None:
    with pytest.raises(Refused) as caught:
        parse_object({"\ud800": 1}, {"a": Field(pl.String, text(9))})
    assert str(caught.value) == "(unnamed): unknown_field"
