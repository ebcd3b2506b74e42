"""A very short day, and the renderer on it: what renders is among the long tests, which install the renderer."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from simulation.layout import LAYOUTS, SHIPPED
from simulation.scenario import write_script
from simulation.stock import Shelves, make_planogram
from simulation.timeline import direct_day


def test_a_package_put_back_lies_where_it_was() -> None:
    shelves = Shelves(SHIPPED, make_planogram(SHIPPED.slots, np.random.default_rng(1)), {})
    for slot in SHIPPED.slots:
        before = dict(shelves.content[slot.slot_id])
        place = shelves.front(slot.slot_id)
        product = shelves.take(slot.slot_id)
        assert place not in shelves.content[slot.slot_id]
        shelves.put(slot.slot_id, product)
        assert shelves.content[slot.slot_id] == before


def test_shelves_never_run_negative_and_events_follow_scripts() -> None:
    for layout in LAYOUTS.values():
        script = write_script(layout, 4, ("put_back", "same_product"), 12.0)
        day = direct_day(layout, script, 170)
        wanted = Counter(step.kind for visit in script.visits for step in visit.steps)
        assert Counter(event.type for event in day.events) == wanted
        together = [event.time_s for event in day.events if event.scenario == "same_product"]
        assert min(abs(a - b) for k, a in enumerate(together) for b in together[:k]) < 0.5


def test_the_same_seed_gives_the_same_day() -> None:
    days = [direct_day(SHIPPED, write_script(SHIPPED, 5, ("single", "touch"), 10.0), 120) for _ in range(2)]
    assert days[0].events == days[1].events
    assert all(np.array_equal(a.position, b.position) for a, b in zip(days[0].motions, days[1].motions, strict=True))


@pytest.mark.long
def test_a_tiny_day_renders_with_boxes_on_the_people(tmp_path: Path) -> None:
    from simulation.boxes import person_box
    from simulation.clip import Clip
    from simulation.renderer import Renderer
    from simulation.sensor import Sensor
    from simulation.stage import Stage, cast

    script = write_script(SHIPPED, 5, ("single",), 10.0)
    day = direct_day(SHIPPED, script, 120)
    stage = Stage(SHIPPED, day, Shelves(SHIPPED, script.planogram, script.holes), cast(day, 5))
    renderer = Renderer(SHIPPED)
    for actor in stage.actors:
        renderer.add_person(actor.motion.visit.person_id, actor.body, actor.clothes)
    renderer.set_packages("shelves", stage.packages())
    pick = next(event for event in day.events if event.type == "pick")
    frame = round(pick.time_s * 10)
    camera = SHIPPED.cameras[1]
    sensor = Sensor(camera, 5, 1, 120)

    def shot(with_people: bool) -> tuple[np.ndarray, list[tuple[float, ...]]]:
        people, carried = stage.people_at(frame) if with_people else ({}, [])
        renderer.set_packages("carried", carried)
        renderer.set_scene(people)
        picture, depth = renderer.draw(camera)
        boxes = [person_box(camera, vertices, normals, depth) for vertices, normals in people.values()]
        return sensor.expose(picture, frame, frame / 10), [box for box in boxes if box is not None]

    empty, _ = shot(False)
    full, boxes = shot(True)
    assert len(boxes) == 1
    left, top, width, height, visible = boxes[0]
    assert visible > 0.5
    changed = np.abs(full.astype(int) - empty).max(axis=2) > 60
    columns, rows = np.flatnonzero(changed.any(axis=0)), np.flatnonzero(changed.any(axis=1))
    inside = changed[int(top) : int(top + height), int(left) : int(left + width)]
    assert inside.sum() / changed.sum() > 0.9  # the rest is shadow
    assert inside.mean() > 0.2
    assert abs(rows[0] - top) < 15
    assert columns[0] < left + 15
    with Clip(tmp_path / "x.mp4", 10, 640, 480) as clip:
        for position in (0, 1, 3):
            clip.add(full, position)
    video, count = cv2.VideoCapture(str(tmp_path / "x.mp4")), 0
    while video.grab():
        count += 1
    assert count == 3


@pytest.mark.long
def test_the_reference_of_a_day_is_perturbed_by_one_to_three_pixels(tmp_path: Path) -> None:
    import yaml

    from simulation.day_rendering import FIRST_DAY
    from simulation.reference import project, write_reference

    planogram = make_planogram(SHIPPED.slots, np.random.default_rng(1))
    write_reference(tmp_path, SHIPPED, planogram, 9, FIRST_DAY)
    written = yaml.safe_load((tmp_path / "reference/stores/s001/cameras.yaml").read_text())["cameras"]
    corners = np.concatenate([slot.corners() for slot in SHIPPED.slots])
    for camera, row in zip(SHIPPED.cameras, written, strict=True):
        seen = (corners @ camera.rotation.T + camera.translation)[:, 2] > 0.5
        vector, _ = cv2.Rodrigues(np.array(row["rotation"]))
        pixels, _ = cv2.projectPoints(
            corners[seen],
            vector,
            np.array(row["translation_m"]),
            np.array(row["matrix"]),
            np.array(row["distortion"]),
        )
        true = project(camera, corners[seen])
        shown = (true > 0).all(axis=1) & (true < [640, 480]).all(axis=1)
        error = np.linalg.norm(pixels.reshape(-1, 2) - true, axis=1)[shown]
        assert 0.2 < float(np.median(error)) < 6.0


def test_boxes_of_the_shipped_day_lie_in_the_frame() -> None:
    from simulation.landing import SHIPPED as FOLDER

    assert json.loads((FOLDER / "manifest.json").read_text())["layout"] == "shipped"
    boxes = pl.read_parquet(FOLDER / "truth" / "boxes.parquet")
    assert (boxes["left_px"] >= 0).all()
    assert ((boxes["left_px"] + boxes["width_px"]) <= 640.01).all()
    assert ((boxes["top_px"] + boxes["height_px"]) <= 480.01).all()
