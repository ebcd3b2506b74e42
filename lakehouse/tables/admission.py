"""What the writer lets in. All checks come before any file is written; they count, and none quotes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import product

import polars as pl

from lakehouse.contract import TableContract
from lakehouse.errors import CaptureHourExpired, ContractViolation, OutsidePartition, SchemaMismatch, StoreDaySealed
from lakehouse.lake import Lake
from lakehouse.life import expiry, seals
from lakehouse.life.expiry import HOUR_COLUMN
from lakehouse.store_day import StoreDay, hour_start

Partition = Mapping[str, Sequence[str]]
"""Per partition column the values to replace or to read; all their combinations are meant."""
Cell = tuple[str, ...]
"""One combination of partition values, in the contract's order. An unpartitioned table has the one cell
()."""
DATE_COLUMN = "business_date"
_FOLDER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def check_frame(contract: TableContract, frame: pl.DataFrame) -> None:
    """Columns and types are the contract's, promised values are there, keys unique, labels true."""
    _check_schema(contract, frame.schema)
    for column in contract.columns:
        if not column.nullable and (missing := frame.get_column(column.name).null_count()):
            raise ContractViolation(contract.path, "values are missing", column=column.name, count=missing)
    if repeated := frame.height - frame.select(pl.struct(contract.key).n_unique()).item():
        raise ContractViolation(contract.path, f"rows repeat the key ({', '.join(contract.key)})", count=repeated)
    for name in contract.partition_by:
        if bad := sum(not _is_label(name, value) for value in frame.get_column(name).unique()):
            raise ContractViolation(contract.path, "values cannot name a partition", column=name, count=bad)
    if HOUR_COLUMN in contract.partition_by:
        _check_hours(contract, frame)
    elif expiry.limit_of(contract) is not None:
        raise ContractViolation(contract.path, "a table with a limited life needs capture_hour partitions")


def _check_schema(contract: TableContract, found: pl.Schema) -> None:
    expected = contract.schema
    if found == expected and list(found) == list(expected):
        return
    if absent := [name for name in expected if name not in found]:
        raise SchemaMismatch(contract.path, f"columns are absent: {', '.join(absent)}")
    if unknown := len(set(found) - set(expected)):
        raise SchemaMismatch(contract.path, "columns are not in the contract", count=unknown)
    for name, dtype in expected.items():
        if found[name] != dtype:
            raise SchemaMismatch(contract.path, f"is {found[name]}, the contract says {dtype}", column=name)
    raise SchemaMismatch(contract.path, "columns are not in the contract's order")


def _check_hours(contract: TableContract, frame: pl.DataFrame) -> None:
    """Labels are never later than the row's own clock: a later label would lengthen its life."""
    if contract.clock_column is None or frame.is_empty():
        return
    starts = {label: hour_start(label) for label in frame.get_column(HOUR_COLUMN).unique()}
    start = pl.col(HOUR_COLUMN).replace_strict(starts, return_dtype=pl.Datetime("us", "UTC"))
    if late := frame.filter(start > pl.col(contract.clock_column)).height:
        reason = f"labels are later than {contract.clock_column}"
        raise ContractViolation(contract.path, reason, column=HOUR_COLUMN, count=late)


def check_partition(contract: TableContract, frame: pl.DataFrame, partition: Partition) -> None:
    """The partition names exactly the table's partition columns, and every row lies in it."""
    if set(partition) != set(contract.partition_by):
        wanted = ", ".join(contract.partition_by) or "nothing"
        raise OutsidePartition(contract.path, f"a partition of this table names {wanted}")
    for name, values in partition.items():
        if isinstance(values, str) or not values or not all(_is_label(name, value) for value in values):
            raise OutsidePartition(contract.path, "a partition is a list of labels", column=name)
        if outside := frame.filter(~pl.col(name).is_in(list(values))).height:
            raise OutsidePartition(
                contract.path, "rows lie outside the partition to replace", column=name, count=outside
            )


def cells_of_partition(contract: TableContract, partition: Partition) -> list[Cell]:
    """All cells of a partition, in order."""
    return sorted(product(*(dict.fromkeys(partition[name]) for name in contract.partition_by)))


def cells_of_rows(contract: TableContract, frame: pl.DataFrame) -> list[Cell]:
    """The cells that rows lie in, in order."""
    if not contract.partition_by:
        return [()]
    return sorted(frame.select(contract.partition_by).unique().iter_rows())


def _is_label(column: str, value: str) -> bool:
    try:
        if column == HOUR_COLUMN:
            hour_start(value)
        if column == DATE_COLUMN:
            return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
    return _FOLDER_NAME.fullmatch(value) is not None


def check_still_open(lake: Lake, contract: TableContract, cells: Iterable[Cell], now: datetime) -> None:
    """Raises if the capture hour of any cell has expired or its store-day is sealed. Then all of it is refused."""
    labels = [dict(zip(contract.partition_by, cell, strict=True)) for cell in cells]
    hours = {label[HOUR_COLUMN] for label in labels if HOUR_COLUMN in label}
    if expired := sum(expiry.is_expired(contract, hour, now) for hour in hours):
        raise CaptureHourExpired(contract.path, "capture hours have expired", count=expired)
    if not seals.is_sealable(contract):
        return
    if closed := sum(seals.is_sealed(lake, day) for day in {_day_of(label) for label in labels}):
        raise StoreDaySealed(contract.path, "store-days are sealed", count=closed)


def _day_of(label: Mapping[str, str]) -> StoreDay:
    if HOUR_COLUMN in label:
        return StoreDay.of_hour(label["store_id"], label[HOUR_COLUMN])
    return StoreDay(label["store_id"], date.fromisoformat(label[DATE_COLUMN]))
