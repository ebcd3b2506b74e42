"""A camera's pixels and the floor are one and the same place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.vision.camera import Camera
from assets.vision.trajectories.floor_position import locate


def looking_at(
    position: tuple[float, float, float], target: tuple[float, float, float], focal_px: float = 420.0
) -> Camera:
    forward = np.subtract(target, position)
    forward = forward / np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rotation = np.stack([right, np.cross(forward, right), forward])
    return Camera(
        camera_id="c1",
        width_px=640,
        height_px=480,
        matrix=np.array([[focal_px, 0, 322.0], [0, focal_px, 238.0], [0, 0, 1.0]]),
        distortion=np.array([-0.06, 0.01, 0.0003, -0.0004, 0.0]),
        rotation=rotation,
        translation_m=-rotation @ np.array(position),
    )


CAMERA = looking_at((0.3, 0.3, 2.8), (4.0, 3.5, 0.6))


@settings(max_examples=60, deadline=None)
@given(st.floats(2.0, 6.0), st.floats(1.5, 5.0))
def test_floor_point_comes_back_from_its_pixel(x: float, y: float) -> None:
    px = CAMERA.project([[x, y, 0.0]])
    assert CAMERA.to_floor(px)[0] == pytest.approx([x, y], abs=1e-3)


@settings(max_examples=30, deadline=None)
@given(st.floats(2.0, 6.0), st.floats(1.5, 5.0), st.floats(0.5, 1.9))
def test_point_at_a_height_comes_back_when_the_height_is_told(x: float, y: float, z: float) -> None:
    px = CAMERA.project([[x, y, z]])
    assert CAMERA.to_floor(px, z)[0] == pytest.approx([x, y], abs=1e-3)


def test_sky_has_no_floor_and_what_is_behind_no_pixel() -> None:
    assert np.isnan(CAMERA.to_floor([[320.0, -4000.0]])).all()
    assert np.isnan(CAMERA.project([[-5.0, -5.0, 1.0]])).all()


def test_a_wrong_shape_names_its_field() -> None:
    entry = {"camera_id": "c", "width_px": 1, "height_px": 1, "matrix": [[1, 0], [0, 1]]}
    with pytest.raises(ValueError, match="matrix"):
        Camera.from_reference(entry)


def person_box(camera: Camera, x: float, y: float, height_m: float = 1.72) -> list[float]:
    ring = [(0.2 * np.cos(a), 0.2 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 12, endpoint=False)]
    body = [(x + dx, y + dy, z) for dx, dy in ring for z in (0.0, 0.9)] + [(x, y, height_m)]
    px = camera.project(body)
    near, far = px.min(axis=0), px.max(axis=0)
    return [near[0], near[1], far[0] - near[0], far[1] - near[1]]


@settings(max_examples=40, deadline=None)
@given(st.floats(2.5, 6.0), st.floats(2.0, 5.0), st.floats(1.5, 1.9))
def test_a_person_is_found_where_they_stand(x: float, y: float, height_m: float) -> None:
    found = locate(CAMERA, [person_box(CAMERA, x, y, height_m)])
    assert found.xy_m[0] == pytest.approx([x, y], abs=0.15)


def test_feet_below_the_picture_widen_the_doubt_but_do_not_move_the_person() -> None:
    left, top, width, height = person_box(CAMERA, 2.6, 2.1)
    cut = [left, top, width, 479.0 - top] if top + height > 479 else [left, top, width, height]
    near = looking_at((0.3, 0.3, 2.8), (4.0, 3.5, 1.6))
    left, top, width, height = person_box(near, 2.2, 2.2)
    assert top + height > 480
    cut = [left, top, width, 480.0 - top]
    whole, part = locate(CAMERA, [person_box(CAMERA, 2.2, 2.2)]), locate(near, [cut])
    assert part.xy_m[0] == pytest.approx([2.2, 2.2], abs=0.3)
    assert part.variance_m2[0] > whole.variance_m2[0]


def test_no_boxes_give_no_positions() -> None:
    assert locate(CAMERA, np.empty((0, 4))).xy_m.shape == (0, 2)
