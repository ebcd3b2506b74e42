"""From the landing folder's clips to shelf events, as Dagster assets. Here: what is read, which one pure
function is called, what is written and reported. Not here: anything about pictures or people, which is in
the modules beside this one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl

from assets.vision import checks
from lakehouse import seals
from lakehouse.contracts import orders, store_reference, vision
from lakehouse.store_day import StoreDay, capture_hour_of
from resources.facts import mean
from resources.lake import Report, Tables, TableWrite, Workplace
from resources.metadata import Digest, Fact, Picture
from resources.partitions import STORE_DAYS, store_day_of
from resources.table_assets import table_assets

if TYPE_CHECKING:
    from assets.vision.merge import StorePlan
    from assets.vision.slots import SlotView

FOOTAGE_POOL = "footage"


@table_assets(
    "footage_segments",
    [(vision.FOOTAGE_SEGMENTS, [store_reference.CAMERAS])],
    checks={"vision/footage_segments": checks.DECLARED["vision/footage_segments"]},
    partitions_def=STORE_DAYS,
    kinds=["opencv"],
)
def footage_segments(context: dg.AssetExecutionContext, tables: Tables, workplace: Workplace) -> Iterator[Report]:
    """Catalogues what landed for the day beside what is catalogued already, then moves the clips to their
    places."""
    from assets.vision.footage_catalogue import catalogue, counts_by_status, probe
    from assets.vision.landed_clips import clips_of_day, known_probes, sidecar_of, without_redeliveries
    from resources.landing_footage import consume_footage, read_footage

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


@table_assets(
    "clip_analysis",
    [
        (vision.DETECTIONS, [vision.FOOTAGE_SEGMENTS, store_reference.CAMERAS]),
        (
            vision.SLOT_EPISODES,
            [vision.FOOTAGE_SEGMENTS, store_reference.CAMERAS, store_reference.SLOT_VIEWS, store_reference.PLANOGRAMS],
        ),
    ],
    checks={path: checks.DECLARED[path] for path in ("vision/detections", "vision/slot_episodes")},
    partitions_def=STORE_DAYS,
    pool=FOOTAGE_POOL,
    kinds=["opencv", "openvino"],
)
def clip_analysis(context: dg.AssetExecutionContext, tables: Tables, workplace: Workplace) -> Iterator[Report]:
    """One decode pass over every clip that has no rows yet by this detector and these slots, in worker
    processes."""
    from assets.vision import clip_work
    from assets.vision.detector import DetectorSettings
    from assets.vision.landed_clips import usable_clips
    from resources.footage_workers import work

    started, day, settings = time.monotonic(), store_day_of(context), workplace.settings()
    segments = tables.read(vision.FOOTAGE_SEGMENTS, day)
    camera_rows = tables.read_store(store_reference.CAMERAS, day.store_id)
    view_rows = tables.read_store(store_reference.SLOT_VIEWS, day.store_id)
    planograms = tables.read_store(store_reference.PLANOGRAMS, day.store_id)
    planogram = clip_work.planogram_on(planograms, day.business_date)
    cameras, views = clip_work.cameras_of(camera_rows), clip_work.views_of(view_rows, planogram)
    wanted = DetectorSettings(settings.file.detector.model_path, settings.file.detector.precision)
    model = clip_work.detector_version(wanted)
    basis = clip_work.digest_of([model, clip_work.frame_digest(camera_rows, view_rows, planogram)])
    held, held_episodes = tables.read(vision.DETECTIONS, day), tables.read(vision.SLOT_EPISODES, day)
    if tables.last_digest(context, vision.DETECTIONS, "basis") != basis:
        held, held_episodes = held.clear(), held_episodes.clear()
    usable = usable_clips(segments, settings.footage_root)
    sorted_out = clip_work.fitting_clips(usable, segments, cameras)
    clips = sorted_out.fitting
    with_slots = [camera_id for camera_id, (slots, _) in views.items() if slots]
    new = clip_work.clips_to_analyse(clips, held_episodes, held, with_slots)
    nothing: tuple[list[SlotView], list[SlotView]] = ([], [])
    tasks = [
        clip_work.ClipTask(clip, cameras[clip.camera_id], tuple(slots), tuple(zones), wanted)
        for clip in new
        for slots, zones in [views.get(clip.camera_id, nothing)]
    ]
    done = iter(range(1, len(tasks) + 1))
    worked = work(
        clip_work.analyse,
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
    inside, past_midnight = _within(day, detections)
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
    episodes, _ = _within(day, episodes)
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
        planogram_version=clip_work.frame_digest(planogram),
    )


@table_assets(
    "trajectories",
    [
        (table, [vision.DETECTIONS, store_reference.CAMERAS, store_reference.STORES])
        for table in (vision.SIGHTINGS, vision.TRACK_POINTS, vision.TRACKS, vision.CLOTHING)
    ],
    checks={
        path: checks.DECLARED[path]
        for path in ("vision/sightings", "vision/track_points", "vision/tracks", "vision/clothing")
    },
    partitions_def=STORE_DAYS,
    kinds=["scipy"],
)
def trajectories(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """One trajectory per person from the detections of all cameras."""
    from assets.vision import clip_work, merge
    from assets.vision.camera_agreement import without

    started, day = time.monotonic(), store_day_of(context)
    detections = tables.read(vision.DETECTIONS, day)
    camera_rows = tables.read_store(store_reference.CAMERAS, day.store_id)
    stores = tables.read_store(store_reference.STORES, day.store_id)
    misplaced = _misplaced(detections, camera_rows, stores)
    seen = without(detections, misplaced)
    found = merge.trajectories(seen, clip_work.cameras_of(camera_rows), _plan(stores))
    seconds = round(time.monotonic() - started, 2)
    slots = tables.read_store(store_reference.SLOTS, day.store_id)
    picture = _floor_picture(day, stores, slots, found.tracks, found.track_points)
    filled = found.sightings.filter("is_filled").height / max(1, found.sightings.height)
    yield from tables.write(
        context,
        [
            TableWrite(
                vision.SIGHTINGS,
                found.sightings,
                [
                    *checks.check_tracks_known(found.sightings, found.tracks),
                    checks.check_cameras_agree(misplaced, detections),
                ],
                {
                    "filled_share": round(filled, 4),
                    **{f"camera_hours_{reason}": count for reason, count in _counts(misplaced, "reason").items()},
                },
                may_empty=True,
            ),
            TableWrite(
                vision.TRACK_POINTS,
                found.track_points,
                checks.check_track_points(found.track_points, found.tracks, stores),
                {"mean_cameras": mean(found.track_points, "camera_count"), "floor_density": picture},
                may_empty=True,
            ),
            TableWrite(
                vision.TRACKS,
                found.tracks,
                checks.check_tracks(found.tracks, found.track_points),
                {
                    "mean_continuity": mean(found.tracks, "continuity_prob"),
                    "started_in_entrance_share": mean(found.tracks, "started_in_entrance"),
                    "ended_in_exit_share": mean(found.tracks, "ended_in_exit"),
                    "seconds": seconds,
                    "floor_density": picture,
                },
                may_empty=True,
            ),
            TableWrite(
                vision.CLOTHING,
                found.clothing,
                checks.check_tracks_known(found.clothing, found.tracks),
                {"mean_upper_share": mean(found.clothing, "upper_prob")},
                may_empty=True,
            ),
        ],
        store_day=day,
    )


@table_assets(
    "shelf_events",
    [
        (
            vision.SHELF_EVENTS,
            [
                vision.SLOT_EPISODES,
                vision.DETECTIONS,
                store_reference.CAMERAS,
                store_reference.STORES,
                vision.SIGHTINGS,
                vision.TRACK_POINTS,
                vision.TRACKS,
                store_reference.SLOTS,
                store_reference.PLANOGRAMS,
                orders.VISITS,
                orders.VISIT_TRACKS,
            ],
        )
    ],
    checks={"vision/shelf_events": checks.DECLARED["vision/shelf_events"]},
    partitions_def=STORE_DAYS,
    kinds=["scipy"],
)
def shelf_events(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """Slot episodes of all cameras as events, each given to the person who stood there, or to nobody."""
    from assets.vision import attribution, clip_work
    from assets.vision.camera_agreement import without

    started, day = time.monotonic(), store_day_of(context)
    planograms = tables.read_store(store_reference.PLANOGRAMS, day.store_id)
    planogram = clip_work.planogram_on(planograms, day.business_date)
    slots = tables.read_store(store_reference.SLOTS, day.store_id)
    tracks, points = tables.read(vision.TRACKS, day), tables.read(vision.TRACK_POINTS, day)
    stores = tables.read_store(store_reference.STORES, day.store_id)
    cameras = tables.read_store(store_reference.CAMERAS, day.store_id)
    # A camera that does not look where it should sees other slots than those whose names it gives.
    misplaced = _misplaced(tables.read(vision.DETECTIONS, day), cameras, stores)
    episodes = tables.read(vision.SLOT_EPISODES, day)
    kept = without(episodes, misplaced)
    found = attribution.attribute(
        kept,
        tables.read(vision.SIGHTINGS, day),
        points,
        slots,
        planogram,
        store_id=day.store_id,
        staff_tracks=_staff_tracks(tables, day),
    )
    # An event belongs to the hour in which it began, so that it is never kept longer than its own first
    # moment allows.
    events, _ = _within(day, found.with_columns(capture_hour=capture_hour_of("started_at")))
    moving = events.filter(pl.col("type") != "touch")
    facts: dict[str, Fact] = {
        f"{kind}_events": events.filter(pl.col("type") == kind).height for kind in vision.EVENT_TYPES
    }
    facts |= {
        "unmatched_rate": round(moving["track_id"].null_count() / max(1, moving.height), 4),
        "mean_event_confidence": mean(moving, "event_prob"),
        "mean_attribution_confidence": mean(moving, "attribution_prob"),
        "mean_cameras": mean(moving, "camera_count"),
        "episodes_left_out": episodes.height - kept.height,
        "seconds": round(time.monotonic() - started, 2),
        "planogram": Digest(clip_work.frame_digest(planogram)),
    }
    facts["floor_density"] = _floor_picture(day, stores, slots, tracks, points, events)
    yield from tables.write(
        context,
        [
            TableWrite(
                vision.SHELF_EVENTS,
                events,
                checks.check_shelf_events(events, slots, tracks),
                facts,
                may_empty=True,
            )
        ],
        store_day=day,
        planogram_version=clip_work.frame_digest(planogram),
    )


def _staff_tracks(tables: Tables, day: StoreDay) -> frozenset[str]:
    staff = tables.read(orders.VISITS, day).filter(pl.col("state") == "staff")
    links = tables.read(orders.VISIT_TRACKS, day)
    return frozenset(links.join(staff.select("visit_id"), "visit_id")["track_id"])


def _misplaced(detections: pl.DataFrame, cameras: pl.DataFrame, stores: pl.DataFrame) -> pl.DataFrame:
    from assets.vision.camera_agreement import misplaced_cameras
    from assets.vision.clip_work import cameras_of

    floor_m = stores.select("floor_width_m", "floor_depth_m").row(0) if stores.height else (0.0, 0.0)
    return misplaced_cameras(detections, cameras_of(cameras), floor_m)


def _counts(frame: pl.DataFrame, column: str) -> dict[str, int]:
    return dict(frame.group_by(column).len().sort(column).iter_rows())


def _floor_picture(
    day: StoreDay,
    stores: pl.DataFrame,
    slots: pl.DataFrame,
    tracks: pl.DataFrame,
    points: pl.DataFrame,
    events: pl.DataFrame | None = None,
) -> Picture:
    """Nobody's way in particular: Dagster's event log outlives movement data."""
    from resources.floor_density import density_of, floor_density_png
    from resources.floor_plan import Plan

    drawn = vision.SHELF_EVENTS.schema.to_frame() if events is None else events
    plan, density = Plan.of_store(stores, day.store_id), density_of(slots, tracks, points, drawn)
    return Picture(floor_density_png(plan, density, title=f"{day.store_id}  {day.business_date}"))


def _plan(stores: pl.DataFrame) -> StorePlan:
    import numpy as np

    from assets.vision.merge import StorePlan

    if stores.is_empty():
        raise dg.Failure("the store has no reference data yet: run the job `reference` first", allow_retries=False)
    row = stores.row(0, named=True)
    return StorePlan(row["store_id"], np.asarray(row["entrance_zone_m"]), np.asarray(row["exit_zone_m"]))


def _within(day: StoreDay, frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Rows of the day's capture hours, and how many lie past midnight (a clip may run over it by seconds)."""
    inside = frame.filter(pl.col("capture_hour").is_in(list(day.capture_hours)))
    return inside, frame.height - inside.height


def _camera_minutes(segments: pl.DataFrame) -> float:
    usable = segments.filter(pl.col("status").is_in(vision.USABLE_STATUSES))
    return round(float(usable["duration_ms"].sum()) / 60_000, 3)


ASSETS = (footage_segments, clip_analysis, trajectories, shelf_events)
