"""The sweep and its ledger, as a Dagster asset."""

# No postponed annotations here: Dagster reads the annotation of the context when the decorator runs.

from collections.abc import Iterator

import dagster as dg

from assets.privacy.places import file_places
from assets.privacy.retention.checks import (
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
from assets.privacy.retention.due import SWEPT_TABLES
from assets.privacy.retention.notes import close_journal
from assets.privacy.retention.sweep import sweep
from assets.privacy.retention.sweep_moment import find_moment
from assets.privacy.retention.trimming import trim_daily
from lakehouse.contracts.privacy import SWEEPS
from lakehouse.tables.commit import CommitInfo
from resources.clock import Clock
from resources.code_version import code_version
from resources.steps.declare import table_assets
from resources.steps.write_path import Report, Tables, TableWrite, checked


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
        checked(PAST_LIMIT, lambda: nothing_past_its_limit(swept.looks, swept.moment)),
        checked(AHEAD_OF_TIME, lambda: nothing_ahead_of_time(swept.looks, swept.moment)),
        checked(UNCLAIMED, lambda: every_file_is_claimed(settings.home)),
        checked(CLOCK, lambda: clock_is_believed(judged)),
    ]
    # Before the ledger, which may fail: what was deleted is noted, and the next sweep enters it.
    trimmed = trim_daily(lake, swept.moment)
    if trimmed.tables:
        files = sum(table.data_files_removed for table in trimmed.tables)
        context.log.info(f"{len(trimmed.tables)} tables trimmed, {files} replaced files unlinked")
    yield from tables.write(context, [TableWrite(SWEEPS, swept.ledger, found, facts)])
    close_journal(lake, swept.ledger)
    troubles = [*swept.failures, *trimmed.failures, *([judged.words] if judged.doubt else [])]
    if swept.places_left:
        troubles.append(f"{swept.places_left} places still hold what is due")
    if troubles:
        # Everything was tried, and the next sweep comes in ten minutes: trying again at once would change nothing.
        raise dg.Failure(f"not everything is as it should be: {'; '.join(troubles)}", allow_retries=False)
