"""Small tables that only the storage tests use, one per write mode, and rows for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from lakehouse.contract import AppendOnce, Column, Layer, Pii, ReplacePartition, RetentionClass, TableContract, Upsert
from lakehouse.contracts.columns import BUSINESS_DATE, CAPTURE_HOUR, STORE_ID, instant
from lakehouse.store_day import StoreDay
from lakehouse.tables.commit import CommitInfo

DAY = StoreDay("s001", date(2026, 11, 22))
NOW = DAY.end_at
INFO = CommitInfo("run-1", "code-1", "model-1", "planogram-1")

SIGHTS = TableContract(
    domain="probe",
    name="sights",
    layer=Layer.SILVER,
    version=1,
    description="Hourly rows with a personal number, text and list.",
    columns=(
        STORE_ID,
        CAPTURE_HOUR,
        Column("row_id", pl.Int64, "Row."),
        instant("captured_at", "When."),
        Column("person", pl.String, "Who.", pii=Pii.PERSONAL),
        Column("x_m", pl.Float64, "Where.", "m", Pii.SENSITIVE),
        Column("looks", pl.List(pl.Float64), "How.", pii=Pii.SENSITIVE),
    ),
    key=("row_id",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.MOVEMENT,
    purposes=("transaction",),
    partition_by=("store_id", "capture_hour"),
    clock_column="captured_at",
    subject_column="person",
)
CLIPS = replace(SIGHTS, name="clips", retention=RetentionClass.FOOTAGE)
TOTALS = TableContract(
    domain="probe",
    name="totals",
    layer=Layer.GOLD,
    version=1,
    description="Daily rows.",
    columns=(
        STORE_ID,
        BUSINESS_DATE,
        Column("row_id", pl.Int64, "Row."),
        Column("amount_fen", pl.Int64, "Sum.", "fen"),
    ),
    key=("row_id",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.ACCOUNT,
    purposes=("transaction",),
    partition_by=("store_id", "business_date"),
)
LEDGER = replace(TOTALS, name="ledger", write_mode=AppendOnce())
CARDS = replace(TOTALS, name="cards", write_mode=Upsert())
PLAIN_CARDS = replace(TOTALS, name="plain_cards", write_mode=Upsert(), partition_by=())


def sights(
    hours: Sequence[str],
    rows_per_hour: int = 3,
    *,
    seed: int = 0,
    store_id: str = "s001",
    table: TableContract = SIGHTS,
) -> pl.DataFrame:
    """Rows of SIGHTS spread over the given capture hours; another seed gives other values under the same
    keys."""
    rows = []
    for hour in hours:
        start = datetime.strptime(hour, "%Y-%m-%dT%HZ").replace(tzinfo=UTC)
        for index in range(rows_per_hour):
            row_id = int(start.timestamp()) + index
            rows.append(
                {
                    "store_id": store_id,
                    "capture_hour": hour,
                    "row_id": row_id,
                    "captured_at": start + timedelta(seconds=index),
                    "person": f"person-{row_id % 7}",
                    "x_m": 1000.0 * seed + index,
                    "looks": [float(seed), float(index)],
                }
            )
    return pl.DataFrame(rows, schema=table.schema)


def totals(rows: dict[int, int], day: StoreDay = DAY, table: TableContract = TOTALS) -> pl.DataFrame:
    """Rows of TOTALS: row_id -> amount_fen."""
    return pl.DataFrame(
        {
            "store_id": [day.store_id] * len(rows),
            "business_date": [day.business_date.isoformat()] * len(rows),
            "row_id": list(rows),
            "amount_fen": list(rows.values()),
        },
        schema=table.schema,
    )


def file_contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by relative path."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def data_files(folder: Path) -> set[str]:
    """The Parquet files of a table, without its log."""
    return {name for name in file_contents(folder) if not name.startswith("_delta_log/")}
