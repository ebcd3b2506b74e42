"""Fields of deliveries: what each may hold, and how it is read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from resources.landing.refusals import Reason, Refused, safe_field_name

Parse = Callable[[object], object]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Field:
    """One allowed field: how its JSON value is read and the type it gets in the frame."""

    dtype: pl.DataType | type[pl.DataType]
    parse: Parse
    required: bool = True


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


def list_of(item: Mapping[str, Field], max_items: int, min_items: int = 0) -> Parse:
    """A list of objects, each with exactly the allowed fields."""

    def parse(value: object) -> list[dict[str, object]]:
        if not isinstance(value, list):
            raise Refused(Reason.WRONG_TYPE)
        if not min_items <= len(value) <= max_items:
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


def load_json(raw: bytes) -> object:
    """Strict JSON: UTF-8 with or without a byte order mark, no NaN, no field twice. Raises `Refused`, which quotes
    nothing."""
    try:
        return json.loads(raw.decode("utf-8-sig"), object_pairs_hook=_distinct, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise Refused(Reason.NOT_UTF8) from None
    except (ValueError, RecursionError):
        raise Refused(Reason.NOT_JSON) from None


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
