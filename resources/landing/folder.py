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

import errno
import hashlib
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path

import polars as pl

from resources.landing.file_access import is_plain, landed_at, locked, read_whole, write_whole
from resources.landing.lines import LineFormat, parse_line
from resources.landing.refusals import Reason, Refused

SOURCE_FILE = "source_file"
SOURCE_LINE = "source_line"
REJECTED = "rejected"


_DATE_FILE = re.compile(r"(20[0-9]{2}-[0-9]{2}-[0-9]{2})\.jsonl")
_FILE_SUFFIXES = (".jsonl", ".json", ".mp4", ".yaml", ".csv")
_LONGEST_NAME = 180
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
    """A file as it was read. `sha256` is of the bytes that were read; empty for what was refused unread."""

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

    def without(self, names: Collection[str]) -> DocumentBatch:
        """The batch without the files of these names: they stay in landing."""
        return replace(self, files=tuple(file for file in self.files if file.name not in names))


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

    def read(self, line_format: LineFormat, store_id: str | None = None, named: date | None = None) -> Batch:
        """The lines of a category: all, those in one store's folder, or of that those in the file `named` after a
        date. Moves nothing; refusals are in the batch."""
        base = self.root / line_format.category
        rows: list[dict[str, object]] = []
        files: list[LandedFile] = []
        rejections: list[Rejection] = []
        for path in files_below(base / store_id if store_id else base):
            store, is_in_place = _line_place(path.relative_to(base).parts, line_format)
            if named is not None and not (is_in_place and date_of_name(path.name) == named):
                continue
            landed, raw = self._opened(path)
            if landed is None or raw is None:
                continue
            files.append(landed)
            if isinstance(raw, Rejection):
                rejections.append(raw)
                continue
            if not is_in_place:
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
        for path in files_below(base):
            landed, raw = self._opened(path)
            if landed is None or raw is None:
                continue
            files.append(landed)
            if isinstance(raw, Rejection):
                rejections.append(raw)
                continue
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

        A file that changed since it was read stays for the next round, whole: reading a row twice is harmless.
        So does one that cannot be moved; both are counted as kept.
        """
        by_file: dict[str, list[Rejection]] = {}
        for rejection in (*batch.rejections, *refused):
            by_file.setdefault(rejection.file, []).append(rejection)
        consumed = kept = rejected_files = rejected_lines = 0
        for landed in batch.files:
            rejections = sorted(by_file.get(landed.name, []))
            try:
                is_gone = self._consume_one(landed, batch, rejections, now)
            except OSError:
                # Its folder may not be written to, or the disk is full: that is this file's affair.
                is_gone = False
            if not is_gone:
                kept += 1
                continue
            consumed += 1
            if rejections:
                rejected_files += 1
                rejected_lines += len({rejection.line for rejection in rejections})
        reasons = Counter(str(rejection.reason) for group in by_file.values() for rejection in group)
        return Consumption(consumed, rejected_files, rejected_lines, kept, dict(sorted(reasons.items())))

    def name_of(self, path: Path) -> str:
        """A file's path relative to the landing folder, as refusals name it."""
        return path.relative_to(self.root).as_posix()

    def rejected_place(self, name: str, digest: str) -> Path:
        """Where what was refused of a file is kept; the same content always gets the same place."""
        inside = Path(name)
        return self.root / REJECTED / inside.parent / f"{_short(inside.stem)}-{digest[:12]}{_short(inside.suffix)}"

    def _opened(self, path: Path) -> tuple[LandedFile, bytes | Rejection] | tuple[None, None]:
        """A file with its content, or with the reason why it was not read; nothing if it is gone by now."""
        name = self.name_of(path)
        try:
            raw = read_whole(path)
        except FileNotFoundError:
            return None, None
        except Refused as refused:
            return LandedFile(path, name, ""), Rejection(name, 0, "", refused.reason)
        return LandedFile(path, name, hashlib.sha256(raw).hexdigest()), raw

    def _consume_one(
        self, landed: LandedFile, batch: Batch | DocumentBatch, rejections: Sequence[Rejection], now: datetime
    ) -> bool:
        """Whether the file is gone from landing."""
        if not landed.sha256:
            digest = hashlib.sha256(landed.name.encode("utf-8", "surrogateescape")).hexdigest()
            place = self.rejected_place(landed.name, digest)
            if is_plain(landed.path) and any(r.reason is Reason.NOT_A_PLAIN_FILE for r in rejections):
                # It has become a file since, as when a second name was only there while it was put in place.
                return False
            put_aside(landed.path, place, landed.name, batch.category, rejections, now)
            return True
        with locked(landed.path) as raw:
            if raw is None or hashlib.sha256(raw).hexdigest() != landed.sha256:
                return False
            if rejections:
                self._keep_rejected(landed, batch, raw, rejections, now)
            landed.path.unlink()
        return True

    def _keep_rejected(
        self,
        landed: LandedFile,
        batch: Batch | DocumentBatch,
        raw: bytes,
        rejections: Sequence[Rejection],
        now: datetime,
    ) -> None:
        refused = {rejection.line for rejection in rejections}
        bad = (line + b"\n" for number, line in _lines(raw) if number in refused)
        # Of a table with a head, a row alone means nothing.
        is_whole = 0 in refused or isinstance(batch, DocumentBatch)
        place = self.rejected_place(landed.name, landed.sha256)
        write_reasons(place, landed.name, batch.category, rejections, now)
        write_whole(place, raw if is_whole else b"".join(bad))


def files_below(folder: Path) -> list[Path]:
    """Everything in a folder and below that is to be read or refused, by name: files, links, pipes, a folder that may
    not be looked into, and an empty one that is called like a file. Follows no link; whose name begins with a dot is
    being written and not listed."""
    found: list[Path] = []
    waiting = [str(folder)]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(place) as listing:
                entries = [(entry, entry.is_dir(follow_symlinks=False)) for entry in listing]
        except (FileNotFoundError, NotADirectoryError):
            # Nothing was ever delivered here, or it went while we looked.
            continue
        except OSError:
            found.append(Path(place))
            continue
        if not entries and place != str(folder) and place.endswith(_FILE_SUFFIXES):
            found.append(Path(place))
        for entry, is_folder in entries:
            if is_folder:
                waiting.append(entry.path)
            elif not entry.name.startswith("."):
                found.append(Path(entry.path))
    return sorted(path for path in found if path != folder)


def landed_after(files: Iterable[LandedFile], moment: datetime) -> frozenset[str]:
    """Names of those files that were put in their places after a moment; of one that is gone by now nothing is said."""
    found = set()
    for file in files:
        with suppress(OSError):
            if landed_at(file.path) > moment:
                found.add(file.name)
    return frozenset(found)


def date_of_name(name: str) -> date | None:
    """The date that a file of lines is named after, as 2026-11-22.jsonl; None for any other name."""
    match = _DATE_FILE.fullmatch(name)
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def is_store_id(name: str) -> bool:
    """Whether a folder can be a store's."""
    return _STORE_ID.fullmatch(name) is not None


def landed_schema(line_format: LineFormat) -> pl.Schema:
    """Schema of a batch's frame."""
    store: dict[str, type[pl.DataType]] = {"store_id": pl.String} if line_format.by_store else {}
    columns: dict[str, pl.DataType | type[pl.DataType]] = {**line_format.schema, **store}
    return pl.Schema({**columns, SOURCE_FILE: pl.String, SOURCE_LINE: pl.Int64})


def put_aside(
    source: Path, place: Path, name: str, category: str, rejections: Sequence[Rejection], now: datetime
) -> None:
    """Moves what was refused unread to its place among the rejected, with the reasons beside it. Of what is no plain
    file the reasons alone are kept. Raises OSError."""
    is_file = is_plain(source)
    write_reasons(place, name, category, rejections, now)
    if is_file:
        move(source, place)
    elif source.is_dir() and not source.is_symlink():
        # Only an empty one: whatever lies in a folder is refused by itself.
        source.rmdir()
    else:
        source.unlink()


def move(source: Path, target: Path) -> None:
    """Moves a plain file, whole or not at all as seen at the target; one that is gone by now is left out."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        try:
            source.replace(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            arriving = target.with_name(f".{target.name}.arriving")
            shutil.copyfile(source, arriving, follow_symlinks=False)
            arriving.replace(target)
            source.unlink()


def write_reasons(place: Path, name: str, category: str, rejections: Sequence[Rejection], now: datetime) -> None:
    """Puts the reasons beside a rejected file: field names and reason codes, never a value."""
    reasons = {
        "source": name,
        "category": category,
        "rejected_at": now.isoformat(timespec="milliseconds"),
        "lines": [{"line": r.line, "field": r.field, "reason": str(r.reason)} for r in rejections],
    }
    write_whole(place.with_name(f"{_short(place.name)}.reason.json"), json.dumps(reasons, indent=1).encode())


def _lines(raw: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if line.strip():
            yield number, line.rstrip(b"\r")


def _line_place(inside: tuple[str, ...], line_format: LineFormat) -> tuple[str | None, bool]:
    """The store whose folder a file of lines lies in, and whether it lies and is called as the contract says."""
    *folders, name = inside
    has_date = date_of_name(name) is not None
    if not line_format.by_store:
        return None, has_date and not folders
    return (folders[0], has_date) if len(folders) == 1 and is_store_id(folders[0]) else (None, False)


def _short(name: str) -> str:
    """A name with room for what is put behind it; one that is too long becomes a hash."""
    raw = name.encode("utf-8", "surrogateescape")
    return name if len(raw) <= _LONGEST_NAME else hashlib.sha256(raw).hexdigest()[:24]
