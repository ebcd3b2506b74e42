"""What each visit carried out, as a Dagster asset."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg

from assets.orders.baskets import checks, netting
from lakehouse.contracts import orders, store_reference, vision
from resources.steps.declare import table_assets
from resources.steps.facts import mean
from resources.steps.metadata import Fact
from resources.steps.partitions import STORE_DAYS, store_day_of
from resources.steps.write_path import Report, Tables, TableWrite


@table_assets(
    "baskets",
    [(orders.BASKETS, [vision.SHELF_EVENTS, orders.VISITS, orders.VISIT_TRACKS, store_reference.PRODUCTS])],
    checks=checks.DECLARED,
    partitions_def=STORE_DAYS,
)
def baskets(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """What each visit carried out."""
    day = store_day_of(context)
    events, stays = tables.read(vision.SHELF_EVENTS, day), tables.read(orders.VISITS, day)
    found = netting.net(events, stays, tables.read(orders.VISIT_TRACKS, day))
    results = checks.check_baskets(found.baskets, stays, events, tables.read(store_reference.PRODUCTS))
    facts: dict[str, Fact] = {
        "pieces": int(found.baskets["quantity"].sum()),
        "mean_confidence": mean(found.closings, "confidence_prob"),
        "unattributed_events": found.unattributed.height,
    }
    yield from tables.write(
        context, [TableWrite(orders.BASKETS, found.baskets, results, facts, may_empty=True)], store_day=day
    )
