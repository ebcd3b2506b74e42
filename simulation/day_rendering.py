"""Renders a whole store-day: landing files on one side, exact truth on the other, a manifest over both."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from simulation.catalogue import POPULATION, STAFF_ACCOUNT
from simulation.history import account_rows
from simulation.instants import iso, stamp
from simulation.layout import LAYOUTS, Layout
from simulation.paths import NoPath
from simulation.scenario import SCENARIOS, Script, write_script
from simulation.timeline import FPS, Day, direct_day
from simulation.truth import BOXES, write_truth

CLIP_S = 60
FIRST_DAY = date(2025, 1, 1)
_ORDER = (
    "single",
    "several",
    "put_back",
    "same_product",
    "restocking",
    "wrong_slot",
    "browser",
    "hand_over",
    "tailgater",
    "touch",
    "put_back",
)
_counter: Any = None


@dataclass(frozen=True)
class Recipe:
    """What decides a day: layout, seed, length in seconds, start (UTC)."""

    layout: str
    seed: int
    seconds: int
    t0: datetime


def plan(recipe: Recipe) -> tuple[Layout, Script, Day]:
    """Scripts and motion of a day: as many scenarios of the order as fit into its seconds.

    Raises NoPath when not even one fits.
    """
    layout = LAYOUTS[recipe.layout]
    assert set(_ORDER) == set(SCENARIOS)
    for count in range(len(_ORDER), 0, -1):
        script = write_script(layout, recipe.seed, _ORDER[:count], 11.5)
        try:
            return layout, script, direct_day(layout, script, recipe.seconds)
        except NoPath:
            continue
    raise NoPath("no scenario fits")


def _set_counter(counter: Any) -> None:
    global _counter  # noqa: PLW0603 - a worker process has no other place for what its initializer got
    _counter = counter


def render_segment(recipe: Recipe, segment: int, out: Path, samples: int = 0) -> list[tuple[Any, ...]]:
    """Render one clip of every camera; rows of the boxes table (frame_index still counted per clip)."""
    from simulation.boxes import person_box
    from simulation.clip import Clip
    from simulation.renderer import Renderer
    from simulation.sensor import Sensor, clock_skew_ms, kept_frames
    from simulation.stage import Stage, cast
    from simulation.stock import Shelves

    layout, script, day = plan(recipe)
    stage = Stage(layout, day, Shelves(layout, script.planogram, script.holes), cast(day, recipe.seed))
    renderer = Renderer(layout, samples)
    for actor in stage.actors:
        renderer.add_person(actor.motion.visit.person_id, actor.body, actor.clothes)
    first = segment * CLIP_S * int(FPS)
    count = min(CLIP_S * int(FPS), recipe.seconds * int(FPS) - first)
    stage.shelves_at(first / FPS)
    renderer.set_packages("shelves", stage.packages())
    cameras = list(enumerate(layout.cameras))
    sensors = [Sensor(camera, recipe.seed, number, recipe.seconds) for number, camera in cameras]
    kept = [kept_frames(first, count, recipe.seed, number) for number, _ in cameras]
    skews = [clock_skew_ms(recipe.seed, number) for number, _ in cameras]
    starts = [recipe.t0 + timedelta(seconds=first / FPS, milliseconds=skew) for skew in skews]
    paths = [
        out / "footage" / layout.store_id / camera.camera_id / f"{stamp(starts[number])}.mp4"
        for number, camera in cameras
    ]
    clips = [Clip(paths[number], int(FPS), camera.width_px, camera.height_px) for number, camera in cameras]
    rows: list[tuple[Any, ...]] = []
    for frame in range(first, first + count):
        changed = stage.shelves_at(frame / FPS)
        if changed is not None:
            renderer.set_packages("shelves", changed)
        people, carried = stage.people_at(frame)
        renderer.set_packages("carried", carried)
        renderer.set_scene(people)
        for number, camera in cameras:
            if frame not in kept[number]:
                continue
            picture, depth = renderer.draw(camera)
            for person_id, (vertices, normals) in people.items():
                found = person_box(camera, vertices, normals, depth)
                if found is not None and found[4] >= 0.02:
                    box = tuple(round(v, 2) for v in found)
                    rows.append(
                        (
                            camera.camera_id,
                            0,
                            round(frame / FPS, 3),
                            person_id,
                            *box,
                            paths[number].stem,
                            clips[number].frame_count,
                        )
                    )
            clips[number].add(sensors[number].expose(picture, frame, frame / FPS), frame - first)
        if _counter is not None:
            with _counter.get_lock():
                _counter.value += 1
    for number, camera in cameras:
        clips[number].__exit__(None, None, None)
        sidecar: dict[str, Any] = {
            "camera_id": camera.camera_id,
            "store_id": layout.store_id,
            "captured_at": iso(starts[number]),
            "fps": FPS,
            "frame_count": len(kept[number]),
            "width_px": camera.width_px,
            "height_px": camera.height_px,
            "sha256": hashlib.sha256(paths[number].read_bytes()).hexdigest(),
            "clock_skew_ms": skews[number],
        }
        if len(kept[number]) < count:
            sidecar["frame_times_ms"] = [round((frame - first) * 1000 / FPS) for frame in kept[number]]
        paths[number].with_suffix(".json").write_text(json.dumps(sidecar) + "\n", encoding="utf-8")
    return rows


def gate_events(day: Day, layout: Layout, recipe: Recipe) -> list[dict[str, Any]]:
    """The scans of a day as the gates deliver them, by time."""
    out = []
    for motion in day.motions:
        visit = motion.visit
        if visit.account_id is None:
            continue
        moments = (("entry", "gate-1", motion.entry_s), ("exit", "gate-2", motion.exit_s))
        for direction, gate, at in moments:
            assert gate in layout.gates
            scanned = iso(recipe.t0 + timedelta(seconds=round(at, 3)))
            out.append(
                {
                    "account_id": visit.account_id,
                    "gate_id": gate,
                    "scanned_at": scanned,
                    "direction": direction,
                    "payment_method": visit.payment_method,
                }
            )
    return sorted(out, key=lambda row: row["scanned_at"])


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    """A JSON-lines file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def render_day(
    recipe: Recipe, out: Path, workers: int, on_progress: Callable[[int, int], None], samples: int = 0
) -> dict[str, Any]:
    """Render a day to out/landing, out/truth and out/manifest.json; the manifest.

    Raises ModuleNotFoundError without the simulation extra and NoPath when nothing fits into the seconds.
    """
    from simulation.reference import write_reference

    layout, script, day = plan(recipe)
    landing, truth = out / "landing", out / "truth"
    business_date = recipe.t0.astimezone(ZoneInfo("Asia/Shanghai")).date()
    write_reference(landing, layout, script.planogram, recipe.seed, FIRST_DAY)
    write_lines(
        landing / "gate_events" / layout.store_id / f"{business_date}.jsonl",
        gate_events(day, layout, recipe),
    )
    accounts = {m.visit.account_id for m in day.motions}
    write_lines(
        landing / "accounts" / f"{business_date}.jsonl",
        [row for row in account_rows(POPULATION) if row["account_id"] in accounts],
    )
    segments = -(-recipe.seconds // CLIP_S)
    frames = recipe.seconds * int(FPS)
    context = multiprocessing.get_context("spawn")
    counter = context.Value("i", 0)
    with ProcessPoolExecutor(workers, context, _set_counter, (counter,)) as pool:
        tasks = [pool.submit(render_segment, recipe, segment, landing, samples) for segment in range(segments)]
        while True:
            finished, waiting = wait(tasks, timeout=0.5)
            on_progress(counter.value, frames)
            for task in finished:
                task.result()
            if not waiting:
                break
    rows = [row for task in tasks for row in task.result()]
    boxes = pl.DataFrame(rows, schema=BOXES, orient="row").sort("camera_id", "time_s", "person_id")
    boxes = _count_frames(boxes, landing, layout.store_id)
    write_truth(truth, day, business_date, boxes)
    manifest = {
        "is_simulated": True,
        "seed": recipe.seed,
        "layout": layout.name,
        "store_id": layout.store_id,
        "seconds": recipe.seconds,
        "t0": iso(recipe.t0),
        "timezone": "Asia/Shanghai",
        "business_date": business_date.isoformat(),
        "staff_account_id": STAFF_ACCOUNT,
        "persons": len(day.motions),
        "events": dict(sorted(Counter(event.type for event in day.events).items())),
        "camera_seconds": recipe.seconds * len(layout.cameras),
        "versions": {
            name: metadata.version(name) for name in ("anny", "av", "moderngl", "numpy", "opencv-python-headless")
        },
        "sha256": {
            str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(out.rglob("*"))
            if path.is_file() and path.name != "manifest.json"
        },
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return manifest


def _count_frames(boxes: pl.DataFrame, landing: Path, store_id: str) -> pl.DataFrame:
    """frame_index: frames of the camera's clips counted on through the day."""
    offsets = []
    for folder in sorted((landing / "footage" / store_id).iterdir()):
        before = 0
        for sidecar in sorted(folder.glob("*.json")):
            offsets.append((folder.name, sidecar.stem, before))
            before += json.loads(sidecar.read_text())["frame_count"]
    table = pl.DataFrame(offsets, schema={"camera_id": pl.String, "clip": pl.String, "offset": pl.Int32}, orient="row")
    return (
        boxes.join(table, on=["camera_id", "clip"])
        .with_columns(frame_index=(pl.col("offset") + pl.col("clip_frame_index")).cast(pl.Int32))
        .select(list(BOXES))
        .sort("camera_id", "frame_index", "person_id")
    )


def default_recipe(seed: int, seconds: int, layout: str) -> Recipe:
    """A day that begins at a fixed instant, ten in the morning in Shanghai."""
    return Recipe(layout, seed, seconds, datetime(2026, 11, 20, 2, 0, 0, tzinfo=UTC))
