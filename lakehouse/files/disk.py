"""Files by key in a folder of the local disk."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lakehouse.files.objects import UNFINISHED, StoredObject, checked_key


class LocalObjects:
    """A folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _path(self, key: str) -> Path:
        return self._root / checked_key(key)

    def put_file(self, source: Path, key: str) -> int:
        with source.open("rb") as stream:
            return self._write(iter(lambda: stream.read(1 << 20), b""), self._path(key))

    def put_bytes(self, data: bytes, key: str) -> None:
        self._write(iter((data,)), self._path(key))

    def make_durable(self, key: str) -> None:
        path = self._path(key)
        _sync(path)
        _sync(path.parent)

    def create_bytes(self, data: bytes, key: str) -> bool:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Named by writer and content: two creators must not write into one unfinished file.
        stage = path.with_name(f"{path.name}.{os.getpid()}-{hashlib.sha256(data).hexdigest()[:12]}{UNFINISHED}")
        _write_durably(iter((data,)), stage)
        try:
            os.link(stage, path)
        except FileExistsError:
            return False
        finally:
            stage.unlink(missing_ok=True)
        _sync(path.parent)
        return True

    def read_bytes(self, key: str) -> bytes | None:
        try:
            return self._path(key).read_bytes()
        except FileNotFoundError:
            return None

    @contextmanager
    def open_local(self, key: str, scratch: Path) -> Iterator[Path]:  # noqa: ARG002 - of the protocol
        path = self._path(key)
        if not path.is_file():
            raise FileNotFoundError(f"no object of that key below {self._root}")
        yield path

    def exists(self, key: str) -> bool:
        return self._path(key).is_file()

    def delete(self, key: str) -> bool:
        path = self._path(key)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        self._prune(path.parent)
        return True

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        unlisted: list[OSError] = []
        found = []
        for folder, folders, names in os.walk(self._root / prefix, onerror=unlisted.append):
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            found += [Path(folder, name) for name in (*names, *links)]
        for path in sorted(found):
            try:
                yield self._stored(path)
            except OSError as error:  # gone by now, or in a folder that may be listed and not looked into
                unlisted.append(error)
        for closed in unlisted:
            if not isinstance(closed, FileNotFoundError | NotADirectoryError):
                raise closed

    def _stored(self, path: Path) -> StoredObject:
        found = path.lstat()
        key = path.relative_to(self._root).as_posix()
        modified_at = datetime.fromtimestamp(found.st_mtime, UTC)
        if stat.S_ISLNK(found.st_mode):
            return StoredObject(key, 0, is_link=True, modified_at=modified_at)
        # Pipes and sockets hold no bytes, but their names may say something: they are listed, and go like the rest.
        size = found.st_size if stat.S_ISREG(found.st_mode) else 0
        return StoredObject(key, size, other_names=found.st_nlink - 1, modified_at=modified_at)

    def _write(self, chunks: Iterator[bytes], path: Path) -> int:
        path.parent.mkdir(parents=True, exist_ok=True)
        stage = path.with_name(f"{path.name}.{os.getpid()}{UNFINISHED}")
        size = _write_durably(chunks, stage)
        stage.replace(path)
        _sync(path.parent)
        return size

    def _prune(self, folder: Path) -> None:
        """Removes folders that became empty: a capture hour leaves no trace of itself."""
        while folder != self._root and self._root in folder.parents:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent


def _write_durably(chunks: Iterator[bytes], path: Path) -> int:
    size = 0
    with path.open("wb") as stream:
        for chunk in chunks:
            size += stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
    return size


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
