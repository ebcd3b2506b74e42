"""The privacy domain's steps: accounts as they land, and the sweep with its ledger."""

# No postponed annotations here: Dagster reads the annotation of the context when the decorator runs.

from collections.abc import Iterator

import dagster as dg

from assets.privacy import accounts as account_rows
from assets.privacy.checks import SWEEP_CHECKS, nothing_past_its_limit
from assets.privacy.expired import SWEPT_TABLES, FootagePlace
from assets.privacy.sweep import close_journal, sweep
from lakehouse.commit import CommitInfo
from lakehouse.contracts.privacy import ACCOUNTS, SWEEPS
from lakehouse.objects import object_store
from resources.clock import Clock
from resources.code_version import code_version
from resources.lake import Report, Tables, TableWrite, checked
from resources.landing_formats import ACCOUNTS as ACCOUNTS_FORMAT
from resources.settings import Settings
from resources.table_assets import table_assets


@table_assets("accounts", [(ACCOUNTS, ())])
def accounts(context: dg.AssetExecutionContext, tables: Tables, clock: Clock) -> Iterator[Report]:
    """Accounts from landing/accounts."""
    landing = tables.workplace.landing()
    batch = landing.read(ACCOUNTS_FORMAT)
    facts = {"lines_landed": batch.frame.height, "lines_refused": len(batch.rejections)}
    yield from tables.write(context, [TableWrite(ACCOUNTS, account_rows.from_landing(batch.frame), facts=facts)])
    landing.consume(batch, now=clock.now())


@table_assets("sweeps", [(SWEEPS, SWEPT_TABLES)], checks={SWEEPS.path: SWEEP_CHECKS})
def sweeps(context: dg.AssetExecutionContext, tables: Tables, clock: Clock) -> Iterator[Report]:
    """Removes what has reached the end of its life, and enters it in the ledger."""
    settings, lake, now = tables.workplace.settings(), tables.workplace.lake(), clock.now()
    places = footage_places(settings)
    swept = sweep(lake, places, commit=CommitInfo(context.run_id, code_version()), now=now)
    facts = {
        "places_swept": swept.ledger.height,
        "rows_removed_in_all": int(swept.ledger["rows_removed"].sum()),
        "files_removed": int(swept.ledger["files_removed"].sum()),
        "bytes_removed": int(swept.ledger["bytes_removed"].sum()),
        "days_sealed": len(swept.sealed),
    }
    late = checked("nothing_past_its_limit", lambda: nothing_past_its_limit(lake, places, now))
    yield from tables.write(context, [TableWrite(SWEEPS, swept.ledger, [late], facts)])
    close_journal(lake)


def footage_places(settings: Settings) -> tuple[FootagePlace, ...]:
    """Every folder that may hold clips: where they live, where they land, and where refused ones are kept."""
    landing = object_store(str(settings.landing_root))
    return (
        FootagePlace(object_store(str(settings.footage_root)), "", "footage"),
        FootagePlace(landing, "footage", "landing/footage"),
        FootagePlace(landing, "rejected/footage", "landing/rejected/footage"),
    )


ASSETS = [accounts, sweeps]
