"""The catalogue of what landed, as a Dagster asset."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import polars as pl

from assets.vision.footage import checks
from lakehouse.contracts import store_reference, vision
from lakehouse.life import seals
from resources.steps.declare import table_assets
from resources.steps.partitions import STORE_DAYS, store_day_of
from resources.steps.write_path import Report, Tables, TableWrite
from resources.workplace import Workplace


@table_assets(
    "footage_segments",
    [(vision.FOOTAGE_SEGMENTS, [store_reference.CAMERAS])],
    checks=checks.DECLARED,
    partitions_def=STORE_DAYS,
    kinds=["opencv"],
)
def footage_segments(context: dg.AssetExecutionContext, tables: Tables, workplace: Workplace) -> Iterator[Report]:
    """Catalogues what landed for the day beside what is catalogued already, then moves the clips to their
    places."""
    from assets.vision.footage.catalogue import catalogue, counts_by_status, probe
    from assets.vision.footage.day_clips import clips_of_day, known_probes, sidecar_of, without_redeliveries
    from resources.landing.footage import consume_footage, read_footage

    day, now = store_day_of(context), tables.now()
    settings, landing = workplace.settings(), workplace.landing()
    landed = read_footage(landing, day.store_id)
    is_sealed = seals.is_sealed(tables.workplace.lake(), day)
    latest = max(now, tables.clock.now())
    arriving = clips_of_day(landed, day, landing.root, now, latest=latest, is_sealed=is_sealed)
    if is_sealed:
        # Moved out of the way first, or every later run would stumble over the same clips.
        consume_footage(landing, arriving.batch(landed), settings.footage_root, now=now)
        raise dg.Failure(f"the store-day is sealed: {len(arriving.refused)} clips refused", allow_retries=False)
    known = tables.read(vision.FOOTAGE_SEGMENTS, day)
    fresh = without_redeliveries(arriving.clips, known)
    probes = known_probes(known, settings.footage_root, [clip.place for clip in fresh])
    probes += [probe(clip.clip, sidecar_of(clip), clip.place) for clip in fresh]
    segments = catalogue(probes, day.start_at, day.end_at)
    cameras = tables.read_store(store_reference.CAMERAS, day.store_id)
    counts = counts_by_status(segments)
    yield from tables.write(
        context,
        [
            TableWrite(
                vision.FOOTAGE_SEGMENTS,
                segments,
                checks.check_footage_segments(segments, cameras),
                {f"clips_{status}": counts.get(status, 0) for status in vision.SEGMENT_STATUSES}
                | {
                    "clips_arrived": len(fresh),
                    "clips_refused": len(landed.rejections) + len(arriving.refused),
                }
                | {"camera_minutes": _camera_minutes(segments)},
            )
        ],
        store_day=day,
    )
    # Only now: a crash before this line means that the same clips are read once more.
    consume_footage(landing, arriving.batch(landed), settings.footage_root, now=now)


def _camera_minutes(segments: pl.DataFrame) -> float:
    usable = segments.filter(pl.col("status").is_in(vision.USABLE_STATUSES))
    return round(float(usable["duration_ms"].sum()) / 60_000, 3)
