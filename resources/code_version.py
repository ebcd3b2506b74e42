"""Version of the code that wrote a table: a hash over the sources, so that it changes exactly when they do."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parent.parent
_SOURCES = ("assets", "lakehouse", "resources")


@cache
def code_version() -> str:
    """12 hexadecimal digits."""
    digest = hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted((_REPOSITORY / folder).rglob("*.py")):
            digest.update(path.relative_to(_REPOSITORY).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]
