"""Where things stand in the simulated stores: floor, gondolas, slots, gates and true cameras.

World axes: x right and y up on the plan, z up, metres, floor at z = 0. Cameras follow OpenCV:
x_cam = R x_world + t.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PITCH_M = 0.25
SLOT_HEIGHT_M = 0.25
SHELF_DEPTH_M = 0.40
ENTRY_LANE_Y = 2.95
EXIT_LANE_Y = 3.95
DOOR_Y = (2.50, 4.40)
GATE_X = 0.80
WALL_HEIGHT_M = 3.2


@dataclass(frozen=True)
class Gondola:
    """A gondola: `start` and `along` give the line of the shelf fronts, `normal` faces the shopper."""

    gondola_id: str
    start: tuple[float, float]
    along: tuple[float, float]
    normal: tuple[float, float]
    slots_per_shelf: int
    shelf_heights_m: tuple[float, ...]

    @property
    def length_m(self) -> float:
        """Length of the front."""
        return self.slots_per_shelf * PITCH_M

    @property
    def polygon_m(self) -> list[list[float]]:
        """Outline on the floor."""
        start, along, normal = (np.array(v) for v in (self.start, self.along, self.normal))
        end = start + along * self.length_m
        back = -normal * SHELF_DEPTH_M
        return [[round(float(x), 3), round(float(y), 3)] for x, y in (start, end, end + back, start + back)]


@dataclass(frozen=True)
class Slot:
    """One lane of a shelf; `front` is the centre of its front (3,), metres."""

    slot_id: str
    gondola: Gondola
    shelf_index: int
    front: tuple[float, float, float]

    def corners(self, inset: float = 0.0) -> Array:
        """Corners of the front rectangle, (4, 3) metres, counter-clockwise as the shopper sees it."""
        along = np.array([*self.gondola.along, 0.0]) * (PITCH_M / 2 - inset)
        up = np.array([0.0, 0.0, SLOT_HEIGHT_M / 2])
        centre = np.array(self.front)
        return np.stack([centre - along - up, centre + along - up, centre + along + up, centre - along + up])


@dataclass(frozen=True)
class Camera:
    """A true camera (not the perturbed calibration that is written)."""

    camera_id: str
    kind: str
    position: tuple[float, float, float]
    target: tuple[float, float, float]
    focal_px: float
    distortion: tuple[float, float, float, float, float] = (-0.06, 0.01, 0.0003, -0.0004, 0.0)
    width_px: int = 640
    height_px: int = 480

    @property
    def matrix(self) -> Array:
        """Intrinsics, (3, 3) pixels."""
        return np.array(
            [
                [self.focal_px, 0, self.width_px / 2 + 2.5],
                [0, self.focal_px, self.height_px / 2 - 1.5],
                [0, 0, 1.0],
            ]
        )

    @property
    def rotation(self) -> Array:
        """World to camera, (3, 3)."""
        forward = np.array(self.target, float) - np.array(self.position, float)
        forward /= np.linalg.norm(forward)
        right = np.cross(forward, [0.0, 0.0, 1.0])
        right /= np.linalg.norm(right)
        return np.stack([right, np.cross(forward, right), forward])

    @property
    def translation(self) -> Array:
        """World to camera, (3,) metres."""
        return np.asarray(-self.rotation @ np.array(self.position, float))


@dataclass(frozen=True)
class Layout:
    """A store."""

    name: str
    store_id: str
    title: str
    gondolas: tuple[Gondola, ...]
    cameras: tuple[Camera, ...]
    width_m: float = 8.0
    depth_m: float = 6.0
    slots: tuple[Slot, ...] = field(init=False)

    def __post_init__(self) -> None:
        slots = [
            Slot(
                f"{gondola.gondola_id}-{shelf}-{number + 1:02d}",
                gondola,
                shelf,
                (
                    gondola.start[0] + gondola.along[0] * (number + 0.5) * PITCH_M,
                    gondola.start[1] + gondola.along[1] * (number + 0.5) * PITCH_M,
                    height + SLOT_HEIGHT_M / 2,
                ),
            )
            for gondola in self.gondolas
            for shelf, height in enumerate(gondola.shelf_heights_m)
            for number in range(gondola.slots_per_shelf)
        ]
        object.__setattr__(self, "slots", tuple(slots))

    @property
    def entrance_zone_m(self) -> list[list[float]]:
        """Floor in front of and behind the entry gate."""
        return [[0.0, 2.5], [1.3, 2.5], [1.3, 3.4], [0.0, 3.4]]

    @property
    def exit_zone_m(self) -> list[list[float]]:
        """Floor in front of and behind the exit gate."""
        return [[0.0, 3.4], [1.3, 3.4], [1.3, 4.4], [0.0, 4.4]]

    @property
    def gates(self) -> dict[str, tuple[float, float]]:
        """Gate id to position, metres: gate-1 lets in, gate-2 lets out."""
        return {"gate-1": (GATE_X, ENTRY_LANE_Y), "gate-2": (GATE_X, EXIT_LANE_Y)}


def normal_deg(gondola: Gondola) -> float:
    """Direction from the shelf to the shopper, degrees counter-clockwise from +x."""
    return round(math.degrees(math.atan2(gondola.normal[1], gondola.normal[0])), 3)


SHIPPED = Layout(
    "shipped",
    "s001",
    "Simulated corner store",
    (
        Gondola("g1", (2.2, 5.4), (1.0, 0.0), (0.0, -1.0), 12, (0.38, 0.80, 1.22)),
        Gondola("g2", (7.2, 4.3), (0.0, -1.0), (-1.0, 0.0), 10, (0.38, 0.80, 1.22)),
    ),
    (
        Camera("c1", "ceiling", (4.7, 0.8, 3.0), (2.62, 4.72, 0.62), 445.0),
        Camera("c2", "ceiling", (2.0, 1.3, 3.0), (4.55, 5.0, 0.55), 480.0),
        Camera("c3", "ceiling", (3.3, 0.9, 3.0), (6.75, 3.75, 0.55), 490.0),
        Camera("c4", "shelf", (5.45, 3.05, 2.45), (7.2, 3.05, 0.85), 455.0),
    ),
)
TUNING = Layout(
    "tuning",
    "s002",
    "Simulated station store",
    (
        Gondola("g1", (2.6, 5.5), (1.0, 0.0), (0.0, -1.0), 11, (0.36, 0.79, 1.20)),
        Gondola("g2", (7.0, 3.9), (0.0, -1.0), (-1.0, 0.0), 11, (0.40, 0.82, 1.24)),
    ),
    (
        Camera("c1", "ceiling", (5.0, 0.9, 2.9), (2.75, 4.72, 0.62), 435.0),
        Camera("c2", "ceiling", (2.3, 1.4, 3.1), (4.75, 5.0, 0.55), 475.0),
        Camera("c3", "ceiling", (3.0, 0.6, 2.9), (6.55, 3.2, 0.55), 485.0),
        Camera("c4", "shelf", (5.15, 2.5, 2.4), (7.0, 2.5, 0.85), 445.0),
    ),
)
TUNING_CORNER = Layout(
    "tuning_corner",
    "s004",
    "Simulated hospital store",
    (
        Gondola("g1", (2.8, 5.4), (1.0, 0.0), (0.0, -1.0), 8, (0.38, 0.80, 1.22)),
        Gondola("g2", (7.4, 4.6), (0.0, -1.0), (-1.0, 0.0), 10, (0.40, 0.82, 1.24)),
        Gondola("g3", (5.4, 0.5), (-1.0, 0.0), (0.0, 1.0), 9, (0.36, 0.79, 1.20)),
    ),
    (
        Camera("c1", "ceiling", (4.9, 1.1, 3.0), (3.2, 4.6, 0.60), 440.0),
        Camera("c2", "ceiling", (2.5, 1.2, 3.0), (6.0, 4.4, 0.55), 460.0),
        Camera("c3", "ceiling", (2.0, 4.8, 3.1), (4.8, 1.1, 0.55), 445.0),
        Camera("c4", "ceiling", (6.6, 5.2, 2.9), (3.8, 1.0, 0.60), 470.0),
        Camera("c5", "shelf", (5.6, 3.4, 2.4), (7.4, 3.4, 0.85), 440.0),
    ),
)
HELD_OUT = Layout(
    "held_out",
    "s003",
    "Simulated campus store",
    (
        Gondola("g1", (2.4, 5.5), (1.0, 0.0), (0.0, -1.0), 9, (0.40, 0.83, 1.25)),
        Gondola("g2", (7.3, 4.2), (0.0, -1.0), (-1.0, 0.0), 8, (0.36, 0.78, 1.20)),
        Gondola("g3", (6.0, 0.6), (-1.0, 0.0), (0.0, 1.0), 8, (0.38, 0.81, 1.22)),
    ),
    (
        Camera("c1", "ceiling", (5.4, 1.2, 3.1), (2.9, 4.6, 0.60), 430.0),
        Camera("c2", "ceiling", (2.6, 1.0, 2.9), (6.2, 4.6, 0.55), 470.0),
        Camera("c3", "ceiling", (2.2, 5.0, 3.0), (5.2, 1.2, 0.55), 450.0),
        Camera("c4", "ceiling", (6.9, 5.1, 3.0), (4.2, 1.0, 0.60), 465.0),
        Camera("c5", "shelf", (3.6, 3.7, 2.4), (3.6, 5.5, 0.85), 440.0),
    ),
)
"""Nothing is ever decided on this one: results on it are of an unseen store."""
LAYOUTS = {layout.name: layout for layout in (SHIPPED, TUNING, TUNING_CORNER, HELD_OUT)}
