"""Why the lakehouse refused. Every message names table, column, reason and count; none ever quotes a row's
value, because exception text ends up in event logs that outlive the rows."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


class LakehouseError(Exception):
    """Something about one table was refused or failed."""

    def __init__(self, table: str, reason: str, *, column: str = "", count: int | None = None) -> None:
        self.table = table
        self.reason = reason
        self.column = column
        self.count = count
        where = f"{table}.{column}" if column else table
        super().__init__(f"{where}: {reason}" + ("" if count is None else f" ({count})"))


class SchemaMismatch(LakehouseError):
    """A frame's columns or types are not exactly the contract's."""


class ContractViolation(LakehouseError):
    """Rows break a promise of the contract that the writer itself guards: nulls, keys, labels."""


class OutsidePartition(LakehouseError):
    """Rows lie outside the partition that was to be replaced, or the table has no such partition."""


class CaptureHourExpired(LakehouseError):
    """A capture hour has reached its end of life: nothing may be written there any more."""


class StoreDaySealed(LakehouseError):
    """The store-day's totals are frozen."""


class EmptyReplacement(LakehouseError):
    """No rows would replace rows: more likely a consumed source than a true result."""


class ContractVersionMismatch(LakehouseError):
    """The table on disk was written under another version of its contract."""


class TableDamaged(LakehouseError):
    """A table's log or files are not what the engine committed. Nothing was read from it or written to it."""

    def __init__(self, table: str, damage: str) -> None:
        super().__init__(table, f"{damage}; what to do: docs/runbooks/damaged-table.md")


class CommitConflict(LakehouseError):
    """Other writers kept committing first."""


class LeaseUnavailable(LakehouseError):
    """Somebody else kept the table's lease for longer than we wait."""


class LeaseLost(LakehouseError):
    """The lease was taken over while we held it; nothing was committed."""


class StorageFailed(LakehouseError):
    """Storage or table format raised. The reason is the kind of error only: its text could quote a row."""


def concealed(table: str, doing: str, call: Callable[[], T]) -> T:
    """The call's result; a foreign exception becomes StorageFailed without its text, cause or context."""
    try:
        return call()
    except LakehouseError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, its text must not get out
        kind = type(error).__name__
        place = traceback.extract_tb(error.__traceback__)[-1]
    # Raised out here, not in the handler: there the foreign exception would stay attached as its context.
    raise StorageFailed(table, f"{doing} failed with {kind} at {Path(place.filename).name}:{place.lineno}")
