"""The privacy domain's steps: accounts as they land, and the sweep with its ledger."""

# No postponed annotations here: Dagster reads the annotation of the context when the decorator runs.

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from assets.privacy import accounts as account_rows
from assets.privacy.checks import (
    AHEAD_OF_TIME,
    CLOCK,
    PAST_LIMIT,
    SWEEP_CHECKS,
    UNCLAIMED,
    clock_is_believed,
    every_file_is_claimed,
    nothing_ahead_of_time,
    nothing_past_its_limit,
)
from assets.privacy.expired import SWEPT_TABLES, FilePlace
from assets.privacy.sweep import close_journal, sweep
from assets.privacy.sweep_moment import find_moment
from assets.privacy.trimming import trim_daily
from lakehouse.commit import CommitInfo
from lakehouse.contracts.privacy import ACCOUNTS, SWEEPS
from lakehouse.objects import object_store
from resources.clock import Clock
from resources.code_version import code_version
from resources.lake import Report, Tables, TableWrite, checked
from resources.landing_formats import ACCOUNTS as ACCOUNTS_FORMAT
from resources.settings import Settings
from resources.table_assets import table_assets

# A picture is drawn of movement that may be 70 hours old already: review ends an hour before the evidence
# goes.
SCRATCH_LIMIT = timedelta(hours=2)

# Nobody reads a file that a killed delivery left half written, and the next delivery writes its own. A day is longer
# than any delivery takes.
UNFINISHED_LIMIT = timedelta(hours=24)


@table_assets("accounts", [(ACCOUNTS, ())])
def accounts(context: dg.AssetExecutionContext, tables: Tables, clock: Clock) -> Iterator[Report]:
    """Accounts from landing/accounts."""
    landing = tables.workplace.landing()
    batch = landing.read(ACCOUNTS_FORMAT)
    facts = {"lines_landed": batch.frame.height, "lines_refused": len(batch.rejections)}
    yield from tables.write(context, [TableWrite(ACCOUNTS, account_rows.from_landing(batch.frame), facts=facts)])
    landing.consume(batch, now=clock.now())


@table_assets("sweeps", [(SWEEPS, SWEPT_TABLES)], checks={SWEEPS.path: SWEEP_CHECKS}, pool="sweep")
def sweeps(context: dg.AssetExecutionContext, tables: Tables, clock: Clock) -> Iterator[Report]:
    """Removes what has reached the end of its life, and enters it in the ledger. Fails if anything due is
    left, or if the clock is in doubt."""
    settings, lake, reading = tables.workplace.settings(), tables.workplace.lake(), clock.reading()
    if reading.is_simulated and settings.file.environment == "production":
        raise dg.Failure("a clock that is set by hand sweeps nothing in production", allow_retries=False)
    places = file_places(settings)
    judged = find_moment(lake, places, reading)
    if judged.at is None:
        raise dg.Failure(judged.words, allow_retries=False)
    swept = sweep(lake, places, commit=CommitInfo(context.run_id, code_version()), now=judged.at)
    facts = {
        "places_swept": swept.ledger.height,
        "places_left": swept.places_left,
        "rows_removed_in_all": int(swept.ledger["rows_removed"].sum()),
        "files_removed": int(swept.ledger["files_removed"].sum()),
        "bytes_removed": int(swept.ledger["bytes_removed"].sum()),
        "days_sealed": len(swept.sealed),
    }
    found = [
        checked(PAST_LIMIT, lambda: nothing_past_its_limit(lake, places, swept.seen, swept.moment)),
        checked(AHEAD_OF_TIME, lambda: nothing_ahead_of_time(lake, swept.moment)),
        checked(UNCLAIMED, lambda: every_file_is_claimed(settings.home)),
        checked(CLOCK, lambda: clock_is_believed(judged)),
    ]
    yield from tables.write(context, [TableWrite(SWEEPS, swept.ledger, found, facts)])
    close_journal(lake, swept.ledger)
    if swept.failures or swept.places_left:
        what = "; ".join((*swept.failures, f"{swept.places_left} places still hold what is due"))
        raise dg.Failure(f"not everything is gone: {what}")
    trimmed = trim_daily(lake, swept.moment)
    if trimmed:
        files = sum(table.data_files_removed for table in trimmed)
        context.log.info(f"{len(trimmed)} tables trimmed, {files} replaced files unlinked")
    if judged.doubt is not None:
        raise dg.Failure(judged.words, allow_retries=False)


def file_places(settings: Settings) -> tuple[FilePlace, ...]:
    """Every folder that may hold footage: where clips live, where they land, where refused ones are kept;
    what deliveries left half written; and the scratch folder, where reviewers' pictures lie."""
    landing = object_store(str(settings.landing_root))
    return (
        FilePlace(landing, "footage", "landing/footage"),
        FilePlace(landing, "rejected/footage", "landing/rejected/footage"),
        FilePlace(landing, "", "landing/unfinished", UNFINISHED_LIMIT, only_unfinished=True),
        FilePlace(object_store(str(settings.footage_root)), "", "footage"),
        FilePlace(object_store(str(settings.sinks["tmp"])), "", "tmp", SCRATCH_LIMIT),
    )


ASSETS = [accounts, sweeps]
