"""From clips in the landing folder and the catalogue so far to the clips of a store-day."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from assets.vision.footage.catalogue import Probe, Sidecar, clip_of
from assets.vision.footage.clip import Clip, read_container
from assets.vision.footage.frame_times import FrameTimes, true_times
from lakehouse.contracts.retention import DROP_MARGIN
from lakehouse.contracts.vision import FOOTAGE_SEGMENTS, USABLE_STATUSES
from lakehouse.life import expiry
from lakehouse.store_day import StoreDay
from resources.landing.folder import Rejection
from resources.landing.footage import SIDECAR_SUFFIX, FootageBatch, LandedClip
from resources.landing.refusals import Reason

NOT_OPENED = "no decoder opens the file"
AHEAD_LIMIT = DROP_MARGIN
"""A clip dated farther ahead than this has a wrong clock. What is dated less far ahead still dies within its limit, if
it lands when it was captured: deletion is early by as much.
"""


@dataclass(frozen=True)
class DayBatch:
    """Clips of one store-day, to be catalogued now; and what is refused because its time is over."""

    clips: tuple[LandedClip, ...]
    refused: tuple[Rejection, ...]

    def batch(self, landed: FootageBatch) -> FootageBatch:
        """What is to be consumed after the catalogue was committed."""
        return FootageBatch(self.clips, (*landed.rejections, *self.refused), landed.waiting)


def clips_of_day(
    landed: FootageBatch,
    store_day: StoreDay,
    landing_root: Path,
    now: datetime,
    *,
    latest: datetime | None = None,
    is_sealed: bool = False,
) -> DayBatch:
    """The landed clips that began on the day, by the store's clock. A clip whose capture hour has expired is refused,
    as is one from the future: neither can be kept on time. A skew that the sidecar declares moves a clip between days
    and never prolongs its life: its hour is that of the earlier clock, and it cannot begin after it arrived.
    `latest`: the latest that it may be, where a doubted clock is ahead of `now`: only what lies beyond is certain to
    be from the future."""
    mine: list[LandedClip] = []
    refused: list[Rejection] = []
    for clip in landed.clips:
        began = clip.sidecar.store_time
        name = clip.sidecar_file.relative_to(landing_root).as_posix()
        if expiry.is_expired(FOOTAGE_SEGMENTS, clip.hour, now):
            refused.append(Rejection(name, 0, "captured_at", Reason.EVIDENCE_EXPIRED))
        elif began > (latest or now) + AHEAD_LIMIT:
            refused.append(Rejection(name, 0, "captured_at", Reason.OUT_OF_RANGE))
        elif StoreDay.of_instant(clip.store_id, began) == store_day:
            if is_sealed:
                refused.append(Rejection(name, 0, "captured_at", Reason.EVIDENCE_EXPIRED))
            else:
                mine.append(clip)
    return DayBatch(tuple(mine), tuple(refused))


def sidecar_of(clip: LandedClip) -> Sidecar:
    """The landed sidecar in the catalogue's terms."""
    found = clip.sidecar
    return Sidecar(
        store_id=found.store_id,
        camera_id=found.camera_id,
        captured_at=found.captured_at,
        fps=found.fps,
        frame_count=found.frame_count,
        width_px=found.width_px,
        height_px=found.height_px,
        sha256=found.sha256,
        clock_skew_ms=found.clock_skew_ms,
        frame_times_ms=tuple(float(offset) for offset in found.frame_times_ms or ()),
    )


def known_probes(segments: pl.DataFrame, footage_root: Path, arriving: Sequence[str]) -> list[Probe]:
    """Probes of the clips that the catalogue holds, without opening them again.

    A clip whose place is among `arriving` and that does not lie there yet was catalogued by a run that died before it
    moved the file: it is probed as new.
    """
    coming = set(arriving)
    rows = segments.sort("path", pl.col("status") == "duplicate", "status").iter_rows(named=True)
    return [
        _known_probe(row, footage_root)
        for row in rows
        if row["path"] not in coming or (footage_root / row["path"]).exists()
    ]


def usable_clips(segments: pl.DataFrame, footage_root: Path) -> list[Clip]:
    """Clips that can be decoded and still lie below the footage root, in order of camera and time."""
    rows = segments.filter(pl.col("status").is_in(USABLE_STATUSES)).sort("camera_id", "captured_at", "clip_id")
    return [
        replace(
            clip_of(_known_probe(row, footage_root), footage_root / row["path"]),
            is_corrected=row["status"] == "corrected",
        )
        for row in rows.iter_rows(named=True)
        if (footage_root / row["path"]).exists()
    ]


def with_true_times(clip: Clip) -> Clip:
    """A corrected clip with the times that the catalogue found for it. Reads its sidecar and the file, whole."""
    promised = _stored_sidecar(clip.path.with_suffix(SIDECAR_SUFFIX))
    container = read_container(clip.path).times_ms
    times = (
        true_times(clip.fps, (), len(container), container)
        if promised is None
        else true_times(promised.fps, promised.frame_times_ms, promised.frame_count, container)
    )
    return replace(clip, fps=times.fps, frame_times_ms=times.offsets_ms, is_corrected=False)


def without_redeliveries(clips: Sequence[LandedClip], segments: pl.DataFrame) -> list[LandedClip]:
    """Clips that the catalogue does not already hold twice: a first redelivery is on record as `duplicate`, more of
    the same add nothing."""
    times_known = dict(segments.group_by("path").len().iter_rows())
    return [clip for clip in clips if times_known.get(clip.place, 0) < 2]


def _known_probe(row: Mapping[str, object], footage_root: Path) -> Probe:
    path = footage_root / str(row["path"])
    sidecar = _stored_sidecar(path.with_suffix(SIDECAR_SUFFIX)) or _sidecar_of_row(row)
    began, ended = row["captured_at"], row["ended_at"]
    assert isinstance(began, datetime)
    assert isinstance(ended, datetime)
    status = str(row["status"])
    return Probe(
        sidecar=sidecar,
        path=str(row["path"]),
        size_bytes=int(str(row["size_bytes"])),
        sha256=str(row["sha256"]),
        frame_count=int(str(row["frame_count"])),
        declared_frames=int(str(row["declared_frame_count"])),
        width_px=int(str(row["width_px"])),
        height_px=int(str(row["height_px"])),
        can_open=row["reason"] != NOT_OPENED,
        times=FrameTimes(float(str(row["fps"])), sidecar.frame_times_ms),
        last_ms=(ended - began) / timedelta(milliseconds=1),
        # Whether a clip is a duplicate depends on the others; its own verdict stands beside the first of its kind.
        verdict=None if status == "duplicate" else (status, str(row["reason"])),
    )


def _stored_sidecar(path: Path) -> Sidecar | None:
    """None if there is none, or none that can be read: what the catalogue holds of the clip must do then."""
    try:
        return Sidecar.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, RecursionError, AttributeError):
        return None


def _sidecar_of_row(row: Mapping[str, object]) -> Sidecar:
    captured_at, skew_ms = row["captured_at"], int(str(row["skew_ms"]))
    assert isinstance(captured_at, datetime)
    return Sidecar(
        store_id=str(row["store_id"]),
        camera_id=str(row["camera_id"]),
        captured_at=captured_at + timedelta(milliseconds=skew_ms),
        fps=float(str(row["fps"])),
        frame_count=int(str(row["declared_frame_count"])),
        width_px=int(str(row["width_px"])),
        height_px=int(str(row["height_px"])),
        sha256=str(row["sha256"]),
        clock_skew_ms=skew_ms,
    )
