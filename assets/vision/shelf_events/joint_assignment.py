"""Who did it: shelf events that happen together are assigned to people together, not one after another.

Each event has a cost for each person (minus log-likelihood: where the person stood, where the hand was seen) and for
nobody. A group of simultaneous events is solved as one linear assignment. A person has two hands and may get two
events, the second at a price. The confidence of an assignment comes from its margin: how much dearer the best solution
without it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from assets.vision.log_odds import logistic

FORBIDDEN = 1e6
"""Cost of what cannot be: dearer than any sum of real costs."""


@dataclass(frozen=True)
class Assignment:
    """`person` is the column of the cost matrix, or None for nobody; `probability` that it is right."""

    person: int | None
    probability: float


def simultaneous(times_s: Sequence[float], within_s: float) -> list[list[int]]:
    """Indices of events grouped so that neighbours in time within a group are at most `within_s` apart."""
    order = sorted(range(len(times_s)), key=lambda index: (times_s[index], index))
    groups: list[list[int]] = []
    for index in order:
        if groups and times_s[index] - times_s[groups[-1][-1]] <= within_s:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def assign(
    costs: npt.NDArray[np.floating],
    nobody_cost: float,
    second_hand_cost: float,
    alike: Sequence[int] | None = None,
) -> list[Assignment]:
    """One assignment for each of E events from `costs` (E, P), natural-log units; inf where impossible.

    Events with the same number in `alike` (E,) are pieces of one event. Swapping pieces between people changes nothing;
    a single piece's margin is taken against the best solution in which its holder has none.
    """
    costs = np.asarray(costs, dtype=np.float64)
    events, people = costs.shape
    full = np.full((events, 2 * people + events), FORBIDDEN)
    full[:, :people] = np.minimum(costs, FORBIDDEN)
    full[:, people : 2 * people] = np.minimum(costs + second_hand_cost, FORBIDDEN)
    full[:, 2 * people :] = nobody_cost
    total, chosen = _solve(full)
    kinds = np.arange(events) if alike is None else np.asarray(alike)
    found = []
    for event in range(events):
        person = int(chosen[event] % people) if chosen[event] < 2 * people else None
        without = full.copy()
        if person is None:
            without[event, 2 * people :] = FORBIDDEN
        else:
            pieces = np.flatnonzero(kinds == kinds[event])
            held = pieces[(chosen[pieces] < 2 * people) & (chosen[pieces] % people == person)]
            without[np.ix_(pieces if len(held) == 1 else [event], [person, people + person])] = FORBIDDEN
        margin = _solve(without)[0] - total
        found.append(Assignment(person, logistic(max(margin, 0.0))))
    return found


def _solve(full: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.int64]]:
    rows, columns = linear_sum_assignment(full)
    return float(full[rows, columns].sum()), np.asarray(columns, dtype=np.int64)
