"""What was refused of deliveries, and what is stuck, as a Dagster asset."""

from collections.abc import Iterator

import dagster as dg

from assets.privacy.deliveries.checks import DECLARED, NONE_REFUSED, NONE_STUCK, none_refused, none_stuck
from assets.privacy.deliveries.leftovers import find_leftovers
from assets.privacy.deliveries.rows import refused_deliveries as rows_of
from lakehouse.contracts.privacy import REFUSED_DELIVERIES
from resources.clock import Clock
from resources.landing.deliveries import DELIVERIES
from resources.name_key import name_key
from resources.steps.declare import table_assets
from resources.steps.write_path import Report, Tables, TableWrite, checked


@table_assets("refused_deliveries", [(REFUSED_DELIVERIES, ())], checks={REFUSED_DELIVERIES.path: DECLARED})
def refused_deliveries(context: dg.AssetExecutionContext, tables: Tables, clock: Clock) -> Iterator[Report]:
    """Looks into landing and landing/rejected; made anew each time, so that what was mended or has died is gone."""
    settings = tables.workplace.settings()
    leftovers = find_leftovers(settings.landing_root, tuple(DELIVERIES))
    found = rows_of(leftovers, name_key(settings), clock.now())
    results = [checked(NONE_REFUSED, lambda: none_refused(found)), checked(NONE_STUCK, lambda: none_stuck(found))]
    by_reason = {f"refused_{reason or 'stuck'}": count for reason, count in found["reason"].value_counts().iter_rows()}
    facts = {"files": found["file_key"].n_unique(), **by_reason}
    yield from tables.write(context, [TableWrite(REFUSED_DELIVERIES, found, results, facts, may_empty=True)])
