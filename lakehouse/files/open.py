"""The store of files behind a path or an address."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lakehouse.files.disk import LocalObjects
from lakehouse.files.objects import ObjectStore


def object_store(root: str, storage_options: Mapping[str, str] | None = None) -> ObjectStore:
    """The store below a local path or an `s3://bucket/prefix`. Options have the names of Delta's."""
    if root.startswith("s3://"):
        from lakehouse.files.bucket import BucketObjects

        return BucketObjects(root, dict(storage_options or {}))
    return LocalObjects(Path(root))
