"""Where the tables are: a folder or an S3-compatible bucket, by configuration alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError

from lakehouse.contract import TableContract
from lakehouse.files.objects import ObjectStore
from lakehouse.files.open import object_store

ENGINE_FOLDER = "_engine"
"""Leases and seals lie here, beside the domains."""


@dataclass(frozen=True)
class Lake:
    """`root` is an absolute folder or `s3://bucket/prefix`; `storage_options` are Delta's (AWS_ENDPOINT_URL,
    ...)."""

    root: str
    storage_options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if "%" in self.root:
            raise ValueError("a lake's root must hold no % sign: Delta reads it as an escape")

    @property
    def is_local(self) -> bool:
        """Whether the tables lie on a disk of this machine."""
        return "://" not in self.root

    def uri(self, contract: TableContract) -> str:
        """Address of a table."""
        return f"{self.root.rstrip('/')}/{contract.path}"

    @cached_property
    def options(self) -> dict[str, str]:
        """Options for Delta and Polars. On S3 commits are conditional puts: no lock service is needed."""
        if self.is_local:
            return dict(self.storage_options)
        return {"aws_conditional_put": "etag", **self.storage_options}

    @cached_property
    def objects(self) -> ObjectStore:
        """The files below the root, by key."""
        return object_store(self.root, self.options)

    def open(self, contract: TableContract) -> DeltaTable | None:
        """The table at its latest version, or None if it does not exist yet."""
        return self.open_path(contract.path)

    def open_path(self, path: str) -> DeltaTable | None:
        """The table at a path below the root, whether it has a contract or not."""
        try:
            return DeltaTable(f"{self.root.rstrip('/')}/{path}", storage_options=self.options)
        except TableNotFoundError:
            return None
