"""Puts one instant of the day on the stage: who stands how, what is in which hand, what is on the shelves."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.body import Body, Shape, make_body
from simulation.catalogue import BY_ID
from simulation.layout import Array, Layout
from simulation.packaging import bag_cell, cell_of
from simulation.pose import HAND_M, Posture, Skeleton, plan_reach, stride_phase
from simulation.renderer import Clothes, Package, form_of
from simulation.stock import Shelves
from simulation.timeline import FPS, Action, Day, Key, Motion

_CHEST = np.array([0.30, -0.10, 0.0])
_BAG = np.array([0.16, 0.16, 0.0])
_SKINS = ((0.87, 0.68, 0.56), (0.93, 0.77, 0.65), (0.62, 0.43, 0.32), (0.40, 0.27, 0.20), (0.80, 0.60, 0.47))
_HAIRS = ((0.06, 0.05, 0.05), (0.12, 0.08, 0.05), (0.30, 0.18, 0.09), (0.45, 0.42, 0.40))
# shirt, second colour, trousers: chosen to differ from their neighbours in the list
_OUTFITS = (
    ((0.80, 0.16, 0.12), (0.95, 0.95, 0.92), (0.15, 0.18, 0.30)),
    ((0.12, 0.28, 0.65), (0.92, 0.92, 0.92), (0.62, 0.55, 0.42)),
    ((0.92, 0.80, 0.20), (0.30, 0.30, 0.32), (0.14, 0.14, 0.15)),
    ((0.12, 0.48, 0.25), (0.90, 0.92, 0.80), (0.35, 0.36, 0.40)),
    ((0.90, 0.90, 0.88), (0.20, 0.25, 0.45), (0.20, 0.32, 0.52)),
    ((0.45, 0.18, 0.50), (0.85, 0.75, 0.90), (0.28, 0.30, 0.34)),
    ((0.90, 0.48, 0.12), (0.20, 0.20, 0.20), (0.24, 0.30, 0.22)),
    ((0.14, 0.14, 0.15), (0.80, 0.15, 0.20), (0.70, 0.68, 0.62)),
    ((0.92, 0.55, 0.66), (0.98, 0.96, 0.96), (0.30, 0.22, 0.34)),
    ((0.20, 0.62, 0.66), (0.95, 0.95, 0.90), (0.52, 0.18, 0.16)),
    ((0.50, 0.36, 0.24), (0.86, 0.80, 0.62), (0.10, 0.16, 0.36)),
    ((0.55, 0.60, 0.66), (0.14, 0.18, 0.24), (0.36, 0.42, 0.20)),
    ((0.66, 0.80, 0.30), (0.20, 0.36, 0.20), (0.24, 0.24, 0.28)),
    ((0.60, 0.10, 0.22), (0.90, 0.80, 0.55), (0.78, 0.76, 0.72)),
)


@dataclass
class Actor:
    """A person with body, clothes and the reach of every action."""

    motion: Motion
    body: Body
    skeleton: Skeleton
    clothes: Clothes
    bag: tuple[int, int]
    distance: Array
    reaches: dict[int, tuple[float, float]]


def cast(day: Day, seed: int) -> list[Actor]:
    """Bodies and clothes for everybody, from the seed."""
    rng = np.random.default_rng([seed, 2])
    order = rng.permutation(len(_OUTFITS))
    actors = []
    for number, motion in enumerate(day.motions):
        gender = "female" if rng.random() < 0.5 else "male"
        shape = Shape(
            gender,
            str(rng.choice(["asian", "caucasian", "african"], p=[0.5, 0.3, 0.2])),
            float(rng.uniform(-0.12, 0.12)),
            float(rng.uniform(-0.5, 0.55)),
            float(rng.choice([0.42, 0.97])),
            gender == "female" and rng.random() < 0.7,
        )
        shirt, second, trousers = _OUTFITS[order[number % len(order)]]
        skin = _SKINS[3 if shape.origin == "african" else int(rng.choice([0, 1, 4]))]
        clothes = Clothes(
            skin,
            shirt,
            trousers,
            (0.1, 0.1, 0.1) if rng.random() < 0.6 else (0.85, 0.85, 0.85),
            _HAIRS[int(rng.integers(len(_HAIRS)))],
            int(rng.choice([0, 0, 1, 2, 3, 4])),
            second,
        )
        if motion.visit.kind == "staff":
            clothes = Clothes(skin, (0.05, 0.38, 0.30), (0.12, 0.12, 0.13), (0.1, 0.1, 0.1), _HAIRS[0], 0, second)
        steps = np.hypot(*np.diff(motion.position, axis=0, prepend=motion.position[:1]).T)
        body = make_body(shape)
        actors.append(Actor(motion, body, Skeleton(body), clothes, bag_cell(number), np.cumsum(steps), {}))
    return actors


def _ease(u: float) -> float:
    u = min(1.0, max(0.0, u))
    return u * u * (3 - 2 * u)


class Stage:
    """Answers what the store looks like at a frame."""

    def __init__(self, layout: Layout, day: Day, shelves: Shelves, actors: list[Actor]) -> None:
        self._day, self._shelves, self.actors = day, shelves, actors
        self._slots = {slot.slot_id: slot for slot in layout.slots}
        self._moves = sorted(day.moves)
        self._next = 0

    def shelves_at(self, time_s: float) -> list[Package] | None:
        """Advance the shelves; all packages when anything changed, else None. Times must not fall."""
        before = self._next
        while self._next < len(self._moves) and self._moves[self._next][0] <= time_s:
            _, what, slot_id, product_id = self._moves[self._next]
            if what == "take":
                self._shelves.take(slot_id)
            else:
                self._shelves.put(slot_id, product_id)
            self._next += 1
        return self.packages() if self._next != before else None

    def packages(self) -> list[Package]:
        """Every package on the shelves."""
        out = []
        for slot_id, content in self._shelves.content.items():
            normal = self._slots[slot_id].gondola.normal
            facing = math.atan2(normal[1], normal[0])
            for place, product_id in content.items():
                at = self._shelves.position(slot_id, place, product_id)
                # packages turn a little, each in its own way
                turn = 0.12 * math.sin(hash_of(slot_id, place.column, place.row))
                out.append(
                    Package(
                        (float(at[0]), float(at[1]), float(at[2])),
                        facing + turn,
                        BY_ID[product_id].size_m,
                        cell_of(product_id),
                        form_of(product_id),
                        1.0 - 0.3 * place.row,
                    )
                )
        return out

    def people_at(self, frame: int) -> tuple[dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]], list[Package]]:
        """World vertices and normals of everybody present, and what they carry."""
        people, carried = {}, []
        for actor in self.actors:
            motion = actor.motion
            if motion.first_frame <= frame <= motion.last_frame:
                vertices, normals, packages = self._place(actor, frame)
                people[motion.visit.person_id] = (vertices, normals)
                carried += packages
        return people, carried

    def _place(self, actor: Actor, frame: int) -> tuple[NDArray[np.float32], NDArray[np.float32], list[Package]]:
        motion, k, now = actor.motion, frame - actor.motion.first_frame, frame / FPS
        heading = float(motion.heading[k])
        cosine, sine = math.cos(heading), math.sin(heading)
        turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1.0]])
        origin = np.array([*motion.position[k], 0.0])
        before = max(0, k - 1)
        speed = float(np.hypot(*(motion.position[k] - motion.position[before])) * FPS)
        posture = Posture(phase=stride_phase(float(actor.distance[k])), stride=min(1.0, speed / 0.9))
        action = next((a for a in motion.actions if a.start_s <= now <= a.start_s + a.keys[-1][0]), None)
        if action is not None:
            self._arm(actor, action, now - action.start_s, posture, turn, origin)
        rotations, joints = actor.skeleton.pose(posture)
        vertices, normals, low = actor.skeleton.skin(rotations, joints)
        spin = turn.astype(np.float32)
        world = vertices @ spin.T + origin.astype(np.float32)
        packages = []
        pelvis = joints[actor.body.joint("pelvis")] - [0, 0, low]
        if motion.visit.kind != "staff":
            bag = turn @ (pelvis + np.array([0.02, 0.24, -0.30])) + origin
            packages.append(
                Package(
                    (float(bag[0]), float(bag[1]), float(bag[2])),
                    heading + math.pi / 2,
                    (0.30, 0.11, 0.34),
                    actor.bag,
                    "box",
                )
            )
        if action is not None and action.product_id and action.holds[0] <= now - action.start_s <= action.holds[1]:
            hand, wrist = actor.body.joint("middle_01_r"), actor.body.joint("hand_r")
            palm = joints[wrist] + (joints[hand] - joints[wrist]) * 1.1 - [0, 0, low]
            at = turn @ palm + origin
            size = BY_ID[action.product_id].size_m
            bottom = at + turn @ np.array([size[1] * 0.5, 0, 0]) - [0, 0, size[2] * 0.55]
            packages.append(
                Package(
                    (float(bottom[0]), float(bottom[1]), float(bottom[2])),
                    heading + math.pi,
                    size,
                    cell_of(action.product_id),
                    form_of(action.product_id),
                )
            )
        return world, normals @ spin.T, packages

    def _arm(self, actor: Actor, action: Action, t: float, posture: Posture, turn: Array, origin: Array) -> None:
        point = turn.T @ (np.array(action.point) - origin)
        toward = np.array([1.0, 0.0, 0.0])
        reach = point - toward * HAND_M
        key = id(action)
        if key not in actor.reaches:
            actor.reaches[key] = plan_reach(actor.skeleton, reach) if not action.is_meeting else (0.0, 0.0)
        crouch, lean = actor.reaches[key]
        height = actor.body.height_m
        places: dict[Key, Array] = {
            "shelf": reach,
            "chest": _CHEST + np.array([0, 0, 0.70 * height]),
            "bag": _BAG + np.array([0, 0, 0.56 * height]),
            "rest": np.zeros(3),
        }
        at = next((k for k in range(len(action.keys) - 1) if t <= action.keys[k + 1][0]), len(action.keys) - 2)
        (t0, a), (t1, b) = action.keys[at], action.keys[at + 1]
        u = _ease((t - t0) / (t1 - t0))
        bent = (1 - u) * (a == "shelf") + u * (b == "shelf")
        posture.crouch, posture.lean = crouch * bent, lean * bent
        if a == "rest" or b == "rest":
            posture.wrist = places[b] if a == "rest" else places[a]
            posture.share = u if a == "rest" else 1 - u
        else:
            posture.wrist = (1 - u) * places[a] + u * places[b]
            posture.share = 1.0


def hash_of(slot_id: str, column: int, row: int) -> float:
    """A number that looks random and depends on the place alone."""
    return sum((index + 1) * ord(letter) for index, letter in enumerate(slot_id)) * 1.7 + column * 2.3 + row * 4.1
