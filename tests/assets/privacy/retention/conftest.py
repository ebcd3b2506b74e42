"""Folders that a process without rights can reach: pytest closes its own to others whenever a session starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with TemporaryDirectory(prefix="openaisle-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
