"""Files by key, on local disk or in an S3-compatible bucket: footage clips, seals, leases, Parquet files.

Keys are relative, with forward slashes. A key appears whole or not at all, whatever kills the writer.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Protocol

UNFINISHED = ".unfinished"
"""Suffix of a file that is still being written. A full vacuum and a dropped hour take leftovers along."""


@dataclass(frozen=True)
class StoredObject:
    """One file of a store. `size` in bytes.

    `is_link`: a symbolic link, which holds nothing itself; it is never followed. `other_names`: how many more names
    the same bytes have on the disk: they stay there when this one goes. `modified_at`: when it was last written, by the
    store; None where it does not say.
    """

    key: str
    size: int
    is_link: bool = False
    other_names: int = 0
    modified_at: datetime | None = field(default=None, compare=False)


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
        """Everything in the folder `prefix` and below, by key, unfinished files included.

        Raises OSError, after everything that could be listed, if a folder could not be: what lies there is unknown.
        """
        ...


def checked_key(key: str) -> str:
    """The key, if it stays below the root. Raises ValueError."""
    parts = PurePosixPath(key).parts
    if not parts or key.startswith("/") or ".." in parts:
        raise ValueError("a key must be relative and stay below the store's root")
    return key
