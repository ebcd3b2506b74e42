"""A store's reference files as tables: floor plan, cameras, slots, planogram, products and prices.

A YAML file is taken whole or refused whole, with the path of the first wrong field (`slots[3].width_m`); of
a CSV file single rows are refused. Whether what a row names is known is for intake.py to judge.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from lakehouse.contract import TableContract
from lakehouse.contracts import store_reference
from resources import strict_yaml
from resources.landing.fields import Field, Parse, flag, list_of, number, one_of, parse_object, text, text_id, whole
from resources.landing.folder import SOURCE_FILE, SOURCE_LINE, Document, Rejection
from resources.landing.refusals import Reason, Refused

Row = dict[str, object]

SOURCE_FIELD = "source_field"
"""Of a row from a YAML file that may name what nobody has: where in the file it stands, as `cameras[0].slots[3]`."""

_FLOOR_M = number(-10.0, 1000.0)
_HH_MM = re.compile(r"[0-9]{2}:[0-9]{2}")
_YYYY_MM_DD = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SPELLED = re.compile(r"\s*[+-]?[0-9.]+([eE][+-]?[0-9]+)?\s*")


@dataclass(frozen=True)
class Reference:
    """Rows for the reference tables, keyed by contract name, and what was refused.

    `frames`: the table's columns, plus where each row came from (`source_file`; `source_line`, 0 for a YAML file;
    `source_field`).
    """

    frames: Mapping[str, pl.DataFrame]
    rejections: tuple[Rejection, ...] = field(default=())


def read_documents(documents: Iterable[Document]) -> Reference:
    """The tables that the landed reference files describe; a table nobody delivered has no rows."""
    rows: dict[str, list[Row]] = {contract.name: [] for contract in store_reference.TABLES}
    rejections: list[Rejection] = []
    for document in documents:
        if document.kind in _CSV:
            name, fields = _CSV[document.kind]
            good, bad = _read_csv(document, fields, _CONTRACTS[name])
            rows[name] += _from(document, good)
            rejections += bad
            continue
        try:
            for name, found in _YAML[document.kind](document).items():
                rows[name] += _from(document, found)
        except Refused as refused:
            rejections.append(Rejection(document.name, 0, refused.field_name, refused.reason))
    frames = {name: pl.DataFrame(found, sourced_schema(_CONTRACTS[name])) for name, found in rows.items()}
    return Reference(frames, tuple(rejections))


def sourced_schema(contract: TableContract) -> pl.Schema:
    """Schema of a table's rows with where they came from."""
    return pl.Schema({**contract.schema, SOURCE_FILE: pl.String(), SOURCE_LINE: pl.Int64(), SOURCE_FIELD: pl.String()})


def _from(document: Document, rows: Iterable[Row]) -> list[Row]:
    return [{SOURCE_FILE: document.name, SOURCE_LINE: 0, SOURCE_FIELD: ""} | row for row in rows]


def _read_store(document: Document) -> dict[str, list[Row]]:
    store = parse_object(_load_yaml(document), _STORE)
    if store["store_id"] != document.store_id:
        raise Refused(Reason.WRONG_STORE, "store_id")
    gondolas, gates, slots = _rows(store["gondolas"]), _rows(store["gates"]), _rows(store["slots"])
    _distinct(gondolas, "gondolas", "gondola_id")
    _distinct(gates, "gates", "gate_id")
    _distinct(slots, "slots", "slot_id")
    known = {gondola["gondola_id"] for gondola in gondolas}
    for index, slot in enumerate(slots):
        if slot["gondola_id"] not in known:
            raise Refused(Reason.UNKNOWN_REFERENCE, f"slots[{index}].gondola_id")
    hours, floor = _mapping(store["opening_hours"]), _mapping(store["floor_m"])
    row: Row = {
        **{name: store[name] for name in ("store_id", "name", "timezone", "region", "is_simulated")},
        "opens_at": hours["open"],
        "closes_at": hours["close"],
        "floor_width_m": floor["width"],
        "floor_depth_m": floor["depth"],
        "gondola_ids": [gondola["gondola_id"] for gondola in gondolas],
        "gondola_polygons_m": [gondola["polygon_m"] for gondola in gondolas],
        "entrance_zone_m": store["entrance_zone_m"],
        "exit_zone_m": store["exit_zone_m"],
        "gate_ids": [gate["gate_id"] for gate in gates],
        "gate_positions_m": [[gate["x_m"], gate["y_m"]] for gate in gates],
    }
    return {"stores": [row], "slots": [slot | {"store_id": document.store_id} for slot in slots]}


def _read_cameras(document: Document) -> dict[str, list[Row]]:
    cameras = _rows(parse_object(_load_yaml(document), _CAMERAS_FILE)["cameras"])
    _distinct(cameras, "cameras", "camera_id")
    found: dict[str, list[Row]] = {"cameras": [], "slot_views": []}
    for index, camera in enumerate(cameras):
        place: Row = {"store_id": document.store_id, "camera_id": camera["camera_id"]}
        seen: set[object] = set()
        for name, id_column, is_zone in (("slots", "slot_id", False), ("zones", "zone_id", True)):
            views, where = _rows(camera[name] or []), f"cameras[{index}].{name}"
            # One table holds both, by camera and id.
            _distinct(views, where, id_column, seen)
            found["slot_views"] += [
                place
                | {"slot_id": view[id_column], "is_zone": is_zone, "polygon_px": view["polygon_px"]}
                | {SOURCE_FIELD: f"{where}[{number}]"}
                for number, view in enumerate(views)
            ]
        found["cameras"].append(place | {k: v for k, v in camera.items() if k not in ("slots", "zones")})
    return found


def _read_csv(
    document: Document, fields: Mapping[str, Field], contract: TableContract
) -> tuple[list[Row], list[Rejection]]:
    rows: list[Row] = []
    rejections: list[Rejection] = []
    seen: set[tuple[object, ...]] = set()
    try:
        reader = csv.DictReader(io.StringIO(document.content.decode("utf-8-sig"), newline=""), restkey="", strict=True)
        names = reader.fieldnames or ()
        if twice := [name for name in fields if names.count(name) > 1]:
            return [], [Rejection(document.name, 0, twice[0], Reason.DUPLICATE_FIELD)]
        if unknown := set(names) ^ set(fields):
            known = sorted(unknown & set(fields))
            reason = Reason.MISSING_FIELD if known else Reason.UNKNOWN_FIELD
            return [], [Rejection(document.name, 0, known[0] if known else "", reason)]
        for raw in reader:
            try:
                row = parse_object({k: v or None for k, v in raw.items()}, fields)
                if document.store_id is not None:
                    row["store_id"] = document.store_id
                if (key := tuple(row[column] for column in contract.key)) in seen:
                    raise Refused(Reason.DUPLICATE_KEY)
                seen.add(key)
                rows.append(row | {SOURCE_LINE: reader.line_num})
            except Refused as refused:
                rejections.append(Rejection(document.name, reader.line_num, refused.field_name, refused.reason))
    except UnicodeDecodeError:
        return [], [Rejection(document.name, 0, "", Reason.NOT_UTF8)]
    except csv.Error:
        return [], [Rejection(document.name, 0, "", Reason.NOT_CSV)]
    return rows, rejections


def _load_yaml(document: Document) -> object:
    try:
        return strict_yaml.load(document.content.decode("utf-8"))
    except UnicodeDecodeError:
        raise Refused(Reason.NOT_UTF8) from None
    except strict_yaml.NotPlainYaml as error:
        raise Refused(Reason.DUPLICATE_FIELD if error.is_key_twice else Reason.NOT_YAML) from None


def _distinct(rows: list[Row], where: str, id_column: str, seen: set[object] | None = None) -> None:
    seen = set() if seen is None else seen
    for index, row in enumerate(rows):
        if row[id_column] in seen:
            raise Refused(Reason.DUPLICATE_KEY, f"{where}[{index}].{id_column}")
        seen.add(row[id_column])


def _rows(value: object) -> list[Row]:
    assert isinstance(value, list)
    return value


def _mapping(value: object) -> Row:
    assert isinstance(value, dict)
    return value


def _nested(fields: Mapping[str, Field]) -> Parse:
    return lambda value: parse_object(value, fields)


def _points(limit: Parse, least: int) -> Parse:
    """A list of [x, y]."""

    def parse(value: object) -> list[list[object]]:
        if not isinstance(value, list) or len(value) < least:
            raise Refused(Reason.WRONG_TYPE)
        for point in value:
            if not isinstance(point, list) or len(point) != 2:
                raise Refused(Reason.WRONG_TYPE)
        return [[limit(coordinate) for coordinate in point] for point in value]

    return parse


def _vector(length: int) -> Parse:
    limit = number(-1e6, 1e6)

    def parse(value: object) -> list[object]:
        if not isinstance(value, list) or len(value) != length:
            raise Refused(Reason.WRONG_TYPE)
        return [limit(element) for element in value]

    return parse


def _matrix(value: object) -> list[object]:
    """A 3x3 matrix, given as rows, kept row by row in one list."""
    if not isinstance(value, list) or len(value) != 3:
        raise Refused(Reason.WRONG_TYPE)
    row_of = _vector(3)
    flat: list[object] = []
    for row in value:
        numbers = row_of(row)
        assert isinstance(numbers, list)
        flat += numbers
    return flat


def _clock_time(value: object) -> str:
    """HH:MM, 24:00 included."""
    if not isinstance(value, str) or not _HH_MM.fullmatch(value):
        raise Refused(Reason.WRONG_TYPE)
    hours, _, minutes = value.partition(":")
    if int(hours) * 60 + int(minutes) > 24 * 60 or int(minutes) > 59:
        raise Refused(Reason.OUT_OF_RANGE)
    return f"{hours}:{minutes}"


def _spelled(parse: Parse, convert: Callable[[str], object]) -> Parse:
    """A number spelled out in a CSV cell, in digits as every program writes them (not 1_000, not other scripts')."""

    def read(value: object) -> object:
        if not isinstance(value, str) or not _SPELLED.fullmatch(value):
            raise Refused(Reason.WRONG_TYPE)
        try:
            return parse(convert(value))
        except ValueError:
            raise Refused(Reason.WRONG_TYPE) from None

    return read


def _calendar_date(value: object) -> date:
    """YYYY-MM-DD from 1900 to 2099: other engines count days before that by another calendar."""
    if not isinstance(value, str) or not _YYYY_MM_DD.fullmatch(value):
        raise Refused(Reason.NOT_A_DATE)
    try:
        found = date.fromisoformat(value)
    except ValueError:
        raise Refused(Reason.NOT_A_DATE) from None
    if not 1900 <= found.year < 2100:
        raise Refused(Reason.OUT_OF_RANGE)
    return found


_NAME = Field(pl.String, text(200))
_ID = Field(pl.String, text_id)
_REAL = Field(pl.Float64, _FLOOR_M)
_EXTENT = Field(pl.Float64, number(1.0, 1000.0))
_LISTED = pl.List(pl.Float64)
_ZONE_M = Field(_LISTED, _points(_FLOOR_M, 3))
_OUTLINE_PX = Field(_LISTED, _points(number(-16_384, 32_768), 3))
_CLOCK = Field(pl.String, _clock_time)

_STORE = {
    "store_id": _ID,
    "name": _NAME,
    "is_simulated": Field(pl.Boolean, flag),
    "timezone": Field(pl.String, one_of(("Asia/Shanghai",))),
    "region": _ID,
    "opening_hours": Field(_LISTED, _nested({"open": _CLOCK, "close": _CLOCK})),
    "floor_m": Field(_LISTED, _nested({"width": _EXTENT, "depth": _EXTENT})),
    "gondolas": Field(_LISTED, list_of({"gondola_id": _ID, "polygon_m": _ZONE_M}, 10_000)),
    "entrance_zone_m": _ZONE_M,
    "exit_zone_m": _ZONE_M,
    "gates": Field(_LISTED, list_of({"gate_id": _ID, "x_m": _REAL, "y_m": _REAL}, 100)),
    "slots": Field(
        _LISTED,
        list_of(
            {
                "slot_id": _ID,
                "gondola_id": _ID,
                "shelf_index": Field(pl.Int16, whole(0, 50)),
                "x_m": _REAL,
                "y_m": _REAL,
                "z_m": _REAL,
                "width_m": Field(pl.Float64, number(0.01, 10.0)),
                "normal_deg": Field(pl.Float64, number(-360.0, 360.0)),
            },
            100_000,
        ),
    ),
}

_CAMERAS_FILE = {
    "cameras": Field(
        _LISTED,
        list_of(
            {
                "camera_id": _ID,
                "kind": Field(pl.String, one_of(("ceiling", "shelf"))),
                "width_px": Field(pl.Int32, whole(1, 16_384)),
                "height_px": Field(pl.Int32, whole(1, 16_384)),
                "fps": Field(pl.Float64, number(0.1, 240.0)),
                "matrix": Field(_LISTED, _matrix),
                "distortion": Field(_LISTED, _vector(5)),
                "rotation": Field(_LISTED, _matrix),
                "translation_m": Field(_LISTED, _vector(3)),
                "slots": Field(_LISTED, list_of({"slot_id": _ID, "polygon_px": _OUTLINE_PX}, 10_000), required=False),
                "zones": Field(_LISTED, list_of({"zone_id": _ID, "polygon_px": _OUTLINE_PX}, 1_000), required=False),
            },
            1_000,
        ),
    )
}

_DATE = Field(pl.Date, _calendar_date)

_CSV: dict[str, tuple[str, Mapping[str, Field]]] = {
    "planogram.csv": (
        "planograms",
        {
            "slot_id": _ID,
            "product_id": _ID,
            "facings": Field(pl.Int16, _spelled(whole(1, 1_000), int)),
            "valid_from": _DATE,
        },
    ),
    "products.csv": (
        "products",
        {
            "product_id": _ID,
            "name": _NAME,
            "category": _NAME,
            "weight_g": Field(pl.Float64, _spelled(number(0.1, 100_000.0), float)),
        },
    ),
    "prices.csv": (
        "prices",
        {
            "product_id": _ID,
            "store_id": _ID,
            "price_fen": Field(pl.Int64, _spelled(whole(1, 1_000_000), int)),
            "valid_from": _DATE,
        },
    ),
}

_YAML: dict[str, Callable[[Document], dict[str, list[Row]]]] = {
    "store.yaml": _read_store,
    "cameras.yaml": _read_cameras,
}

_CONTRACTS = {contract.name: contract for contract in store_reference.TABLES}
