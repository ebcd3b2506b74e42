"""Clips in the landing folder: a clip counts once it and its sidecar lie side by side.

`landing/footage/<store>/<camera>/<captured_at>.mp4` + `.json` becomes, after the catalogue row was
committed, `footage/<store>/<camera>/<capture hour>/<captured_at>-<hash>.mp4` + `.json`. The hash in the
name keeps clips apart that share camera and time but not content; the same clip landed twice finds its
place taken and is dropped. The sidecar's capture time must be the one in the name: the name starts the run of its
day, and a clip of another day would wait for ever.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from lakehouse.contracts.columns import INSTANT
from lakehouse.store_day import capture_hour
from resources.landing.fields import Field, load_json, moment, number, parse_object, text_id, whole
from resources.landing.file_access import is_plain, open_plain, read_whole
from resources.landing.folder import (
    REJECTED,
    Consumption,
    Landing,
    Rejection,
    files_below,
    is_store_id,
    move,
    put_aside,
)
from resources.landing.refusals import Reason, Refused

STAMP = "%Y%m%dT%H%M%S"
CLIP_SUFFIX = ".mp4"
SIDECAR_SUFFIX = ".json"

MOST_SIDECAR_BYTES = 1 << 24
"""A sidecar with the times of a million frames takes 8 MB."""

_STAMP = re.compile(r"(20[0-9]{6}T[0-9]{6})\.([0-9]{3})Z")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Sidecar:
    """What the recorder says about a clip. `frame_times_ms`: true offset of every frame from `captured_at`,
    when the recorder dropped some; None for an even rate. Whether the offsets rise, and whether there are as many as
    frames, is for the catalogue to judge."""

    camera_id: str
    store_id: str
    captured_at: datetime
    fps: float
    frame_count: int
    width_px: int
    height_px: int
    sha256: str
    clock_skew_ms: int
    frame_times_ms: tuple[float, ...] | None = None

    @property
    def store_time(self) -> datetime:
        """Capture time by the store's clock, which decides: the camera's clock minus its known skew."""
        return self.captured_at - timedelta(milliseconds=self.clock_skew_ms)


@dataclass(frozen=True)
class LandedClip:
    """A clip with its sidecar. `stamped_at`: capture time by the file name; `place`: where it will lie
    below the footage root, by the capture time that the sidecar gives; `hour`: the folder's, from which its life
    counts; `sha256` is computed."""

    store_id: str
    camera_id: str
    stamped_at: datetime
    clip: Path
    sidecar_file: Path
    sidecar: Sidecar
    size_bytes: int
    sha256: str
    place: str

    @property
    def hour(self) -> str:
        """Capture hour by the earlier of the two clocks: a skew, true or false, never prolongs a clip's life."""
        return _hour_of(self.sidecar)

    @property
    def is_intact(self) -> bool:
        """Whether the file is the one that the sidecar describes."""
        return self.sha256 == self.sidecar.sha256


@dataclass(frozen=True)
class FootageBatch:
    """Clips ready for the catalogue; refused files; and how many wait for their other half."""

    clips: tuple[LandedClip, ...]
    rejections: tuple[Rejection, ...]
    waiting: int


@dataclass(frozen=True)
class _Pairing:
    pairs: tuple[tuple[Path, Path], ...] = ()
    halves: tuple[Path, ...] = ()
    strangers: tuple[Path, ...] = field(default=())


def parse_stamp(stem: str) -> datetime:
    """Capture time from a clip's file name, as 20261122T020000.000Z, from 2000 to 2099. Raises `Refused`."""
    if not (match := _STAMP.fullmatch(stem)):
        raise Refused(Reason.FILE_NAME)
    try:
        whole_seconds = datetime.strptime(match[1], STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise Refused(Reason.FILE_NAME) from None
    return whole_seconds.replace(microsecond=int(match[2]) * 1000)


def format_stamp(captured_at: datetime) -> str:
    """The inverse of `parse_stamp`, to the millisecond."""
    moment_utc = captured_at.astimezone(UTC)
    return f"{moment_utc.strftime(STAMP)}.{moment_utc.microsecond // 1000:03d}Z"


def place_of(sidecar: Sidecar, sha256: str) -> str:
    """Place of a clip below the footage root, named by the camera's clock; its hour is a folder, so that it can be
    unlinked as one."""
    name = f"{format_stamp(sidecar.captured_at)}-{sha256[:12]}{CLIP_SUFFIX}"
    return f"{sidecar.store_id}/{sidecar.camera_id}/{_hour_of(sidecar)}/{name}"


def _hour_of(sidecar: Sidecar) -> str:
    return capture_hour(min(sidecar.captured_at, sidecar.store_time))


def parse_sidecar(raw: bytes) -> Sidecar:
    """A sidecar from its JSON. Raises `Refused`, naming field and reason."""
    row = parse_object(load_json(raw), _SIDECAR)
    times = row.pop("frame_times_ms")
    return Sidecar(**row, frame_times_ms=None if times is None else tuple(times))  # type: ignore[arg-type]


def declared_skew(raw: bytes) -> timedelta:
    """How far the recorder's clock was ahead of the store's, by a sidecar whose other fields may be refused: a clip's
    day and its age depend on it before anybody takes the clip in. Zero where nothing usable is said."""
    try:
        content = load_json(raw)
        skew = _SIDECAR["clock_skew_ms"].parse(content.get("clock_skew_ms") if isinstance(content, dict) else None)
    except Refused:
        return timedelta()
    assert isinstance(skew, int)
    return timedelta(milliseconds=skew)


def read_footage(landing: Landing, store_id: str | None = None) -> FootageBatch:
    """The clips in landing whose sidecar has arrived, oldest first. Moves nothing."""
    base = landing.root / "footage"
    clips: list[LandedClip] = []
    rejections: list[Rejection] = []
    waiting = 0
    by_folder: dict[Path, list[Path]] = {}
    for path in files_below(base / store_id if store_id else base):
        inside = path.relative_to(base).parts
        if len(inside) == 3 and is_store_id(inside[0]):
            by_folder.setdefault(path.parent, []).append(path)
        else:
            rejections.append(_refuse(landing, path, Reason.FILE_NAME))
    for folder, files in sorted(by_folder.items()):
        odd = {path for path in files if not _is_plain_or_gone(path)}
        pairing = pair(path for path in files if path not in odd)
        unnamed = [path for path in pairing.halves if not _is_stamp(path.stem)]
        # The other half of what is refused goes with it.
        lost = {path.with_suffix("") for path in odd}
        waiting += len([path for path in pairing.halves if path not in unnamed and path.with_suffix("") not in lost])
        rejections += [_refuse(landing, path, Reason.FILE_NAME) for path in (*pairing.strangers, *unnamed)]
        rejections += [_refuse(landing, path, Reason.NOT_A_PLAIN_FILE) for path in sorted(odd)]
        for clip, sidecar_file in pairing.pairs:
            try:
                clips.append(_landed(folder.parent.name, folder.name, clip, sidecar_file))
            except FileNotFoundError:
                # Gone while we looked: the run of another day refused it.
                continue
            except Refused as refused:
                rejections.append(_refuse(landing, sidecar_file, refused.reason, refused.field_name))
    clips.sort(key=lambda clip: (clip.stamped_at, clip.place))
    return FootageBatch(tuple(clips), tuple(rejections), waiting)


def pair(paths: Iterable[Path]) -> _Pairing:
    """Clips and sidecars of one camera's folder by their stem; files that are neither are strangers."""
    files = sorted(paths)
    strangers = tuple(path for path in files if path.suffix not in (CLIP_SUFFIX, SIDECAR_SUFFIX))
    by_stem: dict[str, dict[str, Path]] = {}
    for path in files:
        if path not in strangers:
            by_stem.setdefault(path.stem, {})[path.suffix] = path
    pairs = tuple((both[CLIP_SUFFIX], both[SIDECAR_SUFFIX]) for both in by_stem.values() if len(both) == 2)
    halves = tuple(path for both in by_stem.values() if len(both) == 1 for path in both.values())
    return _Pairing(pairs, halves, strangers)


def consume_footage(landing: Landing, batch: FootageBatch, footage_root: Path, *, now: datetime) -> Consumption:
    """Moves the batch's clips to their places, sidecars first, after the catalogue rows were committed;
    what was refused goes to `landing/rejected/footage/`, where the 168 h clock of footage goes on."""
    moved = rejected = kept = 0
    for clip in batch.clips:
        target = footage_root / clip.place
        try:
            if not (_is_plain_or_gone(clip.clip) and _is_plain_or_gone(clip.sidecar_file)):
                kept += 1
                continue
            move(clip.sidecar_file, target.with_suffix(SIDECAR_SUFFIX))
            move(clip.clip, target)
            moved += 1
        except OSError:
            # One that cannot be moved is tried again by the next run of its day, and stops no other.
            kept += 1
    for rejection in batch.rejections:
        refused = landing.root / rejection.file
        if rejection.reason is Reason.NOT_A_PLAIN_FILE and _is_plain_or_gone(refused):
            # It has become a file since, as when a second name was only there while it was put in place.
            kept += 1
            continue
        for source in _with_other_half(refused):
            place = landing.root / REJECTED / source.relative_to(landing.root)
            try:
                put_aside(source, place, rejection.file, "footage", [rejection], now)
                rejected += 1
            except OSError:
                kept += 1
    reasons = Counter(str(rejection.reason) for rejection in batch.rejections)
    return Consumption(moved, rejected, 0, batch.waiting + kept, dict(sorted(reasons.items())))


def _landed(store_id: str, camera_id: str, clip: Path, sidecar_file: Path) -> LandedClip:
    stamped_at = parse_stamp(clip.stem)
    sidecar = parse_sidecar(read_whole(sidecar_file, MOST_SIDECAR_BYTES))
    if sidecar.store_id != store_id:
        raise Refused(Reason.WRONG_STORE, "store_id")
    if sidecar.camera_id != camera_id:
        raise Refused(Reason.WRONG_CAMERA, "camera_id")
    if format_stamp(sidecar.captured_at) != clip.stem:
        raise Refused(Reason.WRONG_TIME, "captured_at")
    try:
        with open_plain(clip) as descriptor, os.fdopen(os.dup(descriptor), "rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            size_bytes = os.fstat(descriptor).st_size
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise Refused(Reason.UNREADABLE) from None
    place = place_of(sidecar, sha256)
    return LandedClip(store_id, camera_id, stamped_at, clip, sidecar_file, sidecar, size_bytes, sha256, place)


def _with_other_half(path: Path) -> list[Path]:
    halves = {path}
    if path.suffix in (CLIP_SUFFIX, SIDECAR_SUFFIX):
        halves |= {path.with_suffix(CLIP_SUFFIX), path.with_suffix(SIDECAR_SUFFIX)}
    return sorted(half for half in halves if os.path.lexists(half))


def _is_plain_or_gone(path: Path) -> bool:
    try:
        return is_plain(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _is_stamp(stem: str) -> bool:
    try:
        parse_stamp(stem)
    except Refused:
        return False
    return True


def _refuse(landing: Landing, path: Path, reason: Reason, field_name: str = "") -> Rejection:
    return Rejection(path.relative_to(landing.root).as_posix(), 0, field_name, reason)


def _sha256(value: object) -> str:
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise Refused(Reason.NOT_AN_ID)
    return value


def _times(value: object) -> list[float]:
    if not isinstance(value, list):
        raise Refused(Reason.WRONG_TYPE)
    offset = number(-86_400_000, 86_400_000)
    return [offset(element) for element in value]  # type: ignore[misc]


_SIDECAR = {
    "camera_id": Field(pl.String, text_id),
    "store_id": Field(pl.String, text_id),
    "captured_at": Field(INSTANT, moment),
    "fps": Field(pl.Float64, number(0.1, 240.0)),
    "frame_count": Field(pl.Int64, whole(0, 1_000_000)),
    "width_px": Field(pl.Int64, whole(1, 16_384)),
    "height_px": Field(pl.Int64, whole(1, 16_384)),
    "sha256": Field(pl.String, _sha256),
    "clock_skew_ms": Field(pl.Int64, whole(-86_400_000, 86_400_000)),
    "frame_times_ms": Field(pl.List(pl.Float64), _times, required=False),
}
