"""What a contract says to the table format: Delta schema and properties, Parquet footers, statistics in the
log.

A minimum or a maximum is a value of somebody's row, and it outlives the row in logs and footers. So
statistics are written for harmless columns only, there is no change feed, and replaced files and old log
entries keep no grace time.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.contract import TableContract

VERSION_PROPERTY = "openaisle.contractVersion"
_BOUNDED = (
    pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.Float32, pl.Float64, pl.Date, pl.Datetime,
)  # fmt: skip


def table_properties(contract: TableContract) -> dict[str, str]:
    """Delta table properties."""
    return {
        "delta.dataSkippingStatsColumns": ",".join(bounded_columns(contract)),
        "delta.enableChangeDataFeed": "false",
        "delta.logRetentionDuration": "interval 0 seconds",
        "delta.deletedFileRetentionDuration": "interval 0 seconds",
        # Trimming has an order (maintenance.trim_log); a commit that trims by itself would break it.
        "delta.enableExpiredLogCleanup": "false",
        VERSION_PROPERTY: str(contract.version),
    }


def arrow_schema(contract: TableContract, *, with_partition: bool = True) -> pa.Schema:
    """Arrow schema with nullability and descriptions; without partition columns it is a data file's."""
    plain = pl.DataFrame(schema=contract.schema).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    fields = []
    for column in contract.columns:
        if with_partition or column.name not in contract.partition_by:
            comment = column.description + (f" [{column.unit}]" if column.unit else "")
            fields.append(plain.field(column.name).with_nullable(column.nullable).with_metadata({"comment": comment}))
    return pa.schema(fields)


def bounded_columns(contract: TableContract) -> tuple[str, ...]:
    """Harmless numbers and instants: the columns whose bounds may lie in the log and in the footers."""
    return tuple(
        column.name
        for column in contract.columns
        if column.name in contract.harmless_columns
        and column.name not in contract.partition_by
        and any(column.dtype == dtype for dtype in _BOUNDED)
    )


def encode_parquet(contract: TableContract, rows: pl.DataFrame) -> bytes:
    """One partition's rows as a Parquet file. The same rows give the same bytes.

    `rows` has the contract's columns; its partition columns are left out, as Delta has it.
    """
    schema = arrow_schema(contract, with_partition=False).remove_metadata()
    table = rows.select(schema.names).to_arrow(compat_level=pl.CompatLevel.oldest())
    table = pa.Table.from_arrays(table.columns, schema=pa.schema([f.remove_metadata() for f in schema]))
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        write_statistics=list(bounded_columns(contract)) or False,
        write_page_index=False,
        # The Arrow schema in the footer would repeat what the Delta schema says.
        store_schema=False,
        version="2.6",
    )
    return bytes(sink.getvalue())


def file_statistics(contract: TableContract, rows: pl.DataFrame) -> str:
    """The statistics of one file as Delta's log wants them: row count, and bounds of harmless columns."""
    low: dict[str, object] = {}
    high: dict[str, object] = {}
    nulls: dict[str, int] = {}
    for name in bounded_columns(contract):
        values = rows.get_column(name)
        bounds = (_plain(values.min()), _plain(values.max()))
        is_float_with_nan = values.dtype.is_float() and bool(values.is_nan().any())
        if None in bounds or is_float_with_nan:
            continue
        nulls[name] = values.null_count()
        low[name], high[name] = bounds
    found: Mapping[str, object] = {
        "numRecords": rows.height,
        "minValues": low,
        "maxValues": high,
        "nullCount": nulls,
    }
    return json.dumps(found, sort_keys=True)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
