"""One sweep: unlinks expired files, seals the store-days whose evidence begins to go, drops expired hours from tables,
looks again, and says what the ledger has to hold.

Every folder, table, file, day and note is tried by itself, and what failed is named at the end: deletion never waits
for anything that is not its own. Files go first, for they need nobody's lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

import polars as pl

from assets.privacy.places import FilePlace
from assets.privacy.retention.due import (
    SWEPT_TABLES,
    Content,
    FirstSeen,
    Listing,
    Place,
    Seen,
    contents_of,
    count_files,
    expired_files,
    known_days,
    list_folder,
    look_at_undated,
    see_folder,
    see_table,
    sort_files,
    unseen,
)
from assets.privacy.retention.notes import (
    Due,
    Failures,
    ledger_row,
    read_first_seen,
    read_journal,
    write_first_seen,
    write_journal,
)
from lakehouse.contract import RetentionClass, TableContract
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.privacy import SWEEPS
from lakehouse.contracts.retention import DROP_MARGIN
from lakehouse.errors import LeaseUnavailable
from lakehouse.files.objects import StoredObject
from lakehouse.lake import Lake
from lakehouse.life import expiry, seals
from lakehouse.store_day import StoreDay
from lakehouse.tables.admission import Cell
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.snapshot import take_snapshot
from lakehouse.upkeep.expired_hours import drop_expired
from lakehouse.upkeep.hour_contents import TableHours, read_hours
from resources.landing.footage import SIDECAR_SUFFIX

LEASE_WAIT_S = 30.0
"""How long a sweep waits for one table. Twice what a bucket's lease needs to be taken over; the next sweep comes in ten
minutes, and an hour whose limit is near goes without a lease."""


@dataclass(frozen=True)
class Swept:
    """What a sweep did. `ledger`: rows of `privacy/sweeps`, of places where a second look found nothing any
    more.

    `failures`: what went wrong and where (kinds of errors, names of tables and folders); `places_left`:
    places where something due is still there. Both empty is success. `looks`: every table and folder as the sweep left
    it; `moment`: the time that it judged by.
    """

    ledger: pl.DataFrame
    sealed: tuple[StoreDay, ...]
    failures: tuple[str, ...]
    places_left: int
    looks: tuple[Seen, ...]
    moment: datetime


@dataclass
class _Sweep:
    """One sweep on its way. `noted`: what is about to go, what an earlier sweep noted and did not end included;
    `tables`: swept tables as they were last read, by path."""

    lake: Lake
    commit: CommitInfo
    now: datetime
    failures: Failures
    noted: dict[Place, Due]
    tables: dict[str, TableHours] = field(default_factory=dict)
    waiting: set[StoreDay] = field(default_factory=set)
    looks: list[Seen] = field(default_factory=list)

    def note(self, due: Mapping[Place, Content], owner: Seen) -> None:
        """Writes down what is about to go. Without a note it goes all the same."""
        for place, content in due.items():
            self.noted.setdefault(place, Due(place, content, self.now, owner.limit_at(place), owner.retention))
        ordered = [self.noted[place] for place in sorted(self.noted)]
        self.failures.attempt("notes", lambda: write_journal(self.lake, ordered), None)

    def looked(self, seen: Seen) -> None:
        """Keeps the last look at a table or folder, and names what was odd about it."""
        for trouble in seen.trouble:
            self.failures.add(seen.name, trouble)
        self.looks.append(seen)

    def is_gone(self, due: Due) -> bool:
        """Whether a second look has found the place empty. Not where there was none."""
        owner = next((look for look in self.looks if look.owns(due.place)), None)
        return owner is not None and owner.contents is not None and due.place not in owner.contents


def sweep(lake: Lake, places: tuple[FilePlace, ...], *, commit: CommitInfo, now: datetime) -> Swept:
    """Removes everything whose time is up at `now`: the moment that assets/privacy/retention/sweep_moment.py found,
    never a clock's bare word.

    What is about to go is noted first, and the note stays until `close_journal`: a sweep that was killed
    anywhere is finished by the next one, with the same rows in the ledger. A day is sealed before the first
    of its movement goes; if it cannot be, its movement waits for another sweep, and no longer than PATIENCE.
    """
    failures = Failures()
    known = read_first_seen(lake, failures)
    known, is_lost = known or {}, known is None
    listed = [list_folder(place) for place in places]
    first_seen = look_at_undated(listed, known, now, is_forgetful=is_lost)
    if not write_first_seen(lake, first_seen, known, failures):
        first_seen = look_at_undated(listed, known, now, is_forgetful=True)
    going = _Sweep(lake, commit, now, failures, read_journal(lake, failures))
    for place, listing in zip(places, listed, strict=True):
        _empty_folder(going, place, listing, first_seen)
    movement = [table for table in SWEPT_TABLES if table.retention is RetentionClass.MOVEMENT]
    _empty_tables(going, (table for table in SWEPT_TABLES if table not in movement))
    sealed = _seal(going)
    _empty_tables(going, movement)
    gone = [entry for _, entry in sorted(going.noted.items()) if going.is_gone(entry)]
    return Swept(
        pl.DataFrame([ledger_row(entry) for entry in gone], SWEEPS.schema),
        tuple(sealed),
        tuple(failures.found),
        sum(len(look.past(now, DROP_MARGIN)) for look in going.looks),
        tuple(going.looks),
        now,
    )


def _empty_folder(going: _Sweep, place: FilePlace, listing: Listing, first_seen: FirstSeen) -> None:
    found = sort_files(place, listing, first_seen)
    if due := expired_files(place, found, going.now):
        going.note({where: count_files(files) for where, files in due.items()}, see_folder(place, found))
        # Sidecars last: while a clip is there, something may have to tell how old it is.
        everything = [file for files in due.values() for file in files]
        _unlink(going, place, sorted(everything, key=lambda file: file.key.endswith(SIDECAR_SUFFIX)))
        found = sort_files(place, list_folder(place), first_seen)
    going.looked(see_folder(place, found))


def _unlink(going: _Sweep, place: FilePlace, files: Iterable[StoredObject]) -> None:
    kept: dict[str, int] = {}
    links = shared = 0
    for file in files:
        try:
            place.objects.delete(file.key)
        except Exception as error:  # noqa: BLE001 - the next file goes all the same
            kept[type(error).__name__] = kept.get(type(error).__name__, 0) + 1
            continue
        links += file.is_link
        shared += bool(file.other_names)
    for kind, count in sorted(kept.items()):
        going.failures.add(place.name, f"{count} files not unlinked: {kind}")
    if links:
        going.failures.add(place.name, f"{links} symbolic links removed, and not what they point to")
    if shared:
        going.failures.add(place.name, f"{shared} files removed that have other names, under which their bytes stay")


def _empty_tables(going: _Sweep, tables: Iterable[TableContract]) -> None:
    for table in tables:
        going.looked(_empty_table(going, table))


def _empty_table(going: _Sweep, table: TableContract) -> Seen:
    def waits(cell: Cell) -> bool:
        values = dict(zip(table.partition_by, cell, strict=True))
        day, hour = StoreDay.of_hour(values["store_id"], values[expiry.HOUR_COLUMN]), values[expiry.HOUR_COLUMN]
        return day in going.waiting and not expiry.is_pressing(table, hour, going.now)

    try:
        dropped = drop_expired(
            going.lake,
            table,
            commit=going.commit,
            now=going.now,
            waits=waits,
            noted=lambda due: going.note(contents_of(table, due), unseen(table, "")),
            found=going.tables.get(table.path),
            wait_s=LEASE_WAIT_S,
        )
    except Exception as error:  # noqa: BLE001 - of whatever kind: the next table is swept all the same
        going.failures.add(table.path, type(error).__name__)
        try:
            return see_table(table, read_hours(going.lake, table))
        except Exception as blind:  # noqa: BLE001 - unknown is not empty
            return unseen(table, f"could not be looked at: {type(blind).__name__}")
    for failure in dropped.failures:
        going.failures.add(table.path, failure)
    going.tables[table.path] = dropped.left
    return see_table(table, dropped.left)


def _seal(going: _Sweep) -> list[StoreDay]:
    """Seals what is due. The days that could not be sealed wait with their movement."""
    unknown: list[StoreDay] = []
    done = going.failures.attempt("seals", lambda: seals.sealed_days(going.lake), unknown)
    due = sorted(day for day in _days(going) - {*done} if _is_to_seal(going, day))
    sealed = []
    for number, day in enumerate(due):
        try:
            if seals.seal(
                going.lake,
                day,
                list(CONTRACTS.values()),
                run_id=going.commit.run_id,
                now=going.now,
                wait_s=LEASE_WAIT_S,
            ):
                sealed.append(day)
        except LeaseUnavailable as error:
            # The days after it need the same leases.
            going.failures.add(f"seals of {len(due) - number} days", f"{error.table} LeaseUnavailable")
            going.waiting.update(due[number:])
            break
        except Exception as error:  # noqa: BLE001 - of whatever kind: the next day is sealed all the same
            going.failures.add(f"seal {day.store_id} {day.business_date.isoformat()}", type(error).__name__)
            going.waiting.add(day)
    return sealed


def _is_to_seal(going: _Sweep, day: StoreDay) -> bool:
    """Whether it is time. A day at the end of the calendar has no such moment, and is named."""
    where = f"seal {day.store_id} {day.business_date.isoformat()}"
    return going.failures.attempt(where, lambda: going.now >= expiry.seals_at(day), False)


def _days(going: _Sweep) -> set[StoreDay]:
    """Store-days of which any table holds anything."""
    nothing: set[StoreDay] = set()
    days: set[StoreDay] = set()
    for table in CONTRACTS.values():
        days |= going.failures.attempt(table.path, partial(_days_of, going, table), nothing)
    return days


def _days_of(going: _Sweep, table: TableContract) -> set[StoreDay]:
    """Store-days of a table. What is read of a swept one is kept for its drop."""
    if table not in SWEPT_TABLES:
        return known_days(table, take_snapshot(going.lake, table, any_version=True).cells)
    if table.path not in going.tables:
        going.tables[table.path] = read_hours(going.lake, table)
    return known_days(table, going.tables[table.path].hours)
