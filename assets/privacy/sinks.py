"""Every place below the home that may hold anything, whose clock it dies by and who empties it.

A file that no sink claims is one that nobody would ever delete: a check counts them. A place for data that
the platform does not have yet (exports, backups, keys) is claimed by nobody until something empties it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lakehouse.contract import RetentionClass
from lakehouse.contracts import CONTRACTS
from lakehouse.lake import ENGINE_FOLDER

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


def unclaimed(paths: Iterable[str]) -> list[str]:
    """Of these paths, relative to the home, those that no sink claims."""
    return [path for path in paths if not any(sink.claims(path) for sink in SINKS)]
