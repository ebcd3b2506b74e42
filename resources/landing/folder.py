"""The landing folder: where a store's deliveries arrive, and how they leave it.

Two phases, so that nothing is lost: `read` gives the good rows and the refusals and touches nothing; after
the rows were committed, `consume` moves what was refused to `rejected/<category>/` with the reasons beside
it and removes the file. A crash in between only means that the same content is read again, which every
table's write mode makes harmless. Layout and fields: the landing contract in docs/, formats in
resources/landing/lines.py.

Who lands files puts them in place by renaming a finished file, or appends whole lines under `append_line`'s
lock.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import polars as pl

from resources.landing.file_access import locked, read_whole, write_whole
from resources.landing.lines import LineFormat, parse_line
from resources.landing.refusals import Reason, Refused

SOURCE_FILE = "source_file"
SOURCE_LINE = "source_line"
REJECTED = "rejected"

_DATE_FILE = re.compile(r"\d{4}-\d{2}-\d{2}\.jsonl")
_STORE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True, order=True)
class Rejection:
    """One refusal. `file` is relative to the landing folder; `line` counts from 1, 0 means the whole file;
    `field` is empty for the whole line. Holds no value of the content."""

    file: str
    line: int
    field: str
    reason: Reason


@dataclass(frozen=True)
class LandedFile:
    """A file as it was read. `sha256` is of the bytes that were read."""

    path: Path
    name: str
    sha256: str


@dataclass(frozen=True)
class Batch:
    """What a category held. `frame`: the format's columns, plus where each row came from (`source_file`,
    `source_line`), so that a later step can refuse single rows."""

    category: str
    frame: pl.DataFrame
    files: tuple[LandedFile, ...]
    rejections: tuple[Rejection, ...]


@dataclass(frozen=True)
class Document:
    """A reference file. `kind` is its file name (store.yaml, prices.csv, ...); `store_id` is None for files
    of all stores."""

    kind: str
    store_id: str | None
    name: str
    content: bytes


@dataclass(frozen=True)
class DocumentBatch:
    """The reference files that lie in landing."""

    documents: tuple[Document, ...]
    files: tuple[LandedFile, ...]
    rejections: tuple[Rejection, ...] = ()
    category: str = "reference"


@dataclass(frozen=True)
class Consumption:
    """What `consume` did, in numbers."""

    files: int = 0
    rejected_files: int = 0
    rejected_lines: int = 0
    kept_files: int = 0
    by_reason: dict[str, int] = field(default_factory=dict)


STORE_DOCUMENTS = ("store.yaml", "cameras.yaml", "planogram.csv")
CHAIN_DOCUMENTS = ("products.csv", "prices.csv")


class Landing:
    """The landing folder at `root`; it need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def store_ids(self) -> tuple[str, ...]:
        """Stores that any delivery names, sorted."""
        parents = ("reference/stores", "footage", "gate_events", "orders_history")
        found = {entry.name for parent in parents for entry in _entries(self.root / parent) if entry.is_dir()}
        return tuple(sorted(name for name in found if _STORE_ID.fullmatch(name)))

    def waiting(self, category: str) -> int:
        """Files of a category that nobody has consumed."""
        return sum(1 for path in (self.root / category).rglob("*") if path.is_file() and not _hidden(path))

    def read(self, line_format: LineFormat, store_id: str | None = None) -> Batch:
        """The lines of a category, of one store or of all. Moves nothing; refusals are in the batch."""
        rows: list[dict[str, object]] = []
        files: list[LandedFile] = []
        rejections: list[Rejection] = []
        for path, store in self._line_files(line_format, store_id):
            raw = read_whole(path)
            landed = LandedFile(path, self._name(path), hashlib.sha256(raw).hexdigest())
            files.append(landed)
            if not _DATE_FILE.fullmatch(path.name):
                rejections.append(Rejection(landed.name, 0, "", Reason.FILE_NAME))
                continue
            for number, line in _lines(raw):
                try:
                    row = parse_line(line, line_format)
                    if store is not None and row.get("store_id", store) != store:
                        raise Refused(Reason.WRONG_STORE, "store_id")
                except Refused as refused:
                    rejections.append(Rejection(landed.name, number, refused.field_name, refused.reason))
                    continue
                if store is not None:
                    row["store_id"] = store
                rows.append(row | {SOURCE_FILE: landed.name, SOURCE_LINE: number})
        frame = pl.DataFrame(rows, landed_schema(line_format))
        return Batch(line_format.category, frame, tuple(files), tuple(rejections))

    def read_reference(self) -> DocumentBatch:
        """The reference files that lie in landing; assets/orders/reference/documents.py reads their content."""
        base = self.root / "reference"
        documents, files, rejections = [], [], []
        for path in sorted(path for path in base.rglob("*") if path.is_file() and not _hidden(path)):
            raw = read_whole(path)
            landed = LandedFile(path, self._name(path), hashlib.sha256(raw).hexdigest())
            files.append(landed)
            match path.relative_to(base).parts:
                case ("stores", store_id, kind) if kind in STORE_DOCUMENTS and _STORE_ID.fullmatch(store_id):
                    documents.append(Document(kind, store_id, landed.name, raw))
                case (kind,) if kind in CHAIN_DOCUMENTS:
                    documents.append(Document(kind, None, landed.name, raw))
                case _:
                    rejections.append(Rejection(landed.name, 0, "", Reason.FILE_NAME))
        return DocumentBatch(tuple(documents), tuple(files), tuple(rejections))

    def consume(self, batch: Batch | DocumentBatch, *, now: datetime, refused: Iterable[Rejection] = ()) -> Consumption:
        """Removes the batch's files after its good rows were committed; what was refused, by the reader or
        by a later step (`refused`), goes to `rejected/<category>/` first.

        A file that changed since it was read stays for the next round, whole: reading a row twice is
        harmless.
        """
        by_file: dict[str, list[Rejection]] = {}
        for rejection in (*batch.rejections, *refused):
            by_file.setdefault(rejection.file, []).append(rejection)
        consumed = kept = rejected_files = rejected_lines = 0
        for landed in batch.files:
            rejections = sorted(by_file.get(landed.name, []))
            with locked(landed.path) as raw:
                if raw is None or hashlib.sha256(raw).hexdigest() != landed.sha256:
                    kept += 1
                    continue
                if rejections:
                    rejected_files += 1
                    rejected_lines += len({rejection.line for rejection in rejections})
                    self._keep_rejected(landed, batch.category, raw, rejections, now)
                landed.path.unlink()
                consumed += 1
        reasons = Counter(str(rejection.reason) for group in by_file.values() for rejection in group)
        return Consumption(consumed, rejected_files, rejected_lines, kept, dict(sorted(reasons.items())))

    def rejected_place(self, name: str, digest: str) -> Path:
        """Where what was refused of a file is kept; the same content always gets the same place."""
        inside = Path(name)
        return self.root / REJECTED / inside.parent / f"{inside.stem}-{digest[:12]}{inside.suffix}"

    def _keep_rejected(
        self, landed: LandedFile, category: str, raw: bytes, rejections: Sequence[Rejection], now: datetime
    ) -> None:
        refused = {rejection.line for rejection in rejections}
        bad = (line + b"\n" for number, line in _lines(raw) if number in refused)
        content = raw if 0 in refused else b"".join(bad)
        place = self.rejected_place(landed.name, landed.sha256)
        write_reasons(place, landed.name, category, rejections, now)
        write_whole(place, content)

    def _line_files(self, line_format: LineFormat, store_id: str | None) -> Iterator[tuple[Path, str | None]]:
        base = self.root / line_format.category
        if not line_format.by_store:
            yield from ((path, None) for path in _entries(base) if path.is_file())
            return
        for folder in _entries(base):
            if folder.is_dir() and _STORE_ID.fullmatch(folder.name) and store_id in (None, folder.name):
                yield from ((path, folder.name) for path in _entries(folder) if path.is_file())

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()


def landed_schema(line_format: LineFormat) -> pl.Schema:
    """Schema of a batch's frame."""
    store: dict[str, type[pl.DataType]] = {"store_id": pl.String} if line_format.by_store else {}
    columns: dict[str, pl.DataType | type[pl.DataType]] = {**line_format.schema, **store}
    return pl.Schema({**columns, SOURCE_FILE: pl.String, SOURCE_LINE: pl.Int64})


def write_reasons(place: Path, name: str, category: str, rejections: Sequence[Rejection], now: datetime) -> None:
    """Puts the reasons beside a rejected file: field names and reason codes, never a value."""
    reasons = {
        "source": name,
        "category": category,
        "rejected_at": now.isoformat(timespec="milliseconds"),
        "lines": [{"line": r.line, "field": r.field, "reason": str(r.reason)} for r in rejections],
    }
    write_whole(place.with_name(f"{place.name}.reason.json"), json.dumps(reasons, indent=1).encode())


def _lines(raw: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if line.strip():
            yield number, line.rstrip(b"\r")


def _entries(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not _hidden(entry)) if folder.is_dir() else []


def _hidden(path: Path) -> bool:
    return path.name.startswith(".")
