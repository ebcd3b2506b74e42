"""What the engine committed last to a table, noted outside of it: without the note a log that was lost would
read as an empty table, and one that was cut short as an older one.

A note never claims more than what was committed: it is written after the commit, under the table's lease. A
crash between the two leaves a table that is ahead of its note, which is sound; the next write renews the note.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from lakehouse.contract import TableContract
from lakehouse.lake import ENGINE_FOLDER, Lake


@dataclass(frozen=True)
class CommitNote:
    """A version that was committed, and the digest of the paths of its live files."""

    version: int
    files: str


def digest_of(paths: Iterable[str]) -> str:
    """The same for the same paths in any order."""
    return hashlib.sha256("\n".join(sorted(paths)).encode()).hexdigest()


def read_note(lake: Lake, contract: TableContract) -> CommitNote | None:
    """The table's note. None if there is none, as for tables made before there were notes, or if it is no note:
    then nothing is known, and the next write notes anew."""
    raw = lake.objects.read_bytes(_key(contract))
    try:
        found = json.loads(raw or b"")
        return CommitNote(int(found["version"]), str(found["files"]))
    except (ValueError, TypeError, KeyError):
        return None


def write_note(lake: Lake, contract: TableContract, note: CommitNote) -> None:
    """Replaces the table's note. The caller holds the table's lease."""
    lake.objects.put_bytes(json.dumps(asdict(note), sort_keys=True).encode(), _key(contract))


def _key(contract: TableContract) -> str:
    return f"{ENGINE_FOLDER}/commits/{contract.path}.json"
