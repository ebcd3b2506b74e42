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
    counted,
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
from lakehouse.errors import LakehouseError
from lakehouse.tables.commit import CommitInfo
from resources.clock import Clock
from resources.code_version import code_version
from resources.steps.declare import table_assets
from resources.steps.write_path import Report, Tables, TableWrite


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
        counted(PAST_LIMIT, lambda: nothing_past_its_limit(swept.looks, swept.moment)),
        counted(AHEAD_OF_TIME, lambda: nothing_ahead_of_time(swept.looks, swept.moment)),
        counted(UNCLAIMED, lambda: every_file_is_claimed(settings.home)),
        counted(CLOCK, lambda: clock_is_believed(judged)),
    ]
    # Before the ledger, which may fail: what was deleted is noted, and the next sweep enters it.
    trimmed = trim_daily(lake, swept.moment)
    if trimmed.tables:
        files = sum(table.data_files_removed for table in trimmed.tables)
        context.log.info(f"{len(trimmed.tables)} tables trimmed, {files} replaced files unlinked")
    troubles = [*swept.failures, *trimmed.failures, *([judged.words] if judged.doubt else [])]
    try:
        yield from tables.write(context, [TableWrite(SWEEPS, swept.ledger, found, facts)])
        close_journal(lake, swept.ledger)
    except (dg.Failure, LakehouseError) as error:
        troubles.append(f"the ledger was not written, and its rows stay noted: {error}")
    except Exception as error:  # noqa: BLE001 - of whatever kind: it must not hide what else went wrong
        troubles.append(f"the ledger was not written, or its notes not closed: {type(error).__name__}")
    if swept.places_left:
        troubles.append(f"{swept.places_left} places still hold what is due")
    if troubles:
        # Everything was tried, and the next sweep comes in ten minutes: trying again at once would change nothing.
        raise dg.Failure(f"not everything is as it should be: {'; '.join(troubles)}", allow_retries=False)
