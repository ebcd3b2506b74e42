"""The key under which names of files are hashed: a name that a store chose may say anything."""

from __future__ import annotations

import os
import secrets

from resources.settings import Settings

_FILE = "file_names.key"
_BYTES = 32


def name_key(settings: Settings) -> bytes:
    """32 random bytes of this home, made when they are first asked for. Whoever has not this file cannot tell a name by
    its hash, not even by trying names."""
    path = settings.folders["keys"] / _FILE
    while True:
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            key = b""
        if len(key) == _BYTES:
            return key
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = path.with_name(f".{_FILE}.{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(secrets.token_bytes(_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        # Of two processes that come first at once one wins, and both read what it wrote.
        try:
            os.link(unfinished, path)
        except FileExistsError:
            if key:
                unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
