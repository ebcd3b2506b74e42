"""Personal values are in the live rows and nowhere else: not in logs, checkpoints or footers, and after a
drop nowhere.

The scan looks for the values' bytes in every file as it lies, and in every Parquet file as it decodes (a
compressed or dictionary-coded value hides from the first).
"""

from __future__ import annotations

import io
import struct
from datetime import timedelta
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

from lakehouse.contract import Pii
from lakehouse.contracts import CONTRACTS
from lakehouse.lake import Lake
from lakehouse.tables.properties import bounded_columns, encode_parquet, table_properties
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import replace_partition
from lakehouse.upkeep.expired_hours import drop_expired
from lakehouse.upkeep.log_trimming import trim_logs
from tests.lakehouse.small_tables import DAY, INFO, NOW, SIGHTS, file_contents, sights

HOURS = list(DAY.capture_hours[:2])
PHONE, POSITION, LOOK = "13912345678", 1234.56789, 0.123456789
FIRST_HOUR_GONE = DAY.start_at + timedelta(hours=71, minutes=30)


def personal_rows() -> pl.DataFrame:
    """All rows carry the needles, so that every minimum and maximum is one."""
    return sights(HOURS, 50).with_columns(
        person=pl.lit(PHONE), x_m=pl.lit(POSITION), looks=pl.lit([LOOK], pl.List(pl.Float64))
    )


def needles() -> list[bytes]:
    texts = [PHONE, str(POSITION), str(LOOK)]
    return [text.encode() for text in texts] + [struct.pack("<d", value) for value in (POSITION, LOOK)]


def has_needle(data: bytes) -> bool:
    return any(needle in data for needle in needles())


def decoded(data: bytes) -> bytes:
    """Everything a Parquet file says once it is decompressed, as text and as numbers."""
    table = pq.read_table(io.BytesIO(data))
    rows = pl.DataFrame(table)
    return repr(table.to_pydict()).encode() + b"".join(
        struct.pack(f"<{rows.height}d", *rows.get_column(name).fill_null(0.0))
        for name, dtype in rows.schema.items()
        if dtype == pl.Float64
    )


def footer(data: bytes) -> bytes:
    length = int.from_bytes(data[-8:-4], "little")
    return data[-8 - length :]


def places_with_needles(folder: Path) -> set[str]:
    return {
        name
        for name, data in file_contents(folder).items()
        if has_needle(data) or (name.endswith(".parquet") and has_needle(decoded(data)))
    }


def test_the_scan_would_find_what_it_looks_for(lake: Lake) -> None:
    replace_partition(lake, SIGHTS, personal_rows(), DAY.partition(SIGHTS), commit=INFO, now=NOW)
    folder = Path(lake.uri(SIGHTS))
    (folder / "_delta_log/careless.json").write_text(f'{{"max": "{PHONE}"}}')
    assert "_delta_log/careless.json" in places_with_needles(folder)
    careless = io.BytesIO()
    pq.write_table(personal_rows().to_arrow(), careless, write_statistics=True)
    assert has_needle(footer(careless.getvalue()))


def test_after_writes_only_the_data_pages_hold_personal_values(lake: Lake) -> None:
    partition = DAY.partition(SIGHTS)
    replace_partition(lake, SIGHTS, personal_rows(), partition, commit=INFO, now=NOW)
    more = pl.concat([personal_rows(), personal_rows().with_columns(row_id=pl.col("row_id") + 10_000)])
    replace_partition(lake, SIGHTS, more, partition, commit=INFO, now=NOW)
    folder = Path(lake.uri(SIGHTS))
    DeltaTable(folder).create_checkpoint()
    contents = file_contents(folder)
    assert any(name.endswith(".checkpoint.parquet") for name in contents)
    assert {name.split("/")[0] for name in places_with_needles(folder)} == {"store_id=s001"}
    for name, data in contents.items():
        if name.startswith("store_id="):
            assert not has_needle(footer(data)), name


def test_statistics_are_there_for_harmless_columns_only(lake: Lake) -> None:
    data = pq.read_metadata(io.BytesIO(encode_parquet(SIGHTS, personal_rows())))
    columns = [data.row_group(0).column(index) for index in range(data.num_columns)]
    with_statistics = {column.path_in_schema for column in columns if column.is_stats_set}
    assert with_statistics == {"row_id", "captured_at"}
    assert not any(column.has_column_index for column in columns)
    replace_partition(lake, SIGHTS, personal_rows(), DAY.partition(SIGHTS), commit=INFO, now=NOW)
    actions = pl.DataFrame(DeltaTable(lake.uri(SIGHTS)).get_add_actions(flatten=True))
    bounded = {name.split(".", 1)[1] for name in actions.columns if name.startswith(("min.", "max."))}
    assert bounded == {"row_id", "captured_at"}


def test_after_drop_and_trim_the_hour_is_nowhere_and_its_neighbour_everywhere(lake: Lake) -> None:
    partition = DAY.partition(SIGHTS)
    harmless = sights(HOURS[1:], 50)
    dying = personal_rows().filter(pl.col("capture_hour") == HOURS[0])
    replace_partition(lake, SIGHTS, pl.concat([dying, harmless]), partition, commit=INFO, now=NOW)
    # An earlier version of the dying hour too: replaced rows are rows.
    replace_partition(lake, SIGHTS, pl.concat([dying.head(10), harmless]), partition, commit=INFO, now=NOW)
    folder = Path(lake.uri(SIGHTS))
    assert len(places_with_needles(folder)) == 2
    drop_expired(lake, SIGHTS, commit=INFO, now=FIRST_HOUR_GONE)
    assert places_with_needles(folder) == set()
    trim_logs(lake, [SIGHTS])
    assert places_with_needles(folder) == set()
    assert not any(HOURS[0] in path.name for path in folder.rglob("*"))
    assert scan(lake, SIGHTS).collect().sort("row_id").equals(harmless)


@pytest.mark.parametrize("table", CONTRACTS.values(), ids=lambda table: table.path)
def test_no_table_of_the_project_keeps_bounds_of_personal_columns(table: object) -> None:
    from lakehouse.contract import TableContract

    assert isinstance(table, TableContract)
    assert all(table.column(name).pii is Pii.NONE for name in bounded_columns(table))
    properties = table_properties(table)
    assert properties["delta.dataSkippingStatsColumns"] == ",".join(bounded_columns(table))
    assert properties["delta.enableChangeDataFeed"] == "false"
