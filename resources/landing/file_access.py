"""Reading and writing single files of the landing folder beside others who do the same."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def append_line(path: Path, line: bytes) -> None:
    """Adds one line to a landing file, whole or not at all as seen by a reader; a consumer may remove the
    file at any moment, then the line begins a new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if not path.exists() or os.fstat(descriptor).st_ino != path.stat().st_ino:
                continue
            os.write(descriptor, line.rstrip(b"\n") + b"\n")
            os.fsync(descriptor)
            return
        finally:
            os.close(descriptor)


def read_whole(path: Path) -> bytes:
    """The bytes of a file that others may append to."""
    with path.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_SH)
        return stream.read()


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
    """The bytes of a file under an exclusive lock, or None if it is gone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> bytes | None:
        try:
            self._descriptor = os.open(self._path, os.O_RDONLY)
        except FileNotFoundError:
            return None
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        with os.fdopen(os.dup(self._descriptor), "rb") as stream:
            return stream.read()

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
