"""Every place below the home that holds data, whose class it has, and who empties it."""

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


@dataclass(frozen=True)
class HomePlace:
    """A place below the home that may hold data.

    `pattern` matches paths relative to the home; `retention` None: nothing about persons. `emptied_by`: the function
    that removes what lies there, as module:function; empty where nobody does yet. `why`: when it goes, for people.
    """

    name: str
    pattern: str
    retention: RetentionClass | None
    emptied_by: str
    why: str

    def claims(self, path: str) -> bool:
        """Whether a file belongs to it."""
        return re.fullmatch(self.pattern, path) is not None


_FINISHED = r"(.+/)?[^./][^/]*"
"""No step reads a file whose name begins with a dot."""
_NOT_YET = "nobody yet: it ends with the account, which nothing cleans up so far"


def _landing() -> Iterable[HomePlace]:
    for category, delivery in DELIVERIES.items():
        kept, rejected = f"landing/{category}", f"landing/rejected/{category}"
        if category == "footage":
            yield HomePlace(kept, rf"{kept}/.+", delivery.retention, SWEEP, "168 h after capture, taken in or not")
            yield HomePlace(rejected, rf"{rejected}/.+", delivery.retention, SWEEP, "168 h after capture")
            continue
        consume = "resources.landing.folder:Landing.consume"
        yield HomePlace(kept, f"{kept}/{_FINISHED}", delivery.retention, consume, "when its rows are committed")
        is_personal = delivery.retention is RetentionClass.ACCOUNT
        why = _NOT_YET if is_personal else "nobody: it describes goods and stores, and is there to be mended"
        yield HomePlace(rejected, f"{rejected}/{_FINISHED}", delivery.retention, "", why)


def _tables() -> Iterable[HomePlace]:
    for table in CONTRACTS.values():
        limit = SCHEDULE[table.retention].limit
        pattern = rf"lake/{re.escape(table.path)}/.+"
        if limit is not None:
            why = f"{limit.total_seconds() / 3600:.0f} h after capture"
            yield HomePlace(f"lake/{table.path}", pattern, table.retention, SWEEP, why)
            continue
        why = _NOT_YET if table.retention is RetentionClass.ACCOUNT else "nobody: no person is in it"
        yield HomePlace(f"lake/{table.path}", pattern, table.retention, "", why)


PLACES: tuple[HomePlace, ...] = (
    *_landing(),
    HomePlace(
        "landing/unfinished",
        r"landing/(?!(rejected/)?footage/)(.+/)?\.[^/]+",
        RetentionClass.ACCOUNT,
        SWEEP,
        "24 h after it was first seen: a delivery that was never finished",
    ),
    *_tables(),
    HomePlace("footage", r"footage/.+", RetentionClass.FOOTAGE, SWEEP, "168 h after capture"),
    HomePlace("tmp", r"tmp/.+", RetentionClass.MOVEMENT, SWEEP, "2 h after it was first seen: reviewers' pictures"),
    HomePlace(
        "engine",
        rf"lake/{ENGINE_FOLDER}/.+",
        RetentionClass.LEDGER,
        "",
        "nobody: seals, leases and notes of versions, hours and times, about no person",
    ),
    HomePlace(
        "keys",
        r"keys/\.?file_names\.key(\.\d+)?",
        RetentionClass.LEDGER,
        "",
        "nobody: random bytes, under which names of files are hashed",
    ),
    HomePlace(
        "marts",
        r"warehouse/analytics\.duckdb",
        None,
        "assets.analytics.marts.warehouse:building",
        "replaced whole by every build; no personal column is in it",
    ),
    HomePlace(
        "marts being built",
        r"warehouse/\.building(\.lock|/.+)",
        RetentionClass.ACCOUNT,
        "assets.analytics.marts.warehouse:building",
        "by the build, or by the next one if it was cut off",
    ),
    HomePlace(
        "dagster",
        r"dagster/.+",
        RetentionClass.LEDGER,
        "orchestration.housekeeping:forget_old_runs",
        "30 days after a run has ended; numbers and closed words only",
    ),
    HomePlace(
        "simulated day",
        r"landing/store_day_offset\.json(\..+)?",
        None,
        "simulation.landing:land",
        "written anew with the next simulated day",
    ),
    HomePlace("rendered store-days", r"simulated/.+", None, "", "by whoever ran `make simulate`: nobody real is in it"),
)
"""Every place. A file that none of them claims is one that nobody would ever delete: a check counts them."""


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
    """Every folder that may hold footage: where clips live, where they land, where refused ones are kept;
    what deliveries left half written; and the scratch folder, where reviewers' pictures lie."""
    landing = object_store(str(settings.landing_root))
    return (
        FilePlace(landing, "footage", "landing/footage"),
        FilePlace(landing, "rejected/footage", "landing/rejected/footage"),
        FilePlace(landing, "", "landing/unfinished", UNFINISHED_LIMIT, only_unfinished=True),
        FilePlace(object_store(str(settings.footage_root)), "", "footage"),
        FilePlace(object_store(str(settings.folders["tmp"])), "", "tmp", SCRATCH_LIMIT),
    )


@dataclass(frozen=True)
class FilePlace:
    """A folder that may hold footage, pictures of movement or leftovers: the folder within its store, and its
    name in the ledger.

    `limit`: longest life of a file, from capture; from the moment it was first seen, where its path tells no
    capture time or one that is still to come. `only_unfinished`: only files that a delivery began and never
    put in place, outside of the footage folders, which have their own clock.
    """

    objects: ObjectStore
    prefix: str
    name: str
    limit: timedelta = FOOTAGE_LIMIT
    only_unfinished: bool = False

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
