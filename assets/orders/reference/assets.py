"""Reference data as the stores deliver it, as Dagster assets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import dagster as dg

from assets.orders.reference import checks, documents, intake
from assets.orders.reference.settings import ReferenceSettings
from lakehouse.contracts import store_reference
from resources.landing import days
from resources.landing.folder import landed_after
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
    found = intake.take(
        documents.read_documents(batch.documents),
        {table.name: tables.read(table) for table in store_reference.TABLES},
        may_wait=landed_after(batch.files, tables.now() - ReferenceSettings().patience),
    )
    # Checked as the tables will be: a delivery may rest on what came before.
    after = found.tables
    results = checks.check_waiting(found.waiting) + checks.check_reference(
        **{name: after[name] for name in ("slots", "slot_views", "cameras", "planograms", "products", "prices")}
    )
    refused = len(batch.rejections) + len(found.refused)
    for waits in found.first_waiting:
        where = f"line {waits.line}: {waits.field}" if waits.line else waits.field
        context.log.warning(f"{waits.file} stays in landing for now: {where} names what is not known yet")
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
                found.rows[table.name],
                of_table(checks.DECLARED, table.path, results),
                {
                    "rows_in_table": after[table.name].height,
                    "refused": refused,
                    "waiting": len(found.waiting),
                    "strays_refused": strays.rejected_files,
                    **digests_of(after[table.name]),
                },
            )
            for table in store_reference.TABLES
        ],
    )
    landing.consume(batch.without(found.waiting_files), now=now, refused=found.refused)
