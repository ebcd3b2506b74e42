"""Reading and writing single files of the landing folder beside others who do the same."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from resources.landing.refusals import Reason, Refused

MOST_FILE_BYTES = 1 << 28
"""A file of lines or of reference data is read as a whole; a larger one (256 MiB) is refused unread."""


def append_line(path: Path, line: bytes) -> None:
    """Adds a line, or several, to a landing file, whole or not at all as seen by a reader; a consumer may remove the
    file at any moment, then the line begins a new one. Raises OSError where no plain file can be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise FileExistsError(errno.EEXIST, "not a plain file")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not path.exists() or os.fstat(descriptor).st_ino != path.stat().st_ino:
                continue
            with os.fdopen(os.dup(descriptor), "ab") as stream:
                stream.write(line.rstrip(b"\n") + b"\n")
            os.fsync(descriptor)
            return
        finally:
            os.close(descriptor)


def read_whole(path: Path, most_bytes: int = MOST_FILE_BYTES) -> bytes:
    """The bytes of a plain file that others may append to. Raises Refused for what is none, cannot be read or is
    larger, and FileNotFoundError."""
    with open_plain(path, most_bytes) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            with os.fdopen(os.dup(descriptor), "rb") as stream:
                raw = stream.read(most_bytes + 1)
        except OSError:
            raise Refused(Reason.UNREADABLE) from None
    if len(raw) > most_bytes:
        raise Refused(Reason.TOO_LARGE)
    return raw


@contextmanager
def open_plain(path: Path, most_bytes: int | None = None) -> Iterator[int]:
    """A descriptor of a plain file, for reading. What is none is refused unopened: opening a pipe waits for ever, and
    opening a device may do something. Raises Refused and FileNotFoundError."""
    try:
        if not is_plain(path):
            raise Refused(Reason.NOT_A_PLAIN_FILE)
        # It may have been exchanged since: then it is not followed, and not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise
    except OSError:
        raise Refused(Reason.UNREADABLE) from None
    try:
        found = os.fstat(descriptor)
        if not _is_plain(found):
            raise Refused(Reason.NOT_A_PLAIN_FILE)
        if most_bytes is not None and found.st_size > most_bytes:
            raise Refused(Reason.TOO_LARGE)
        yield descriptor
    finally:
        os.close(descriptor)


def is_plain(path: Path) -> bool:
    """Whether it is a file, by one name only: the bytes behind a second one would outlive their deletion. Raises
    OSError for what is gone or may not be looked at."""
    return _is_plain(os.lstat(path))


def _is_plain(found: os.stat_result) -> bool:
    return stat.S_ISREG(found.st_mode) and found.st_nlink == 1


def landed_at(path: Path) -> datetime:
    """When it was put in its place, UTC: the disk's own time of that, for the time that a copy of a file says it was
    written at may be that of the original. Raises OSError."""
    return datetime.fromtimestamp(os.lstat(path).st_ctime, UTC)


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file so that it is seen either whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)


class locked:
    """The bytes of a file under an exclusive lock, or None if it is gone. Raises OSError for what became a link."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> bytes | None:
        try:
            self._descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return None
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        with os.fdopen(os.dup(self._descriptor), "rb") as stream:
            return stream.read()

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
