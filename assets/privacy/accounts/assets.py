"""Accounts as they land, as a Dagster asset."""

from collections.abc import Iterator

import dagster as dg

from assets.privacy.accounts import rows
from lakehouse.contracts.privacy import ACCOUNTS
from resources.clock import Clock
from resources.landing.deliveries import ACCOUNTS as ACCOUNTS_FORMAT
from resources.steps.declare import table_assets
from resources.steps.write_path import Report, Tables, TableWrite


@table_assets("accounts", [(ACCOUNTS, ())])
def accounts(context: dg.AssetExecutionContext, tables: Tables, clock: Clock) -> Iterator[Report]:
    """Accounts from landing/accounts."""
    landing = tables.workplace.landing()
    batch = landing.read(ACCOUNTS_FORMAT)
    facts = {"lines_landed": batch.frame.height, "lines_refused": len(batch.rejections)}
    yield from tables.write(context, [TableWrite(ACCOUNTS, rows.from_landing(batch.frame), facts=facts)])
    landing.consume(batch, now=clock.now())
