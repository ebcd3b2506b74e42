"""Poses: procedural gait, crouch, two-bone reach, skinning. Body axes: x forward, y left, z up."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.body import Body
from simulation.layout import Array

HAND_M = 0.10  # from the wrist to where a package is held
_STRIDE_M = 1.35


def rotation(axis: tuple[float, float, float], angle: float) -> Array:
    """Rotation about a unit axis (Rodrigues), (3, 3)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross)


def align(start: Array, end: Array) -> Array:
    """The smallest rotation that turns one direction into another, (3, 3)."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    cross, cosine = np.cross(a, b), float(a @ b)
    if cosine < -0.9999:
        return rotation((0.0, 0.0, 1.0), math.pi)
    skew = np.array([[0, -cross[2], cross[1]], [cross[2], 0, -cross[0]], [-cross[1], cross[0], 0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1 + cosine))


@dataclass
class Posture:
    """What decides a pose: gait phase (rad), stride 0-1, crouch (m), lean (rad), wrist goal (body axes)."""

    phase: float = 0.0
    stride: float = 0.0
    crouch: float = 0.0
    lean: float = 0.0
    wrist: Array | None = None
    share: float = 0.0  # how far from the swinging arm to the wrist goal


class Skeleton:
    """Forward kinematics over a body; rotations are about body axes, so rest frames are all aligned."""

    def __init__(self, body: Body) -> None:
        self.body = body
        self._order = range(len(body.joints))
        self._thigh = float(np.linalg.norm(body.tails[body.joint("thigh_l")] - body.heads[body.joint("thigh_l")]))
        self._soles = np.flatnonzero(body.vertices[:, 2] < 0.05)

    def _forward(self, local: dict[str, Array]) -> tuple[Array, Array]:
        body = self.body
        turn = np.zeros((len(body.joints), 3, 3))
        place = np.zeros((len(body.joints), 3))
        for k in self._order:
            own = local.get(body.joints[k])
            parent = body.parents[k]
            if parent < 0:
                turn[k], place[k] = (np.eye(3) if own is None else own), body.heads[k]
            else:
                turn[k] = turn[parent] if own is None else turn[parent] @ own
                place[k] = place[parent] + turn[parent] @ (body.heads[k] - body.heads[parent])
        return turn, place

    def _gait(self, posture: Posture) -> dict[str, Array]:
        y = (0.0, 1.0, 0.0)
        s, local = posture.stride, {}
        for side, phase in (("l", posture.phase), ("r", posture.phase + math.pi)):
            thigh = -s * (0.42 * math.sin(phase) + 0.06)
            knee = s * (0.10 + 0.85 * max(0.0, math.sin(phase + 1.25)) ** 2)
            bend = math.acos(max(0.35, 1 - posture.crouch / (2 * self._thigh)))
            local[f"thigh_{side}"] = rotation(y, thigh - bend)
            local[f"calf_{side}"] = rotation(y, knee + 2 * bend)
            local[f"foot_{side}"] = rotation(y, -0.35 * (thigh + knee) - bend)
            swing = s * 0.38 * math.sin(phase)
            sign = 1.0 if side == "l" else -1.0
            local[f"upperarm_{side}"] = rotation(y, swing) @ rotation((1.0, 0.0, 0.0), -sign * 0.52)
            local[f"lowerarm_{side}"] = rotation(y, -0.12 - 0.25 * s)
        local["spine_01"] = rotation(y, 0.45 * posture.lean + 0.04 * s) @ rotation(
            (0, 0, 1.0), 0.06 * s * math.sin(posture.phase)
        )
        local["spine_02"] = rotation(y, 0.35 * posture.lean)
        local["neck_01"] = rotation(y, -0.35 * posture.lean)
        return local

    def _reach(self, local: dict[str, Array], turn: Array, place: Array, goal: Array) -> None:
        """Two-bone inverse kinematics of the right arm; what is out of reach is approached."""
        body = self.body
        upper, lower, hand = (body.joint(name) for name in ("upperarm_r", "lowerarm_r", "hand_r"))
        shoulder = place[upper]
        a = float(np.linalg.norm(body.heads[lower] - body.heads[upper]))
        b = float(np.linalg.norm(body.heads[hand] - body.heads[lower]))
        offset = goal - shoulder
        distance = float(np.clip(np.linalg.norm(offset), abs(a - b) + 0.02, (a + b) * 0.995))
        direction = offset / max(float(np.linalg.norm(offset)), 1e-9)
        pole = np.array([-0.3, -0.55, -0.8])
        pole = pole - direction * float(pole @ direction)
        pole /= np.linalg.norm(pole)
        cosine = (a * a + distance * distance - b * b) / (2 * a * distance)
        elbow = shoulder + direction * a * cosine + pole * a * math.sqrt(max(0.0, 1 - cosine * cosine))
        wrist = shoulder + direction * distance
        upper_turn = align(body.heads[lower] - body.heads[upper], elbow - shoulder)
        lower_turn = align(body.heads[hand] - body.heads[lower], wrist - elbow)
        local["upperarm_r"] = turn[body.parents[upper]].T @ upper_turn
        local["lowerarm_r"] = upper_turn.T @ lower_turn

    def pose(self, posture: Posture) -> tuple[Array, Array]:
        """Joint rotations (j, 3, 3) and positions (j, 3) in body axes, soles not yet on the floor."""
        local = self._gait(posture)
        turn, place = self._forward(local)
        drop = min(posture.crouch, 1.25 * self._thigh)
        if posture.wrist is not None and posture.share > 0:
            hand = self.body.joint("hand_r")
            goal = (1 - posture.share) * place[hand] + posture.share * (posture.wrist + np.array([0, 0, drop]))
            self._reach(local, turn, place, goal)
            turn, place = self._forward(local)
        return turn, place

    def shoulder(self, posture: Posture) -> Array:
        """Right shoulder in body axes with the crouch taken off, (3,)."""
        _, place = self._forward(self._gait(posture))
        return np.asarray(place[self.body.joint("upperarm_r")] - [0, 0, posture.crouch])

    def arm_m(self) -> float:
        """Length from shoulder to wrist."""
        body = self.body
        upper, lower, hand = (body.heads[body.joint(name)] for name in ("upperarm_r", "lowerarm_r", "hand_r"))
        return float(np.linalg.norm(lower - upper) + np.linalg.norm(hand - lower))

    def skin(self, turn: Array, place: Array) -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
        """Skinned vertices and normals (n, 3), standing on z = 0, and how far everything was lowered."""
        body = self.body
        shift = place - np.einsum("jab,jb->ja", turn, body.heads)
        flat = np.concatenate([turn.reshape(-1, 9), shift], axis=1).astype(np.float32)
        mixed = body.weights @ flat
        matrix = mixed[:, :9].reshape(-1, 3, 3)
        vertices = np.einsum("nab,nb->na", matrix, body.vertices.astype(np.float32)) + mixed[:, 9:]
        normals = np.einsum("nab,nb->na", matrix, body.normals.astype(np.float32))
        low = float(vertices[self._soles, 2].min())
        vertices[:, 2] -= low
        return vertices, normals, low


def plan_reach(skeleton: Skeleton, goal: Array) -> tuple[float, float]:
    """Crouch (m) and lean (rad) with which the right wrist gets to a goal in body axes."""
    arm = skeleton.arm_m() * 0.97
    best = (0.0, 0.0, math.inf)
    for crouch in (0.0, 0.08, 0.16, 0.24, 0.32, 0.40):
        for lean in (0.0, 0.12, 0.25, 0.4, 0.55, 0.7):
            missing = max(0.0, float(np.linalg.norm(goal - skeleton.shoulder(Posture(crouch=crouch, lean=lean)))) - arm)
            price = missing * 20 + crouch * 1.0 + lean * 0.7
            if price < best[2]:
                best = (crouch, lean, price)
    return best[0], best[1]


def stride_phase(distance_m: float) -> float:
    """Gait phase after a walked distance."""
    return 2 * math.pi * distance_m / _STRIDE_M
