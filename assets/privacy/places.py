"""The registry of places: every place below the home that may hold data, of which class, and who empties it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from lakehouse.contract import RetentionClass
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.retention import SCHEDULE
from lakehouse.files.objects import ObjectStore, StoredObject
from lakehouse.files.open import object_store
from lakehouse.lake import ENGINE_FOLDER
from resources.landing.deliveries import DELIVERIES
from resources.settings import Settings

# A picture is drawn of movement that may be 70 hours old already: review ends an hour before the evidence
# goes.
SCRATCH_LIMIT = timedelta(hours=2)

# Nobody reads a file that a killed delivery left half written, and the next delivery writes its own. A day is longer
# than any delivery takes.
UNFINISHED_LIMIT = timedelta(hours=24)
FOOTAGE_LIMIT = SCHEDULE[RetentionClass.FOOTAGE].limit or timedelta()
_FOOTAGE_FOLDER = re.compile(r"(rejected/)?footage/")

SWEEP = "assets.privacy.retention.sweep:sweep"
_CONSUME = "resources.landing.folder:Landing.consume"
_BUILD = "assets.analytics.marts.warehouse:building"


@dataclass(frozen=True)
class HomePlace:
    """One entry of the registry: paths below the home that belong together.

    `pattern` matches paths relative to the home. `retention`: class of the content; None: nothing about persons.
    `holds`, `why`: for people. `emptied_by`: who empties it, as `module:function`; None: nobody does, and `why` says
    what will, or why nothing has to. `limit`: longest life of what lies there; None: it has none by age.
    `only_unfinished`: it is no folder of its own, but what deliveries left half written in the folder above.
    """

    name: str
    pattern: str
    retention: RetentionClass | None
    holds: str
    emptied_by: str | None
    why: str
    limit: timedelta | None = None
    only_unfinished: bool = False

    def claims(self, path: str) -> bool:
        """Whether a file belongs to it."""
        return re.fullmatch(self.pattern, path) is not None


_FINISHED = r"(.+/)?[^./][^/]*"
"""No step reads a file whose name begins with a dot."""

_KEPT = {
    RetentionClass.ACCOUNT: "ends with the account; nothing ends it yet: erasure and the end of accounts are to come",
    RetentionClass.REFERENCE: "describes stores and goods, no person",
    RetentionClass.LEDGER: "proof that the rules were kept; holds no personal value",
}
"""Why nobody empties what has no limit by age."""


def _landing() -> Iterable[HomePlace]:
    for category, delivery in DELIVERIES.items():
        name, refused, retention = f"landing/{category}", f"landing/rejected/{category}", delivery.retention
        delivered, put_aside = f"Deliveries of {category}.", f"Refused deliveries of {category}, with the reasons."
        if retention is RetentionClass.FOOTAGE:
            moved = "its step moves clips on to footage; what it leaves dies by its capture hour"
            kept = "dies by its capture hour, as all footage does"
            yield HomePlace(name, rf"{name}/.+", retention, delivered, SWEEP, moved, FOOTAGE_LIMIT)
            yield HomePlace(refused, rf"{refused}/.+", retention, put_aside, SWEEP, kept, FOOTAGE_LIMIT)
        else:
            moved = f"the step of {'/'.join(delivery.consumer)} removes a file once its rows are written"
            yield HomePlace(name, rf"{name}/{_FINISHED}", retention, delivered, _CONSUME, moved)
            yield HomePlace(refused, rf"{refused}/{_FINISHED}", retention, put_aside, None, _KEPT[retention])


def _tables() -> Iterable[HomePlace]:
    for table in CONTRACTS.values():
        limit = SCHEDULE[table.retention].limit
        yield HomePlace(
            f"lake/{table.path}",
            rf"lake/{re.escape(table.path)}/.+",
            table.retention,
            table.description,
            SWEEP if limit else None,
            "dropped by capture hour" if limit else _KEPT[table.retention],
            limit,
        )


PLACES: tuple[HomePlace, ...] = (
    *_landing(),
    HomePlace(
        "landing/unfinished",
        r"landing/(?!(rejected/)?footage/)(.+/)?\.[^/]+",
        RetentionClass.ACCOUNT,
        "What deliveries began and never put in place.",
        SWEEP,
        "no step reads it, so no step removes it",
        UNFINISHED_LIMIT,
        only_unfinished=True,
    ),
    *_tables(),
    HomePlace(
        "footage",
        r"footage/.+",
        RetentionClass.FOOTAGE,
        "Clips of the cameras, with their sidecars.",
        SWEEP,
        "dies by its capture hour",
        FOOTAGE_LIMIT,
    ),
    HomePlace(
        "tmp",
        r"tmp/.+",
        RetentionClass.MOVEMENT,
        "Pictures that reviewers look at.",
        SWEEP,
        "may show movement that is close to its own limit",
        SCRATCH_LIMIT,
    ),
    HomePlace(
        "engine",
        rf"lake/{ENGINE_FOLDER}/.+",
        RetentionClass.LEDGER,
        "Leases, seals and notes of the storage engine.",
        None,
        "each file is replaced or removed by who wrote it; holds no personal value",
    ),
    HomePlace(
        "keys",
        r"keys/\.?file_names\.key(\.\d+)?",
        RetentionClass.LEDGER,
        "The key by which names of files are hashed.",
        None,
        "32 random bytes about no person",
    ),
    HomePlace(
        "marts",
        r"warehouse/analytics\.duckdb(\.wal)?",
        None,
        "The file that analysts open, and what somebody left who wrote into it.",
        _BUILD,
        "every build replaces it whole; a column about a person stops the build",
    ),
    HomePlace(
        "marts being built",
        r"warehouse/\.building(\.lock|/.+)",
        RetentionClass.ACCOUNT,
        "A build at work: the next file, and what dbt spills.",
        _BUILD,
        "goes when the build ends; what a killed one left, the next removes first",
    ),
    HomePlace(
        "dagster",
        r"dagster/.+",
        RetentionClass.LEDGER,
        "Runs, their events and logs: numbers and closed words only.",
        "orchestration.housekeeping:forget_old_runs",
        "runs go 30 days after they ended; of each table the last one stays",
    ),
    HomePlace(
        "simulated day",
        r"landing/store_day_offset\.json(\..+)?",
        None,
        "By how much the shipped store-day was moved in time.",
        "simulation.landing:land",
        "the next simulated day replaces it",
    ),
    HomePlace(
        "rendered store-days",
        r"simulated/.+",
        None,
        "Store-days that `make simulate` rendered.",
        None,
        "whoever rendered them removes them; nobody real is in them",
    ),
)
"""Every place that may hold data. The sweep's folders, the check of unclaimed files and docs/places.md follow from it.
"""


def files_below(home: Path) -> Iterator[str]:
    """Paths of all files below the home, relative to it, in order; a link to a file is one. Raises OSError at the end
    if a folder cannot be listed: what lies in it is not known."""
    for file in object_store(str(home)).list():
        if not file.is_link or not (home / file.key).is_dir():
            yield file.key


def unclaimed(paths: Iterable[str]) -> list[str]:
    """Of these paths, relative to the home, those that no place claims."""
    return [path for path in paths if not any(place.claims(path) for place in PLACES)]


def file_places(settings: Settings) -> tuple[FilePlace, ...]:
    """The folders that the sweep empties of files, from the registry: a place there is named by its folder and what
    lies below it. Tables are emptied by their contracts."""
    roots = {"landing": settings.landing_root, "footage": settings.footage_root, "tmp": settings.folders["tmp"]}
    found = []
    for place in PLACES:
        root, _, below = place.name.partition("/")
        if place.emptied_by == SWEEP and place.limit and root in roots:
            store, prefix = object_store(str(roots[root])), "" if place.only_unfinished else below
            found.append(
                FilePlace(
                    store,
                    prefix,
                    place.name,
                    place.limit,
                    only_unfinished=place.only_unfinished,
                    is_named_by_recorder=root == "landing" and not place.only_unfinished,
                )
            )
    return tuple(found)


@dataclass(frozen=True)
class FilePlace:
    """A folder that may hold footage, pictures of movement or leftovers: the folder within its store, and its
    name in the ledger.

    `limit`: longest life of a file, from capture; from the moment it was first seen, where its path tells no
    capture time or one that is still to come. `only_unfinished`: only files that a delivery began and never
    put in place, outside of the footage folders, which have their own clock. `is_named_by_recorder`: its names tell the
    time by a recorder's clock, which may be ahead of the store's; the sidecar beside a clip declares by how much.
    """

    objects: ObjectStore
    prefix: str
    name: str
    limit: timedelta = FOOTAGE_LIMIT
    only_unfinished: bool = False
    is_named_by_recorder: bool = False

    def files(self) -> Iterator[StoredObject]:
        """What lies in it."""
        for file in self.objects.list(self.prefix):
            if not self.only_unfinished or (_is_hidden(file.key) and not _FOOTAGE_FOLDER.match(file.key)):
                yield file

    @property
    def retention(self) -> RetentionClass:
        """The class of what it holds."""
        if self.only_unfinished:
            return RetentionClass.ACCOUNT
        return RetentionClass.FOOTAGE if self.limit == FOOTAGE_LIMIT else RetentionClass.MOVEMENT


def _is_hidden(key: str) -> bool:
    """Whether no reader of landing looks at the file: it is being written under another name."""
    return key.rsplit("/", 1)[-1].startswith(".")
