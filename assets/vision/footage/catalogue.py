"""Catalogue of footage: what a clip is worth before anything looks at it.

Probing one file is `probe`; judging a day's probes against each other (duplicates, gaps, clips dated outside
their store-day) is `catalogue`. A clip that cannot be used is counted with its reason and the rest goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from assets.vision.footage.clip import Clip, Container, read_container
from assets.vision.footage.frame_times import FrameTimes, true_times
from lakehouse.contracts.vision import FOOTAGE_SEGMENTS, USABLE_STATUSES
from lakehouse.store_day import capture_hour_of

TRUNCATED_SHARE = 0.98
"""A clip with fewer of its promised frames than this is truncated; a frame lost at the end of a recording is
not.
"""
HASH_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Sidecar:
    """What the camera says of a clip: the .json beside the file."""

    store_id: str
    camera_id: str
    captured_at: datetime
    fps: float
    frame_count: int
    width_px: int
    height_px: int
    sha256: str
    clock_skew_ms: int = 0
    frame_times_ms: tuple[float, ...] = ()

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Sidecar:
        """Raises ValueError naming the field that is absent or wrong; no value is echoed."""
        try:
            captured_at = datetime.fromisoformat(str(fields["captured_at"]).replace("Z", "+00:00"))
            sidecar = cls(
                store_id=str(fields["store_id"]),
                camera_id=str(fields["camera_id"]),
                captured_at=captured_at,
                fps=float(fields["fps"]),
                frame_count=int(fields["frame_count"]),
                width_px=int(fields["width_px"]),
                height_px=int(fields["height_px"]),
                sha256=str(fields["sha256"]),
                clock_skew_ms=int(fields.get("clock_skew_ms", 0)),
                frame_times_ms=tuple(float(value) for value in fields.get("frame_times_ms") or ()),
            )
        except KeyError as error:
            raise ValueError(f"sidecar: field {error.args[0]} is absent") from None
        except (TypeError, ValueError):
            raise ValueError("sidecar: a field has the wrong type") from None
        if captured_at.tzinfo is None:
            raise ValueError("sidecar: captured_at needs a time zone")
        if not 0.1 <= sidecar.fps <= 240.0:
            raise ValueError("sidecar: fps is not between 0.1 and 240")
        return sidecar

    @property
    def store_time(self) -> datetime:
        """Capture time by the store's clock: the camera's clock minus its known skew."""
        return self.captured_at - timedelta(milliseconds=self.clock_skew_ms)


@dataclass(frozen=True)
class Probe:
    """A file looked at once. `frame_count` counts frames that decode; `declared_frames` is the larger promise;
    `width_px` and `height_px` are those of the first picture as it is shown, turned if the file asks for it.

    `times`: what is known of the frames' times; None: as the sidecar says. `fault`: what else of the sidecar does not
    hold. `last_ms` (offset of the last frame) and `verdict` (status and reason): of a clip that the catalogue holds
    already and that is not opened again.
    """

    sidecar: Sidecar
    path: str
    size_bytes: int
    sha256: str
    frame_count: int
    declared_frames: int
    width_px: int
    height_px: int
    can_open: bool
    times: FrameTimes | None = None
    fault: str = ""
    last_ms: float | None = None
    verdict: tuple[str, str] | None = None

    @property
    def fps(self) -> float:
        """The frames' rate: the container's where the sidecar's does not hold."""
        return self.times.fps if self.times is not None else self.sidecar.fps


def probe(path: Path, sidecar: Sidecar, relative_path: str) -> Probe:
    """Hash the file, count the frames that decode and ask each for its time (without converting any but the first:
    0.3 ms a frame), and hold the sidecar against them."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(HASH_CHUNK_BYTES):
            digest.update(chunk)
    found = read_container(path)
    times = true_times(sidecar.fps, sidecar.frame_times_ms, sidecar.frame_count, found.times_ms)
    return Probe(
        sidecar=sidecar,
        path=relative_path,
        size_bytes=path.stat().st_size,
        sha256=digest.hexdigest(),
        frame_count=len(found.times_ms),
        declared_frames=max(sidecar.frame_count, found.header_frames),
        width_px=found.width_px,
        height_px=found.height_px,
        can_open=found.can_open,
        times=times,
        fault=_fault_of(sidecar, found),
    )


def _fault_of(sidecar: Sidecar, found: Container) -> str:
    """What of a sidecar besides its times does not hold; "" if all does."""
    faults = []
    if (sidecar.width_px, sidecar.height_px) != (found.width_px, found.height_px):
        faults.append("its size is not the pictures'")
    if len(found.times_ms) > sidecar.frame_count:
        faults.append("more frames decode than it promises")
    if found.turned_deg:
        faults.append(f"it is silent on the file's pictures being turned by {found.turned_deg} degrees")
    return "; ".join(faults)


def clip_id_of(camera_id: str, captured_at: datetime, sha256: str) -> str:
    """Clips are one and the same only if camera, capture time and hash agree."""
    return hashlib.sha256(f"{camera_id}|{captured_at.isoformat()}|{sha256}".encode()).hexdigest()[:20]


def status_of(found: Probe, day_start: datetime, day_end: datetime) -> tuple[str, str]:
    """(status, reason) of a probe by itself; the reason is empty for `ok`."""
    if found.verdict is not None:
        return found.verdict
    return _unusable(found, day_start, day_end) or _usable(found)


def _unusable(found: Probe, day_start: datetime, day_end: datetime) -> tuple[str, str] | None:
    if not found.can_open:
        return "unreadable", "no decoder opens the file"
    if found.frame_count == 0:
        return "empty", "no frame decodes"
    if found.sidecar.sha256 and found.sidecar.sha256 != found.sha256:
        return "unreadable", "the file is not the one its sidecar describes (hash)"
    if not day_start <= found.sidecar.store_time < day_end:
        return "misdated", "captured outside the store-day that it was delivered for"
    if found.times is not None and not found.times.is_known:
        return "untimed", found.times.fault
    return None


def _usable(found: Probe) -> tuple[str, str]:
    faults = [fault for fault in (found.fault, found.times.fault if found.times else "") if fault]
    is_cut = found.frame_count < TRUNCATED_SHARE * found.declared_frames
    cut = [f"{found.frame_count} of {found.declared_frames} promised frames decode"] if is_cut else []
    if faults:
        return "corrected", "; ".join(["sidecar: " + "; ".join(faults), *cut])
    return ("truncated", cut[0]) if cut else ("ok", "")


def catalogue(probes: Sequence[Probe], day_start: datetime, day_end: datetime) -> pl.DataFrame:
    """Rows of vision/footage_segments for one store-day's probes, ordered by camera and time.

    Times are the store's: the camera's clock minus its known skew. Gaps are counted over clips that hold
    frames and lie in the day; a clip delivered twice keeps its first place, later ones are `duplicate`.
    """
    rows: list[dict[str, object]] = []
    seen: set[str] = set()
    ended: dict[str, datetime] = {}
    ordered = sorted(probes, key=lambda p: (p.sidecar.camera_id, p.sidecar.captured_at, p.path))
    for found in ordered:
        sidecar = found.sidecar
        clip = clip_of(found, Path(found.path))
        status, reason = status_of(found, day_start, day_end)
        identity = clip.clip_id
        if identity in seen:
            status, reason = "duplicate", "the same camera, time and content were delivered before"
            identity = f"{identity}-{hashlib.sha256(found.path.encode()).hexdigest()[:6]}"
        seen.add(clip.clip_id)
        is_timed = found.frame_count > 0 and status != "untimed"
        last_s = _last_s(found, clip) if is_timed else 0.0
        duration_s = last_s + 1.0 / found.fps if is_timed else 0.0
        gap_ms = 0
        if status in USABLE_STATUSES:
            before = ended.get(sidecar.camera_id)
            if before is not None:
                gap_ms = max(0, round((clip.captured_at - before).total_seconds() * 1000))
            end = clip.instant(duration_s)
            ended[sidecar.camera_id] = end if before is None else max(before, end)
        rows.append(
            {
                "store_id": sidecar.store_id,
                "camera_id": sidecar.camera_id,
                "clip_id": identity,
                "captured_at": clip.captured_at,
                "ended_at": clip.instant(last_s),
                "duration_ms": round(duration_s * 1000),
                "frame_count": found.frame_count,
                "declared_frame_count": found.declared_frames,
                "fps": found.fps,
                "width_px": found.width_px,
                "height_px": found.height_px,
                "size_bytes": found.size_bytes,
                "sha256": found.sha256,
                "status": status,
                "reason": reason,
                "gap_before_ms": gap_ms,
                "skew_ms": sidecar.clock_skew_ms,
                "path": found.path,
            }
        )
    schema = FOOTAGE_SEGMENTS.schema
    known = pl.Schema({name: kind for name, kind in schema.items() if name != "capture_hour"})
    return (
        pl.DataFrame(rows, schema=known)
        .with_columns(capture_hour=capture_hour_of("captured_at"))
        .select(schema.names())
    )


def _last_s(found: Probe, clip: Clip) -> float:
    # To the microsecond, as the table keeps it: a clip comes out the same when its row is read again.
    return round(clip.time_s(found.frame_count - 1) if found.last_ms is None else found.last_ms / 1000.0, 6)


def clip_of(found: Probe, path: Path) -> Clip:
    """The clip that a probe describes, in store time."""
    sidecar = found.sidecar
    times = sidecar.frame_times_ms if found.times is None else found.times.offsets_ms
    return Clip(
        store_id=sidecar.store_id,
        camera_id=sidecar.camera_id,
        clip_id=clip_id_of(sidecar.camera_id, sidecar.captured_at, found.sha256),
        path=path,
        captured_at=sidecar.store_time,
        fps=found.fps,
        frame_times_ms=times,
    )


def counts_by_status(segments: pl.DataFrame) -> dict[str, int]:
    """How many clips of each status, for the run's report."""
    counted: Iterable[tuple[str, int]] = segments.group_by("status").len().sort("status").iter_rows()
    return dict(counted)
