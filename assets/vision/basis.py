"""What a result depends on, as a short hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import polars as pl


def digest_of(parts: Iterable[object]) -> str:
    """16 hexadecimal digits of anything with a stable text: what a result depends on."""
    text = json.dumps([str(part) for part in parts], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def frame_digest(*frames: pl.DataFrame) -> str:
    """The same for the content of frames, whatever the order of their rows."""
    return digest_of(sorted(str(row) for row in frame.rows()) for frame in frames)
