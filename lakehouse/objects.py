"""Files by key, on local disk or in an S3-compatible bucket: footage clips, seals, leases, Parquet files.

Keys are relative, with forward slashes. A key appears whole or not at all, whatever kills the writer.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

UNFINISHED = ".unfinished"
"""Suffix of a file that is still being written. A full vacuum and a dropped hour take leftovers along."""


@dataclass(frozen=True)
class StoredObject:
    """One file of a store. `size` in bytes."""

    key: str
    size: int


class ObjectStore(Protocol):
    """What the lakehouse and the footage need of a file store."""

    def put_file(self, source: Path, key: str) -> int:
        """Copies a local file to the key, atomically. Returns its size in bytes."""
        ...

    def put_bytes(self, data: bytes, key: str) -> None:
        """Writes the key, atomically."""
        ...

    def make_durable(self, key: str) -> None:
        """Returns when the key, which somebody else wrote, outlives a power cut."""
        ...

    def create_bytes(self, data: bytes, key: str) -> bool:
        """Writes the key only if it is absent. Returns whether it was: of many callers one hears True."""
        ...

    def read_bytes(self, key: str) -> bytes | None:
        """The content, or None if the key is absent."""
        ...

    def open_local(self, key: str, scratch: Path) -> AbstractContextManager[Path]:
        """A path to decode from: the file itself, or a copy below `scratch` that is gone afterwards.

        Raises FileNotFoundError.
        """
        ...

    def exists(self, key: str) -> bool:
        """Whether the key is there."""
        ...

    def delete(self, key: str) -> bool:
        """Removes the key. Returns whether it was there."""
        ...

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """Everything in the folder `prefix` and below, by key, unfinished files included."""
        ...


def object_store(root: str, storage_options: Mapping[str, str] | None = None) -> ObjectStore:
    """The store below a local path or an `s3://bucket/prefix`. Options have the names of Delta's."""
    if root.startswith("s3://"):
        from lakehouse.bucket import BucketObjects

        return BucketObjects(root, dict(storage_options or {}))
    return LocalObjects(Path(root))


def checked_key(key: str) -> str:
    """The key, if it stays below the root. Raises ValueError."""
    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or ".." in parts:
        raise ValueError("a key must be relative and stay below the store's root")
    return key


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
        start = self._root / prefix if prefix else self._root
        found = [path for path in start.rglob("*") if path.is_file()] if start.is_dir() else []
        for path in sorted(found):
            yield StoredObject(path.relative_to(self._root).as_posix(), path.stat().st_size)

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
