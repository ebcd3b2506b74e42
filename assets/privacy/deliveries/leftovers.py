"""What is left of deliveries in the landing folder: what was refused, by its reasons, and what still waits."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from resources.landing.folder import CHAIN_DOCUMENTS, REJECTED, STORE_DOCUMENTS, files_below, is_store_id
from resources.landing.refusals import Reason

_REASONS = ".reason.json"
_HARMLESS = re.compile(
    r"\d{4}-\d{2}-\d{2}\.jsonl|\d{8}T\d{6}\.\d{3}Z\.(mp4|json)|"
    + "|".join(re.escape(name) for name in (*STORE_DOCUMENTS, *CHAIN_DOCUMENTS))
)


@dataclass(frozen=True)
class Leftover:
    """A delivered file of which something is left.

    `source`: where it was delivered, below landing; it may say anything, so it goes no further than a keyed hash.
    `since`: when it was refused, or last written while it waits. `reasons`: how many lines were refused for which
    field and reason; None where the reasons cannot be read; empty for a file that waits.
    """

    source: str
    is_refused: bool
    since: datetime
    reasons: Mapping[tuple[str, str], int] | None

    @property
    def category(self) -> str:
        """The folder that it was delivered into, as far as that is one of ours."""
        return PurePosixPath(self.source).parts[0]

    @property
    def store_id(self) -> str:
        """The store in whose folder it lies; empty where there is none, or what stands there is no id."""
        parts = PurePosixPath(self.source).parts[1:-1]
        found = [part for part in parts if part != "stores"][:1]
        return found[0] if found and is_store_id(found[0]) else ""

    @property
    def name(self) -> str:
        """Its name, if it is one that this delivery has to have; else empty: it could be anybody's."""
        name = PurePosixPath(self.source).name
        return name if _HARMLESS.fullmatch(name) else ""


def find_leftovers(root: Path, categories: tuple[str, ...]) -> Iterator[Leftover]:
    """Everything refused, and everything that waits in the folders of these categories. Opens only notes of reasons."""
    for category in categories:
        for path in files_below(root / REJECTED / category):
            if path.name.endswith(_REASONS):
                yield from _refused(root, path)
            elif not path.with_name(f"{path.name}{_REASONS}").exists():
                yield from _undated(_inside(root / REJECTED, path), path, is_refused=True)
        for path in files_below(root / category):
            yield from _undated(_inside(root, path), path, is_refused=False)


def _refused(root: Path, path: Path) -> Iterator[Leftover]:
    place = _inside(root / REJECTED, path.with_name(path.name.removesuffix(_REASONS)))
    try:
        record = json.loads(path.read_bytes())
        source, since = str(record["source"]), datetime.fromisoformat(record["rejected_at"])
        counted = Counter((str(line["field"]), str(Reason(line["reason"]))) for line in record["lines"])
        if since.tzinfo is None or not counted or PurePosixPath(source).parts[0] != PurePosixPath(place).parts[0]:
            raise ValueError
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        yield from _undated(place, path, is_refused=True)
        return
    yield Leftover(source, True, since, counted)


def _inside(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _undated(source: str, path: Path, *, is_refused: bool) -> Iterator[Leftover]:
    """A file of which only the disk knows since when; nothing, if it went while we looked."""
    with suppress(OSError):
        since = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
        yield Leftover(source, is_refused, since, None if is_refused else {})
