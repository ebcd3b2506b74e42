"""Dagster's own record of runs, in SQLite files below OPENAISLE_HOME: whether it can be used, and what to do if not."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from resources.settings import Settings

_LOCK_WAIT_S = 10.0
_CHECK_S = 2.0
"""Longest that a start looks through one file. A large file that is not through by then counts as sound until something
fails on it."""
_FILES = ("history/runs.db", "history/runs/index.db", "schedules/schedules.db")


class RecordsUnusable(Exception):
    """A file of Dagster's cannot be used. The message names it, why, and what to do."""


def check_records(settings: Settings, *, lock_wait_s: float = _LOCK_WAIT_S, check_s: float = _CHECK_S) -> None:
    """Opens every file as a writer would and looks through it. Raises RecordsUnusable; a file that is not there yet is
    fine."""
    for name in _FILES:
        path = settings.dagster_home / name
        if not path.exists():
            continue
        try:
            _check(path, lock_wait_s, check_s)
        except (sqlite3.Error, OSError) as error:
            raise RecordsUnusable(_advice(settings, path, error)) from None


def explained(settings: Settings, error: BaseException) -> str | None:
    """What to do about an exception that comes from Dagster's files; None if it comes from elsewhere."""
    import sqlalchemy.exc  # comes with Dagster, and is slow to load

    kinds = (sqlite3.Error, sqlalchemy.exc.SQLAlchemyError)
    if not any(isinstance(link, kinds) for link in _chain(error)):
        return None
    try:
        check_records(settings, check_s=60.0)
    except RecordsUnusable as found:
        return str(found)
    folder = settings.dagster_home
    return (
        f"Dagster's record in {folder} failed and works again: another process held it, or the disk was full. Run again"
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _check(path: Path, lock_wait_s: float, check_s: float) -> None:
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode=rw", uri=True, timeout=lock_wait_s, isolation_level=None
    )
    try:
        connection.execute("begin immediate")
        connection.execute("rollback")
        until = time.monotonic() + check_s
        connection.set_progress_handler(lambda: time.monotonic() > until, 100_000)
        try:
            (found,) = connection.execute("pragma quick_check(1)").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                return
            raise
        if found != "ok":
            raise sqlite3.DatabaseError("quick_check found it damaged")
    finally:
        connection.close()


def _advice(settings: Settings, path: Path, error: Exception) -> str:
    if isinstance(error, sqlite3.OperationalError):
        code = error.sqlite_errorcode & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return f"{path} is locked{_held_by(path)}: wait for that process, or end it, and run again"
        if code not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return f"{path} cannot be written: check its owner and mode, and the free space of its disk"
    elif isinstance(error, OSError):
        return f"{path} cannot be written: check its owner and mode, and the free space of its disk"
    return (
        f"{path} is damaged: put {settings.dagster_home} back from a backup, or move it away and run again. The tables "
        "stay, and a new record begins; until then nothing that expires is deleted"
    )


def _held_by(path: Path) -> str:
    """Which processes have the file open, as far as this user may see it."""
    holders = []
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            is_open = any(os.path.samefile(link, path) for link in folder.iterdir() if os.path.exists(link))
            if is_open and folder.parent.name != str(os.getpid()):
                name = (folder.parent / "comm").read_text(encoding="utf-8", errors="replace").strip()
                holders.append(f"{folder.parent.name} ({name})")
        except OSError:
            continue
    return f" by process {', '.join(holders)}" if holders else ""
