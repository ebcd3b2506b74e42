"""Files by key in an S3-compatible bucket, with the conditional writes that seals and leases stand on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, NotFoundError, PreconditionError
from obstore.store import S3Store

from lakehouse.files.objects import StoredObject, checked_key

_CLIENT_OPTIONS = {"allow_http": "allow_http", "aws_allow_http": "allow_http"}


class BucketObjects:
    """`s3://bucket/prefix`. Needs a service with conditional puts (If-None-Match and If-Match).

    `patience`: how long a request that fails is tried again; None: as long as the client does by itself, minutes.
    """

    def __init__(self, root: str, storage_options: Mapping[str, str], patience: timedelta | None = None) -> None:
        options = {name.lower(): value for name, value in storage_options.items()}
        client = {
            _CLIENT_OPTIONS[name]: True for name in options if name in _CLIENT_OPTIONS and options[name] == "true"
        }
        config = {
            name if name.startswith("aws_") else f"aws_{name}": value
            for name, value in options.items()
            if name not in _CLIENT_OPTIONS
        }
        given: dict[str, Any] = {"config": config, "client_options": client}
        if patience is not None:
            given["client_options"] |= {"timeout": patience, "connect_timeout": patience}
            given["retry_config"] = {"max_retries": 1, "retry_timeout": patience}
        self._store = S3Store.from_url(root, **given)

    def put_file(self, source: Path, key: str) -> int:
        obstore.put(self._store, checked_key(key), source)
        return source.stat().st_size

    def put_bytes(self, data: bytes, key: str) -> None:
        obstore.put(self._store, checked_key(key), data)

    def make_durable(self, key: str) -> None:
        """A bucket keeps what it has acknowledged."""

    def create_bytes(self, data: bytes, key: str) -> bool:
        return self.create_tagged(data, key) is not None

    def create_tagged(self, data: bytes, key: str) -> str | None:
        """Writes the key only if it is absent. Returns its tag, None if it was there."""
        try:
            return obstore.put(self._store, checked_key(key), data, mode="create")["e_tag"]
        except AlreadyExistsError:
            return None

    def replace_tagged(self, data: bytes, key: str, tag: str) -> str | None:
        """Writes the key if its tag is still that one. Returns the new tag, None if somebody was first."""
        try:
            return obstore.put(self._store, checked_key(key), data, mode={"e_tag": tag})["e_tag"]
        except (PreconditionError, NotFoundError):
            return None

    def read_tagged(self, key: str) -> tuple[bytes, str] | None:
        """Content and tag, or None if the key is absent."""
        try:
            found = obstore.get(self._store, checked_key(key))
        except (NotFoundError, FileNotFoundError):
            return None
        return bytes(found.bytes()), found.meta["e_tag"] or ""

    def read_bytes(self, key: str) -> bytes | None:
        found = self.read_tagged(key)
        return None if found is None else found[0]

    @contextmanager
    def open_local(self, key: str, scratch: Path) -> Iterator[Path]:
        scratch.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(dir=scratch))
        try:
            path = folder / Path(checked_key(key)).name
            try:
                found = obstore.get(self._store, key)
            except (NotFoundError, FileNotFoundError):
                found = None
            if found is None:
                raise FileNotFoundError("no object of that key in the bucket")
            with path.open("wb") as stream:
                for chunk in found.stream(min_chunk_size=1 << 20):
                    stream.write(chunk)
            yield path
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def exists(self, key: str) -> bool:
        try:
            obstore.head(self._store, checked_key(key))
        except (NotFoundError, FileNotFoundError):
            return False
        return True

    def delete(self, key: str) -> bool:
        there = self.exists(key)
        if there:
            obstore.delete(self._store, key)
        return there

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        found = [
            StoredObject(item["path"], item["size"], modified_at=item["last_modified"])
            for batch in obstore.list(self._store, prefix or None)
            for item in batch
        ]
        yield from sorted(found, key=lambda item: item.key)
