"""Collision-free walking: space-time A* for one person after another (prioritised planning, Silver 2005)."""

from __future__ import annotations

import heapq
import math

import numpy as np

from simulation.layout import ENTRY_LANE_Y, EXIT_LANE_Y, SHELF_DEPTH_M, Array, Layout

CELL_M = 0.25
STEP_S = 0.30
CLEARANCE_M = 0.55
_BESIDE_M = 0.49  # who stands at a goal may have a neighbour closer than who walks
_LANE_END_X = 1.35
_OUTSIDE_X = -1.0
_MOVES = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]


class NoPath(RuntimeError):
    """Nobody can get there without touching somebody in the time allowed."""


class Crowd:
    """Positions of everybody planned so far, per time step; somebody unfinished stays where he stands."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._walks: dict[str, tuple[int, list[tuple[float, float]], bool]] = {}

    def put(self, person: str, first_step: int, walk: list[tuple[float, float]], finished: bool) -> None:
        """Reserve a walk: one position (metres) a step from first_step on."""
        self._walks[person] = (first_step, walk, finished)

    def at(self, step: int, without: str) -> list[tuple[float, float]]:
        """Positions of all others at a step."""
        out = []
        for person, (first, walk, finished) in self._walks.items():
            if person == without or step < first:
                continue
            if step - first < len(walk):
                out.append(walk[step - first])
            elif not finished:
                out.append(walk[-1])
        return out


def _is_free(layout: Layout, x: float, y: float) -> bool:
    if x < _LANE_END_X:
        return x >= _OUTSIDE_X - 1e-6 and min(abs(y - ENTRY_LANE_Y), abs(y - EXIT_LANE_Y)) < 0.13
    if not (x <= layout.width_m - 0.3 and 0.3 <= y <= layout.depth_m - 0.3):
        return False
    for gondola in layout.gondolas:
        start, along, normal = (np.array(v) for v in (gondola.start, gondola.along, gondola.normal))
        offset = np.array([x, y]) - start
        across, lengthwise = float(offset @ normal), float(offset @ along)
        if -SHELF_DEPTH_M - 0.3 < across < 0.38 and -0.3 < lengthwise < gondola.length_m + 0.3:
            return False
    return True


class Planner:
    """Shortest waits and walks on a 25 cm grid around everybody who has planned before."""

    def __init__(self, layout: Layout, crowd: Crowd) -> None:
        self._crowd = crowd
        self._free: dict[tuple[int, int], bool] = {}
        self._layout = layout

    def _open(self, cell: tuple[int, int]) -> bool:
        if cell not in self._free:
            self._free[cell] = _is_free(self._layout, *self.metres(cell))
        return self._free[cell]

    @staticmethod
    def metres(cell: tuple[int, int]) -> tuple[float, float]:
        """Centre of a cell; the grid is laid so that both lanes of the gate are rows of it."""
        return cell[0] * CELL_M, ENTRY_LANE_Y + cell[1] * CELL_M

    @classmethod
    def cell(cls, x: float, y: float) -> tuple[int, int]:
        """Nearest cell."""
        return round(x / CELL_M), round((y - ENTRY_LANE_Y) / CELL_M)

    def walk(
        self, person: str, start: tuple[float, float], step: int, goal: tuple[float, float], stay_steps: int
    ) -> list[tuple[float, float]]:
        """Positions per step from `step` (start included) to the goal, which then stays free for stay_steps.

        Raises NoPath when 90 s do not suffice.
        """
        first, last = self.cell(*start), self.cell(*goal)
        others: dict[int, list[tuple[float, float]]] = {}

        def clear(cell: tuple[int, int], when: int) -> bool:
            if when not in others:
                others[when] = self._crowd.at(when, person)
            x, y = self.metres(cell)
            limit = _BESIDE_M if cell in (first, last) else CLEARANCE_M
            return all(math.hypot(x - ox, y - oy) >= limit for ox, oy in others[when])

        def ahead(cell: tuple[int, int]) -> float:
            dx, dy = abs(cell[0] - last[0]), abs(cell[1] - last[1])
            return max(dx, dy) + 0.2 * min(dx, dy)

        queue = [(ahead(first), 0.0, step, first)]
        came: dict[tuple[int, tuple[int, int]], tuple[int, tuple[int, int]] | None] = {(step, first): None}
        cost = {(step, first): 0.0}
        while queue:
            _, spent, when, cell = heapq.heappop(queue)
            if spent > cost[(when, cell)] + 1e-9:
                continue
            if cell == last and all(clear(cell, when + k) for k in range(stay_steps + 1)):
                return self._trace(came, (when, cell))
            if when - step > 300:
                continue
            for dx, dy in _MOVES:
                following = (cell[0] + dx, cell[1] + dy)
                if not self._open(following) or not clear(following, when + 1) or not clear(following, when):
                    continue
                price = spent + 1.0 + 0.2 * (abs(dx) + abs(dy) == 2)
                key = (when + 1, following)
                if price < cost.get(key, math.inf):
                    cost[key] = price
                    came[key] = (when, cell)
                    heapq.heappush(queue, (price + ahead(following), price, when + 1, following))
        raise NoPath(person)

    def _trace(
        self,
        came: dict[tuple[int, tuple[int, int]], tuple[int, tuple[int, int]] | None],
        key: tuple[int, tuple[int, int]],
    ) -> list[tuple[float, float]]:
        out = []
        node: tuple[int, tuple[int, int]] | None = key
        while node is not None:
            out.append(self.metres(node[1]))
            node = came[node]
        return out[::-1]


def smooth(samples: Array, sigma: float) -> Array:
    """Gaussian smoothing along axis 0 with repeated ends; sigma in samples."""
    radius = max(1, math.ceil(3 * sigma))
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    padded = np.concatenate([np.repeat(samples[:1], radius, 0), samples, np.repeat(samples[-1:], radius, 0)])
    return np.stack([np.convolve(padded[:, k], kernel, "valid") for k in range(samples.shape[1])], axis=1)
