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
from resources.settings import Settings

# A picture is drawn of movement that may be 70 hours old already: review ends an hour before the evidence
# goes.
SCRATCH_LIMIT = timedelta(hours=2)

# Nobody reads a file that a killed delivery left half written, and the next delivery writes its own. A day is longer
# than any delivery takes.
UNFINISHED_LIMIT = timedelta(hours=24)
FOOTAGE_LIMIT = SCHEDULE[RetentionClass.FOOTAGE].limit or timedelta()
_FOOTAGE_FOLDER = re.compile(r"(rejected/)?footage/")

LANDING_CATEGORIES: dict[str, RetentionClass] = {
    "reference": RetentionClass.REFERENCE,
    "footage": RetentionClass.FOOTAGE,
    "gate_events": RetentionClass.ACCOUNT,
    "accounts": RetentionClass.ACCOUNT,
    "orders_history": RetentionClass.ACCOUNT,
    "reviews": RetentionClass.ACCOUNT,
}
"""What stores deliver, and the class of its content."""


@dataclass(frozen=True)
class Sink:
    """A place. `pattern` matches paths relative to the home; `retention` None: nothing about persons."""

    name: str
    pattern: str
    retention: RetentionClass | None
    emptied_by: str

    def claims(self, path: str) -> bool:
        """Whether a file belongs to it."""
        return re.fullmatch(self.pattern, path) is not None


_FINISHED = r"(.+/)?[^./][^/]*"
"""No step reads a file whose name begins with a dot."""


def _landing() -> Iterable[Sink]:
    for category, retention in LANDING_CATEGORIES.items():
        is_swept = retention is RetentionClass.FOOTAGE
        consumer, keeper = ("sweep", "sweep") if is_swept else ("consumed by its table's step", "its category's rule")
        files = ".+" if is_swept else _FINISHED
        yield Sink(f"landing/{category}", rf"landing/{category}/{files}", retention, consumer)
        yield Sink(f"landing/rejected/{category}", rf"landing/rejected/{category}/{files}", retention, keeper)


def _tables() -> Iterable[Sink]:
    for table in CONTRACTS.values():
        limited = table.retention in (RetentionClass.MOVEMENT, RetentionClass.FOOTAGE)
        yield Sink(
            f"lake/{table.path}",
            rf"lake/{re.escape(table.path)}/.+",
            table.retention,
            "sweep" if limited else "its class's rule",
        )


SINKS: tuple[Sink, ...] = (
    *_landing(),
    Sink("landing/unfinished", r"landing/(?!(rejected/)?footage/)(.+/)?\.[^/]+", RetentionClass.ACCOUNT, "sweep"),
    *_tables(),
    Sink("footage", r"footage/.+", RetentionClass.FOOTAGE, "sweep"),
    Sink("tmp", r"tmp/.+", RetentionClass.MOVEMENT, "sweep"),
    Sink("engine", rf"lake/{ENGINE_FOLDER}/.+", RetentionClass.LEDGER, "the storage engine itself"),
    Sink("keys", r"keys/\.?file_names\.key(\.\d+)?", RetentionClass.LEDGER, "nobody: 32 random bytes about no person"),
    Sink("marts", r"warehouse/analytics\.duckdb", None, "replaced whole by every build"),
    Sink(
        "marts being built",
        r"warehouse/\.building(\.lock|/.+)",
        RetentionClass.ACCOUNT,
        "the build, or the next one",
    ),
    Sink("dagster", r"dagster/.+", RetentionClass.LEDGER, "housekeeping; holds numbers and closed words only"),
    Sink("simulated day", r"landing/store_day_offset\.json(\..+)?", None, "`python -m simulation land`"),
    Sink("rendered store-days", r"simulated/.+", None, "whoever ran `make simulate`; nobody real is in it"),
)


def files_below(home: Path) -> Iterator[str]:
    """Paths of all files below the home, relative to it, in order; a link to a file is one. Raises OSError at the end
    if a folder cannot be listed: what lies in it is not known."""
    for file in object_store(str(home)).list():
        if not file.is_link or not (home / file.key).is_dir():
            yield file.key


def unclaimed(paths: Iterable[str]) -> list[str]:
    """Of these paths, relative to the home, those that no sink claims."""
    return [path for path in paths if not any(sink.claims(path) for sink in SINKS)]


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
