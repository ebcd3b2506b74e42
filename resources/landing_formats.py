"""What a store may deliver as lines of JSON: per category the allowed fields, what each may hold, and the
frame it becomes. A field that is not listed here is refused; no value is ever repeated in a refusal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

import polars as pl

from lakehouse.contracts.columns import INSTANT
from lakehouse.contracts.orders import DECISIONS, DIRECTIONS, PAYMENT_METHODS
from lakehouse.contracts.privacy import ACCOUNT_STATUSES

Parse = Callable[[object], object]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_FIELD_NAME = re.compile(r"[a-z][a-z_]{0,39}")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)

MOST_LINE_BYTES = 1 << 20
"""A line longer than this (1 MiB) is refused: an order of 500 lines takes 60 kB."""


class Reason(StrEnum):
    """Why a line or a file was refused. A closed list, so that nothing of the content can slip into it."""

    UNKNOWN_FIELD = "unknown_field"
    MISSING_FIELD = "missing_field"
    DUPLICATE_FIELD = "duplicate_field"
    WRONG_TYPE = "wrong_type"
    NOT_AN_INSTANT = "not_an_instant"
    NOT_A_DATE = "not_a_date"
    NOT_AN_ID = "not_an_id"
    NOT_ALLOWED = "not_allowed"
    OUT_OF_RANGE = "out_of_range"
    ARITHMETIC = "arithmetic"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_YAML = "not_yaml"
    NOT_CSV = "not_csv"
    TOO_LARGE = "too_large"
    NOT_A_PLAIN_FILE = "not_a_plain_file"
    UNREADABLE = "unreadable"
    FILE_NAME = "file_name"
    WRONG_STORE = "wrong_store"
    WRONG_CAMERA = "wrong_camera"
    WRONG_TIME = "wrong_time"
    DUPLICATE_KEY = "duplicate_key"
    UNKNOWN_REFERENCE = "unknown_reference"
    UNKNOWN_REVIEW = "unknown_review"
    ALREADY_DECIDED = "already_decided"
    EVIDENCE_EXPIRED = "evidence_expired"
    NOBODY_TO_BILL = "nobody_to_bill"


class Refused(Exception):
    """A value, line or file that the landing contract does not allow. Carries field name and reason, never
    a value."""

    def __init__(self, reason: Reason, field_name: str = "") -> None:
        super().__init__(f"{field_name}: {reason}" if field_name else str(reason))
        self.reason = reason
        self.field_name = field_name


@dataclass(frozen=True)
class Field:
    """One allowed field: how its JSON value is read and the type it gets in the frame."""

    dtype: pl.DataType | type[pl.DataType]
    parse: Parse
    required: bool = True


@dataclass(frozen=True)
class LineFormat:
    """A category of landing files: one JSON object a line. `by_store`: a folder per store lies between.

    `check` sees the parsed line and raises `Refused` where fields contradict each other.
    """

    category: str
    fields: Mapping[str, Field]
    by_store: bool
    check: Callable[[dict[str, object]], None] = field(default=lambda _: None)

    @property
    def schema(self) -> pl.Schema:
        """Schema of the parsed lines, without the two columns that say where a line came from."""
        return pl.Schema({name: spec.dtype for name, spec in self.fields.items()})


def text_id(value: object) -> str:
    """An identifier: 1 to 64 letters, digits, `.`, `_`, `:`, `-`."""
    if not isinstance(value, str):
        raise Refused(Reason.WRONG_TYPE)
    if not _ID.fullmatch(value):
        raise Refused(Reason.NOT_AN_ID)
    return value


def text(max_chars: int) -> Parse:
    """Free text of limited length."""

    def parse(value: object) -> str:
        if not isinstance(value, str):
            raise Refused(Reason.WRONG_TYPE)
        if len(value) > max_chars:
            raise Refused(Reason.OUT_OF_RANGE)
        if not _is_unicode(value):
            raise Refused(Reason.NOT_UTF8)
        return value

    return parse


def one_of(values: tuple[str, ...]) -> Parse:
    """One word of a closed list."""

    def parse(value: object) -> str:
        if not isinstance(value, str):
            raise Refused(Reason.WRONG_TYPE)
        if value not in values:
            raise Refused(Reason.NOT_ALLOWED)
        return value

    return parse


def flag(value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise Refused(Reason.WRONG_TYPE)
    return value


def whole(low: int, high: int) -> Parse:
    """A whole number in [low, high]; 3.0 counts as one, true does not."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(Reason.WRONG_TYPE)
        # Only floats: an int of 400 digits is too large to be asked whether it is finite.
        if isinstance(value, float) and not value.is_integer():
            raise Refused(Reason.WRONG_TYPE)
        if not low <= value <= high:
            raise Refused(Reason.OUT_OF_RANGE)
        return int(value)

    return parse


def number(low: float, high: float) -> Parse:
    """A finite number in [low, high]."""

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused(Reason.WRONG_TYPE)
        if not low <= value <= high:
            raise Refused(Reason.OUT_OF_RANGE)
        return float(value)

    return parse


def moment(value: object) -> datetime:
    """An ISO 8601 instant with its zone, read as UTC."""
    if not isinstance(value, str):
        raise Refused(Reason.WRONG_TYPE)
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        raise Refused(Reason.NOT_AN_INSTANT) from None
    if parsed.utcoffset() is None:
        raise Refused(Reason.NOT_AN_INSTANT)
    if not _EARLIEST <= parsed < _LATEST:
        raise Refused(Reason.OUT_OF_RANGE)
    return parsed.astimezone(UTC)


def list_of(item: Mapping[str, Field], max_items: int) -> Parse:
    """A list of objects, each with exactly the allowed fields."""

    def parse(value: object) -> list[dict[str, object]]:
        if not isinstance(value, list):
            raise Refused(Reason.WRONG_TYPE)
        if len(value) > max_items:
            raise Refused(Reason.OUT_OF_RANGE)
        return [_element(index, element, item) for index, element in enumerate(value)]

    return parse


def parse_object(value: object, fields: Mapping[str, Field]) -> dict[str, object]:
    """A JSON object with exactly the allowed fields, every value read. Raises `Refused`."""
    if not isinstance(value, dict):
        raise Refused(Reason.WRONG_TYPE)
    if unknown := [name for name in value if not isinstance(name, str) or name not in fields]:
        raise Refused(Reason.UNKNOWN_FIELD, safe_field_name(unknown[0]))
    row: dict[str, object] = {}
    for name, spec in fields.items():
        if value.get(name) is None:
            if spec.required:
                raise Refused(Reason.MISSING_FIELD, name)
            row[name] = None
            continue
        try:
            row[name] = spec.parse(value[name])
        except Refused as refused:
            raise Refused(refused.reason, _joined(name, refused.field_name)) from None
    return row


def parse_line(raw: bytes, line_format: LineFormat) -> dict[str, object]:
    """One line of a landing file. Raises `Refused`."""
    if len(raw) > MOST_LINE_BYTES:
        raise Refused(Reason.TOO_LARGE)
    row = parse_object(load_json(raw), line_format.fields)
    line_format.check(row)
    return row


def load_json(raw: bytes) -> object:
    """Strict JSON: UTF-8 with or without a byte order mark, no NaN, no field twice. Raises `Refused`, which quotes
    nothing."""
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_distinct, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise Refused(Reason.NOT_UTF8) from None
    except (ValueError, RecursionError):
        raise Refused(Reason.NOT_JSON) from None


def safe_field_name(name: object) -> str:
    """The name of a refused field if it looks like a name at all; a value misused as a name is not
    repeated."""
    return name if isinstance(name, str) and _FIELD_NAME.fullmatch(name) else "(unnamed)"


def _is_unicode(value: str) -> bool:
    """Whether a text has no half of a surrogate pair, which JSON and YAML can spell and no table can hold."""
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _element(index: int, value: object, fields: Mapping[str, Field]) -> dict[str, object]:
    try:
        return parse_object(value, fields)
    except Refused as refused:
        raise Refused(refused.reason, _joined(f"[{index}]", refused.field_name)) from None


def _joined(outer: str, inner: str) -> str:
    return f"{outer}{inner}" if not inner or inner.startswith("[") else f"{outer}.{inner}"


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(found := dict(pairs)) != len(pairs):
        raise Refused(Reason.DUPLICATE_FIELD)
    return found


def _no_constant(_: str) -> object:
    raise ValueError


def _check_order(row: dict[str, object]) -> None:
    lines = row["lines"]
    assert isinstance(lines, list)
    if any(line["quantity"] * line["unit_price_fen"] != line["amount_fen"] for line in lines):
        raise Refused(Reason.ARITHMETIC, "lines.amount_fen")
    if sum(line["amount_fen"] for line in lines) != row["amount_fen"]:
        raise Refused(Reason.ARITHMETIC, "amount_fen")
    if len({line["product_id"] for line in lines}) != len(lines):
        raise Refused(Reason.DUPLICATE_KEY, "lines.product_id")


def _check_review(row: dict[str, object]) -> None:
    lines = row["lines"] or []
    assert isinstance(lines, list)
    if (row["decision"] == "amend") != bool(lines):
        raise Refused(Reason.NOT_ALLOWED, "lines")
    if len({line["product_id"] for line in lines}) != len(lines):
        raise Refused(Reason.DUPLICATE_KEY, "lines.product_id")


_QUANTITY = Field(pl.Int32, whole(1, 100))
_FEN = Field(pl.Int64, whole(1, 10_000_000))
_HISTORY_LINE = {
    "product_id": Field(pl.String, text_id),
    "quantity": _QUANTITY,
    "unit_price_fen": _FEN,
    "amount_fen": _FEN,
}
_REVIEW_LINE = {"product_id": Field(pl.String, text_id), "quantity": _QUANTITY}


def _struct(fields: Mapping[str, Field]) -> pl.List:
    return pl.List(pl.Struct({name: spec.dtype for name, spec in fields.items()}))


GATE_EVENTS = LineFormat(
    "gate_events",
    {
        "account_id": Field(pl.String, text_id),
        "gate_id": Field(pl.String, text_id),
        "scanned_at": Field(INSTANT, moment),
        "direction": Field(pl.String, one_of(DIRECTIONS)),
        "payment_method": Field(pl.String, one_of(PAYMENT_METHODS)),
    },
    by_store=True,
)

ACCOUNTS = LineFormat(
    "accounts",
    {
        "account_id": Field(pl.String, text_id),
        "created_at": Field(INSTANT, moment),
        "status": Field(pl.String, one_of(ACCOUNT_STATUSES)),
        "is_simulated": Field(pl.Boolean, flag),
    },
    by_store=False,
)

ORDERS_HISTORY = LineFormat(
    "orders_history",
    {
        "order_no": Field(pl.String, text_id),
        "account_id": Field(pl.String, text_id),
        "store_id": Field(pl.String, text_id),
        "created_at": Field(INSTANT, moment),
        "payment_method": Field(pl.String, one_of(PAYMENT_METHODS[:3])),
        "amount_fen": Field(pl.Int64, whole(0, 10_000_000)),
        "lines": Field(_struct(_HISTORY_LINE), list_of(_HISTORY_LINE, 500)),
        "is_simulated": Field(pl.Boolean, flag),
    },
    by_store=True,
    check=_check_order,
)

REVIEWS = LineFormat(
    "reviews",
    {
        "review_id": Field(pl.String, text_id),
        "decision": Field(pl.String, one_of(tuple(word for word in DECISIONS if word != "unbilled"))),
        "lines": Field(_struct(_REVIEW_LINE), list_of(_REVIEW_LINE, 500), required=False),
        "reviewer_id": Field(pl.String, text_id),
        "decided_at": Field(INSTANT, moment),
        "reason": Field(pl.String, text(500)),
    },
    by_store=False,
    check=_check_review,
)
