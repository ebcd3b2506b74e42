"""From scripts to motion: everybody's walk, arm movements and events in store time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from simulation.layout import ENTRY_LANE_Y, EXIT_LANE_Y, GATE_X, Array, Layout
from simulation.paths import STEP_S, Crowd, NoPath, Planner, smooth
from simulation.scenario import Script, Step, Visit
from simulation.stock import Shelves

FPS = 10.0
STAND_M = 0.50
SIDE_M = 0.34
_OUT_X = -1.0
# seconds from the start of an action to the moment the hand closes or opens, and to its end
_MOMENT_S = {
    "pick": 0.9,
    "put_back": 2.1,
    "touch": 1.0,
    "look": 1.2,
    "give": 2.1,
    "take": 2.1,
    "restock": 2.1,
}
_LENGTH_S = {
    "pick": 3.2,
    "put_back": 3.1,
    "touch": 2.2,
    "look": 2.4,
    "give": 3.1,
    "take": 4.0,
    "restock": 3.1,
}

Key = Literal["rest", "shelf", "chest", "bag"]


@dataclass(frozen=True)
class Action:
    """An arm movement: (seconds, where) keys, the point reached for, what is in the hand and when."""

    start_s: float
    keys: tuple[tuple[float, Key], ...]
    point: tuple[float, float, float]
    product_id: str | None
    holds: tuple[float, float]
    is_meeting: bool = False


@dataclass(frozen=True)
class Event:
    """One exact event; quantity is always 1."""

    time_s: float
    person_id: str
    type: str
    slot_id: str | None
    product_id: str | None
    scenario: str
    to_person_id: str | None = None


@dataclass
class Motion:
    """One person's motion, sampled at 10 Hz from first_frame on: position (n, 2) m, heading (n,) rad."""

    visit: Visit
    first_frame: int
    position: Array
    heading: Array
    actions: list[Action] = field(default_factory=list)
    entry_s: float = 0.0
    exit_s: float = 0.0

    @property
    def last_frame(self) -> int:
        """Last frame in which the person exists."""
        return self.first_frame + len(self.position) - 1


@dataclass
class Day:
    """Everything that happens, exactly."""

    motions: list[Motion]
    events: list[Event]
    moves: list[tuple[float, str, str, str]]  # time, take|put, slot, product: what the shelves do
    duration_s: float


@dataclass
class _Agent:
    visit: Visit
    first_step: int
    walk: list[tuple[float, float]]
    facing: list[tuple[float, float, float]] = field(default_factory=list)  # from s, to s, heading
    exact: list[tuple[int, int, tuple[float, float]]] = field(default_factory=list)
    pending: list[tuple[float, Step]] = field(default_factory=list)
    gates: list[float] = field(default_factory=list)

    @property
    def now(self) -> int:
        return self.first_step + len(self.walk) - 1


class _Director:
    def __init__(self, layout: Layout, script: Script) -> None:
        self.layout, self.script = layout, script
        self.slots = {slot.slot_id: slot for slot in layout.slots}
        self.crowd = Crowd(layout)
        self.planner = Planner(layout, self.crowd)
        self.agents: dict[str, _Agent] = {}

    def stand(self, step: Step) -> tuple[tuple[float, float], float]:
        """Where to stand for a step and where to look (rad)."""
        slot = self.slots[step.slot_id]
        normal, along = np.array(slot.gondola.normal), np.array(slot.gondola.along)
        front = np.array(slot.front[:2])
        if step.kind in ("give", "take"):
            middle = front + normal * 1.35
            place = middle + along * step.side * 0.40
            look = -along * step.side
        else:
            # the right hand reaches: stand a little to the left of the slot as the shopper sees it
            left = np.array([-(-normal)[1], (-normal)[0]])
            place = front + normal * STAND_M + (left * 0.12 if step.side == 0 else along * step.side * SIDE_M)
            look = -normal
        return (float(place[0]), float(place[1])), float(np.arctan2(look[1], look[0]))

    def go(self, agent: _Agent, goal: tuple[float, float], stay_s: float) -> int:
        """Walk to a goal and stay; the step of arrival."""
        stay = int(np.ceil(stay_s / STEP_S))
        walk = self.planner.walk(agent.visit.person_id, agent.walk[-1], agent.now, goal, stay)
        agent.walk += walk[1:]
        arrival = agent.now
        agent.walk += [walk[-1]] * stay
        self.crowd.put(agent.visit.person_id, agent.first_step, agent.walk, False)
        return arrival

    def perform(self, agent: _Agent, step: Step, not_before_s: float | None = None) -> float:
        """Go to a step's place and do it; the moment (s) of the action's start."""
        place, look = self.stand(step)
        length = _LENGTH_S[step.kind] + 0.7
        arrival = self.go(agent, place, length)
        start = arrival * STEP_S + 0.5
        if not_before_s is not None and not_before_s > start:
            more = int(np.ceil((not_before_s - start) / STEP_S))
            agent.walk += [agent.walk[-1]] * more
            start = not_before_s
        self._do(agent, step, arrival, start, place, look)
        return start

    def _do(
        self, agent: _Agent, step: Step, arrival: int, start: float, place: tuple[float, float], look: float
    ) -> None:
        agent.exact.append((arrival, agent.now, place))
        agent.facing.append((arrival * STEP_S - 0.3, agent.now * STEP_S, look))
        agent.pending.append((start, step))
        self.crowd.put(agent.visit.person_id, agent.first_step, agent.walk, False)

    def enter(self, visit: Visit) -> None:
        """From the street through the entry gate."""
        step = int(np.ceil(visit.arrives_s / STEP_S))
        start = (_OUT_X, ENTRY_LANE_Y)
        while any(np.hypot(x - start[0], y - start[1]) < 0.8 for x, y in self.crowd.at(step, visit.person_id)):
            step += 1
        agent = _Agent(visit, step, [start])
        self.agents[visit.person_id] = agent
        self.go(agent, (1.5, ENTRY_LANE_Y), 0.0)

    def leave(self, agent: _Agent) -> None:
        """Through the exit gate to the street."""
        self.go(agent, (1.5, EXIT_LANE_Y), 0.0)
        self.go(agent, (_OUT_X, EXIT_LANE_Y), 0.0)
        self.crowd.put(agent.visit.person_id, agent.first_step, agent.walk, True)

    def direct(self) -> None:
        """Plan everybody, partners together up to the moment they share."""
        done: set[str] = set()
        visits = {visit.person_id: visit for visit in self.script.visits}
        for visit in self.script.visits:
            if visit.person_id in done:
                continue
            self.enter(visit)
            if visit.partner is None:
                for step in visit.steps:
                    self.perform(self.agents[visit.person_id], step)
                self.leave(self.agents[visit.person_id])
                continue
            pair = [visit, visits[visit.partner]]
            done.add(visit.partner)
            self._direct_pair(pair[0], pair[1])

    def _direct_pair(self, first: Visit, second: Visit) -> None:
        agents = [self.agents[first.person_id]]
        index = next(k for k, step in enumerate(first.steps) if step.meet)
        for step in first.steps[:index]:
            self.perform(agents[0], step)
        place, look = self.stand(first.steps[index])
        waiting = self.go(agents[0], place, 25.0)
        del agents[0].walk[waiting - agents[0].first_step + 1 :]
        self.crowd.put(first.person_id, agents[0].first_step, agents[0].walk, False)
        self.enter(second)
        agents.append(self.agents[second.person_id])
        other = next(k for k, step in enumerate(second.steps) if step.meet)
        for step in second.steps[:other]:
            self.perform(agents[1], step)
        start = self.perform(agents[1], second.steps[other], waiting * STEP_S + 0.8)
        end = int(np.ceil((start + _LENGTH_S[first.steps[index].kind] + 0.2) / STEP_S))
        agents[0].walk += [agents[0].walk[-1]] * (end - agents[0].now)
        offset = 0.0 if first.steps[index].kind == "give" else 0.15
        self._do(agents[0], first.steps[index], waiting, start + offset, place, look)
        for agent, steps in zip(agents, (first.steps[index + 1 :], second.steps[other + 1 :]), strict=True):
            for step in steps:
                self.perform(agent, step)
            self.leave(agent)

    def motion(self, agent: _Agent) -> Motion:
        """Sample an agent at 10 Hz, smoothed."""
        walk = np.array(agent.walk, float)
        for begin, end, place in agent.exact:
            walk[begin - agent.first_step : end - agent.first_step + 1] = place
        times = np.arange(int(np.ceil(agent.first_step * STEP_S * FPS)), int(agent.now * STEP_S * FPS) + 1)
        steps = (agent.first_step + np.arange(len(walk))) * STEP_S
        raw = np.stack([np.interp(times / FPS, steps, walk[:, k]) for k in range(2)], axis=1)
        position = smooth(raw, 3.0)
        position[[0, -1]] = raw[[0, -1]]
        velocity = smooth(np.gradient(position, axis=0) * FPS, 2.0)
        speed = np.hypot(velocity[:, 0], velocity[:, 1])
        direction = np.zeros_like(velocity)
        latest = np.array([1.0, 0.0])
        for k in range(len(times)):
            now = times[k] / FPS
            fixed = [look for begin, end, look in agent.facing if begin <= now <= end]
            if fixed:
                latest = np.array([np.cos(fixed[0]), np.sin(fixed[0])])
            elif speed[k] > 0.2:
                latest = velocity[k] / speed[k]
            direction[k] = latest
        direction = smooth(direction, 2.5)
        heading = np.arctan2(direction[:, 1], direction[:, 0])
        inside = np.flatnonzero(position[:, 0] >= GATE_X)
        return Motion(
            agent.visit,
            int(times[0]),
            position,
            heading,
            entry_s=float(times[inside[0]] / FPS),
            exit_s=float(times[inside[-1]] / FPS),
        )


def _keys(kind: str) -> tuple[tuple[float, Key], ...]:
    if kind == "pick":
        return (
            (0, "rest"),
            (0.75, "shelf"),
            (1.05, "shelf"),
            (1.7, "chest"),
            (2.1, "chest"),
            (2.6, "bag"),
            (3.2, "rest"),
        )
    if kind in ("put_back", "give", "restock"):
        return ((0, "rest"), (0.6, "bag"), (1.2, "chest"), (1.95, "shelf"), (2.25, "shelf"), (3.1, "rest"))
    if kind == "take":
        return (
            (0, "rest"),
            (1.2, "chest"),
            (1.95, "shelf"),
            (2.25, "shelf"),
            (2.8, "chest"),
            (3.3, "bag"),
            (4.0, "rest"),
        )
    return ((0, "rest"), (0.8, "shelf"), (1.4, "shelf"), (2.2, "rest"))


_HOLDS = {
    "pick": (0.9, 2.6),
    "put_back": (0.6, 2.1),
    "give": (0.6, 2.1),
    "restock": (0.6, 2.1),
    "take": (2.1, 3.3),
    "touch": (9.0, 9.0),
}


def direct_day(layout: Layout, script: Script, duration_s: float) -> Day:
    """Plan everybody and collect the exact events.

    Raises NoPath when the scripts do not fit into the time or the store.
    """
    director = _Director(layout, script)
    director.direct()
    shelves = Shelves(layout, script.planogram, script.holes)
    queue = sorted(
        (
            (start + _MOMENT_S[step.kind], start, agent.visit, step)
            for agent in director.agents.values()
            for start, step in agent.pending
        ),
        key=lambda item: (item[0], item[2].person_id),
    )
    motions = {person: director.motion(agent) for person, agent in director.agents.items()}
    events: list[Event] = []
    moves: list[tuple[float, str, str, str]] = []
    names = {"give": "hand_over"}
    for moment, start, visit, step in queue:
        if step.kind == "look":
            continue
        product = step.product_id
        point = (0.0, 0.0, 0.0)
        if step.kind in ("pick", "touch"):
            place = shelves.front(step.slot_id)
            held = shelves.content[step.slot_id][place]
            point = tuple(shelves.reach_point(step.slot_id, place, held))
            if step.kind == "pick":
                shelves.take(step.slot_id)
                moves.append((moment, "take", step.slot_id, held))
        elif step.kind in ("put_back", "restock") and product is not None:
            place = shelves.hole(step.slot_id, product)
            point = tuple(shelves.reach_point(step.slot_id, place, product))
            shelves.put(step.slot_id, product)
            moves.append((moment, "put", step.slot_id, product))
        elif visit.partner is not None:
            mine, theirs = (motions[name] for name in (visit.person_id, visit.partner))
            frame = round(moment * FPS)
            middle = (mine.position[frame - mine.first_frame] + theirs.position[frame - theirs.first_frame]) / 2
            point = (float(middle[0]), float(middle[1]), 1.12)
        is_meeting = step.kind in ("give", "take")
        motions[visit.person_id].actions.append(
            Action(start, _keys(step.kind), point, product, _HOLDS[step.kind], is_meeting)
        )
        if step.kind == "take":
            continue
        events.append(
            Event(
                round(moment, 3),
                visit.person_id,
                names.get(step.kind, step.kind),
                None if is_meeting else step.slot_id,
                shelves.planogram[step.slot_id] if step.kind == "touch" else product,
                visit.scenario,
                visit.partner if is_meeting else None,
            )
        )
    late = max(motion.last_frame for motion in motions.values()) / FPS
    if late > duration_s - 1.0:
        raise NoPath(f"the scripts need {late + 1.0:.0f} s")
    return Day(list(motions.values()), events, moves, duration_s)
