"""Triangles of the store: room, door, gate posts, gondolas, and unit packages to be drawn many times."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulation.layout import (
    DOOR_Y,
    ENTRY_LANE_Y,
    EXIT_LANE_Y,
    GATE_X,
    SHELF_DEPTH_M,
    WALL_HEIGHT_M,
    Array,
    Layout,
)

# a static vertex: position 3, normal 3, colour 3, material (0 plain, 1 floor tiles, 2 wall)
Mesh = NDArray[np.float32]
_QUADS = (
    ((0, 0, 1), (-1, -1, 1), (1, -1, 1), (1, 1, 1), (-1, 1, 1)),
    ((0, 0, -1), (-1, -1, -1), (-1, 1, -1), (1, 1, -1), (1, -1, -1)),
    ((1, 0, 0), (1, -1, -1), (1, 1, -1), (1, 1, 1), (1, -1, 1)),
    ((-1, 0, 0), (-1, 1, -1), (-1, -1, -1), (-1, -1, 1), (-1, 1, 1)),
    ((0, 1, 0), (1, 1, -1), (-1, 1, -1), (-1, 1, 1), (1, 1, 1)),
    ((0, -1, 0), (-1, -1, -1), (1, -1, -1), (1, -1, 1), (-1, -1, 1)),
)
_CORNERS = (0, 1, 2, 0, 2, 3)


def box(low: Array, high: Array, colour: tuple[float, float, float], material: int = 0) -> Mesh:
    """An axis-aligned box between two corners."""
    low, high = np.minimum(low, high), np.maximum(low, high)
    centre, half = (low + high) / 2, (high - low) / 2
    rows = []
    for normal, *corners in _QUADS:
        for k in _CORNERS:
            rows.append([*(centre + half * np.array(corners[k])), *normal, *colour, material])
    return np.array(rows, np.float32)


def quad(
    corners: list[list[float]],
    normal: tuple[float, float, float],
    colour: tuple[float, float, float],
    material: int,
) -> Mesh:
    """A flat quadrilateral."""
    return np.array([[*corners[k], *normal, *colour, material] for k in _CORNERS], np.float32)


def _room(layout: Layout) -> list[Mesh]:
    w, d, h = layout.width_m, layout.depth_m, WALL_HEIGHT_M
    grey, blue = (0.80, 0.79, 0.76), (0.74, 0.78, 0.80)
    low, high = DOOR_Y
    parts = [
        quad([[-2.5, -1, 0], [w, -1, 0], [w, d, 0], [-2.5, d, 0]], (0, 0, 1), (0.74, 0.73, 0.70), 1),
        quad([[0, d, 0], [w, d, 0], [w, d, h], [0, d, h]], (0, -1, 0), grey, 2),
        quad([[w, 0, 0], [w, d, 0], [w, d, h], [w, 0, h]], (-1, 0, 0), blue, 2),
        quad([[0, 0, 0], [w, 0, 0], [w, 0, h], [0, 0, h]], (0, 1, 0), grey, 2),
        quad([[0, 0, 0], [0, low, 0], [0, low, h], [0, 0, h]], (1, 0, 0), blue, 2),
        quad([[0, high, 0], [0, d, 0], [0, d, h], [0, high, h]], (1, 0, 0), blue, 2),
        quad([[0, low, 2.2], [0, high, 2.2], [0, high, h], [0, low, h]], (1, 0, 0), blue, 2),
        quad([[-2.5, 0, 0], [-2.5, d, 0], [-2.5, d, h], [-2.5, 0, h]], (1, 0, 0), (0.30, 0.31, 0.33), 0),
    ]
    middle = (ENTRY_LANE_Y + EXIT_LANE_Y) / 2
    for y in (ENTRY_LANE_Y - 0.48, middle, EXIT_LANE_Y + 0.48):
        a, b = np.array([GATE_X - 0.25, y - 0.05, 0.0]), np.array([GATE_X + 0.25, y + 0.05, 0.95])
        parts.append(box(a, b, (0.35, 0.37, 0.40)))
        parts.append(box(a + np.array([0, -0.01, 0.95]), b + np.array([0, 0.01, 0.04]), (0.15, 0.60, 0.35)))
    return parts


def _gondolas(layout: Layout) -> list[Mesh]:
    parts: list[Mesh] = []
    for gondola in layout.gondolas:
        start, along = np.array([*gondola.start, 0.0]), np.array([*gondola.along, 0.0])
        back = -np.array([*gondola.normal, 0.0]) * SHELF_DEPTH_M
        end, up = start + along * gondola.length_m, np.array([0.0, 0.0, 1.0])
        white, light, red = (0.86, 0.86, 0.84), (0.80, 0.80, 0.78), (0.70, 0.08, 0.10)
        top = gondola.shelf_heights_m[-1] + 0.36
        parts.append(box(start + back * 0.97, end + back + up * top, (0.62, 0.62, 0.60)))
        for side in (start - along * 0.03, end):
            parts.append(box(side, side + along * 0.03 + back + up * top, light))
        parts.append(box(start + back * 0.05, end + back + up * 0.12, (0.45, 0.45, 0.44)))
        for height in gondola.shelf_heights_m:
            parts.append(box(start + up * (height - 0.03), end + back + up * height, white))
            parts.append(box(start - back * 0.02 + up * (height - 0.045), end + up * (height + 0.004), red))
            for number in range(gondola.slots_per_shelf):
                at = start + along * ((number + 0.5) * 0.25 - 0.03) - back * 0.021 + up * (height - 0.04)
                parts.append(box(at, at + along * 0.06 - back * 0.004 + up * 0.035, (0.95, 0.95, 0.90)))
    return parts


def store_mesh(layout: Layout) -> Mesh:
    """The whole static store, (n, 10)."""
    return np.concatenate(_room(layout) + _gondolas(layout))


def unit_box() -> Mesh:
    """A package from -0.5 to 0.5 in x and y and 0 to 1 in z: position 3, normal 3, texture 2."""
    texture = ((0, 1), (1, 1), (1, 0), (0, 0))
    rows = []
    for normal, *corners in _QUADS:
        for k in _CORNERS:
            x, y, z = corners[k]
            u, down = texture[k]
            v = 0.06 + 0.03 * down if normal[2] else float(down)
            rows.append([x / 2, y / 2, (z + 1) / 2, *normal, u, v])
    return np.array(rows, np.float32)


def unit_bottle(neck: bool) -> Mesh:
    """A turned package of the same extent, a bottle with a neck or a can."""
    profile = (
        [(0.0, 0.5), (0.72, 0.5), (0.86, 0.22), (1.0, 0.2)]
        if neck
        else [(0.0, 0.47), (0.04, 0.5), (0.95, 0.5), (1.0, 0.44)]
    )
    sides, rows = 14, []

    def point(k: int, level: int) -> list[float]:
        z, radius = profile[level]
        angle = 2 * math.pi * k / sides
        x, y = math.cos(angle), math.sin(angle)
        v = 1 - min(1.0, z / (0.74 if neck else 0.97))
        return [
            radius * x,
            radius * y,
            z,
            x,
            y,
            0.25 if level >= 2 and neck else 0.0,
            (2 * k / sides + 0.5) % 2.0001,
            v,
        ]

    for k in range(sides):
        for level in range(len(profile) - 1):
            a, b, c, d = point(k, level), point(k + 1, level), point(k + 1, level + 1), point(k, level + 1)
            if b[6] < a[6]:
                b[6] += 2
                c[6] += 2
            rows += [a, b, c, a, c, d]
        last = len(profile) - 1
        z, _ = profile[last]
        cap = [[0.0, 0.0, z, 0, 0, 1, 0.5, 0.05], point(k, last), point(k + 1, last)]
        for vertex in cap:
            vertex[3:6] = [0, 0, 1]
        rows += cap
    return np.array(rows, np.float32)
