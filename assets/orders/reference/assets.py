"""Reference data as the stores deliver it, as Dagster assets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import dagster as dg
import polars as pl

from assets.orders.reference import checks, documents
from lakehouse.contracts import store_reference
from resources.landing import days
from resources.steps.declare import table_assets
from resources.steps.partitions import FIRST_DATE
from resources.steps.specs import of_table
from resources.steps.store_digests import digests_of
from resources.steps.write_path import Report, Tables, TableWrite


@table_assets(
    "reference_tables",
    [(t, []) for t in store_reference.TABLES],
    checks=checks.DECLARED,
)
def reference_tables(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """Floor plans, cameras, slots, planograms, products and prices, as the stores deliver them."""
    landing, now = tables.workplace.landing(), tables.clock.now()
    batch = landing.read_reference()
    found = documents.read_documents(batch.documents)
    # Checked as the tables will be: a delivery may rest on what came before.
    after = {
        table.name: _upserted(tables.read(table), found.frames[table.name], table.key)
        for table in store_reference.TABLES
    }
    results = checks.check_reference(
        **{name: after[name] for name in ("slots", "slot_views", "cameras", "planograms", "products", "prices")}
    )
    refused = len(batch.rejections) + len(found.rejections)
    # Before anything is written: a delivery that belongs nowhere does not wait for sound reference data.
    strays = days.refuse_strays(
        landing,
        tables.workplace.settings().footage_root,
        date.fromisoformat(FIRST_DATE),
        now,
        set(after["stores"]["store_id"]),
    )
    yield from tables.write(
        context,
        [
            TableWrite(
                table,
                found.frames[table.name],
                of_table(checks.DECLARED, table.path, results),
                {
                    "rows_in_table": after[table.name].height,
                    "refused": refused,
                    "strays_refused": strays.rejected_files,
                    **digests_of(after[table.name]),
                },
            )
            for table in store_reference.TABLES
        ],
    )
    landing.consume(batch, now=now, refused=found.rejections)


def _upserted(known: pl.DataFrame, arriving: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    return pl.concat([known.join(arriving, on=list(key), how="anti"), arriving])
