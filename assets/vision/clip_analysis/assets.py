"""The decode pass over new clips, as a Dagster asset."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl

from assets.vision.clip_analysis import checks
from lakehouse.contracts import store_reference, vision
from lakehouse.store_day import rows_within
from resources.steps.declare import table_assets
from resources.steps.facts import mean
from resources.steps.metadata import Digest, Fact
from resources.steps.partitions import STORE_DAYS, store_day_of
from resources.steps.write_path import Report, Tables, TableWrite
from resources.workplace import Workplace

if TYPE_CHECKING:
    from assets.vision.store_view import SlotView

FOOTAGE_POOL = "footage"


@table_assets(
    "clip_analysis",
    [
        (vision.DETECTIONS, [vision.FOOTAGE_SEGMENTS, store_reference.CAMERAS]),
        (
            vision.SLOT_EPISODES,
            [vision.FOOTAGE_SEGMENTS, store_reference.CAMERAS, store_reference.SLOT_VIEWS, store_reference.PLANOGRAMS],
        ),
    ],
    checks=checks.DECLARED,
    partitions_def=STORE_DAYS,
    pool=FOOTAGE_POOL,
    kinds=["opencv", "openvino"],
)
def clip_analysis(context: dg.AssetExecutionContext, tables: Tables, workplace: Workplace) -> Iterator[Report]:
    """One decode pass over every clip that has no rows yet by this detector and these slots, in worker
    processes."""
    from assets.vision.basis import digest_of, frame_digest
    from assets.vision.clip_analysis.tasks import ClipTask, analyse, clips_to_analyse, detector_version, fitting_clips
    from assets.vision.detection.settings import DetectorSettings
    from assets.vision.footage.day_clips import usable_clips
    from assets.vision.store_view import cameras_of, planogram_on, views_of
    from resources.compute.workers import work

    started, day, settings = time.monotonic(), store_day_of(context), workplace.settings()
    segments = tables.read(vision.FOOTAGE_SEGMENTS, day)
    camera_rows = tables.read_store(store_reference.CAMERAS, day.store_id)
    view_rows = tables.read_store(store_reference.SLOT_VIEWS, day.store_id)
    planograms = tables.read_store(store_reference.PLANOGRAMS, day.store_id)
    planogram = planogram_on(planograms, day.business_date)
    cameras, views = cameras_of(camera_rows), views_of(view_rows, planogram)
    wanted = DetectorSettings(settings.file.detector.model_path, settings.file.detector.precision)
    model = detector_version(wanted)
    basis = digest_of([model, frame_digest(camera_rows, view_rows, planogram)])
    held, held_episodes = tables.read(vision.DETECTIONS, day), tables.read(vision.SLOT_EPISODES, day)
    if tables.last_digest(context, vision.DETECTIONS, "basis") != basis:
        held, held_episodes = held.clear(), held_episodes.clear()
    usable = usable_clips(segments, settings.footage_root)
    sorted_out = fitting_clips(usable, segments, cameras)
    clips = sorted_out.fitting
    with_slots = [camera_id for camera_id, (slots, _) in views.items() if slots]
    new = clips_to_analyse(clips, held_episodes, held, with_slots)
    nothing: tuple[list[SlotView], list[SlotView]] = ([], [])
    tasks = [
        ClipTask(clip, cameras[clip.camera_id], tuple(slots), tuple(zones), wanted)
        for clip in new
        for slots, zones in [views.get(clip.camera_id, nothing)]
    ]
    done = iter(range(1, len(tasks) + 1))
    worked = work(
        analyse,
        tasks,
        settings.file.workers,
        lambda _index, _result: context.log.info(f"{next(done)} of {len(tasks)} clips"),
    )
    catalogued = segments["clip_id"].implode()
    detections = pl.concat([held.filter(pl.col("clip_id").is_in(catalogued)), *(r.detections for r in worked.results)])
    episodes = pl.concat(
        [
            held_episodes.filter(pl.col("clip_id").is_in(catalogued)),
            *(r.slot_episodes for r in worked.results),
        ]
    )
    inside, past_midnight = rows_within(day, detections)
    minutes = sum(r.stats.frame_count / task.clip.fps for r, task in zip(worked.results, tasks, strict=True)) / 60
    failed = sum(bool(r.stats.reason) for r in worked.results)
    facts: dict[str, Fact] = {
        "basis": Digest(basis),
        "clips_analysed": len(tasks),
        "clips_kept_from_before": len(clips) - len(tasks),
        "clips_failed": failed,
        "clips_of_unknown_cameras": sorted_out.of_unknown_cameras,
        "clips_of_other_size": sorted_out.of_other_size,
        "core_seconds": round(worked.core_seconds, 2),
        "seconds": round(time.monotonic() - started, 2),
        "peak_worker_mb": round(worked.peak_mb, 1),
        "rows_past_midnight": past_midnight,
    }
    if minutes:
        facts |= {
            "core_seconds_per_camera_minute": round(worked.core_seconds / minutes, 3),
            "camera_seconds_per_core_second": round(60 * minutes / max(worked.core_seconds, 1e-6), 2),
            "frames_looked_at_share": round(
                sum(r.stats.looked_at_count for r in worked.results)
                / max(1, sum(r.stats.frame_count for r in worked.results)),
                4,
            ),
        }
    episodes, _ = rows_within(day, episodes)
    yield from tables.write(
        context,
        [
            TableWrite(
                vision.DETECTIONS,
                inside.sort("camera_id", "captured_at", "clip_id", "detection_index"),
                checks.check_detections(inside, camera_rows, segments, len(usable) - len(clips) + failed),
                {"mean_score": mean(inside, "score_prob"), **facts},
                may_empty=not segments.is_empty(),
            ),
            TableWrite(
                vision.SLOT_EPISODES,
                episodes.sort("camera_id", "started_at", "slot_id", "episode_id"),
                checks.check_slot_episodes(episodes, view_rows),
                {f"{kind}_episodes": episodes.filter(pl.col("kind") == kind).height for kind in vision.EPISODE_KINDS}
                | {"basis": Digest(basis)},
                may_empty=not segments.is_empty(),
            ),
        ],
        store_day=day,
        model_version=model,
        planogram_version=frame_digest(planogram),
    )
