"""Which row belongs to which column, all at once: the best joint assignment, and how sure each pair of it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_MAX_LOG_RATIO = 60.0
"""A guard: `exp` of more leaves no room for the sums."""
_TOLERANCE = 1e-6
"""A guard: messages that change by less have settled."""


@dataclass(frozen=True)
class Association:
    """`pairs` (k, 2): row and column; `pair_prob` (k,): probability of each pair; `row_alone_prob` (n,) and
    `column_alone_prob` (m,): probability that a row or column belongs to nothing."""

    pairs: NDArray[np.intp]
    pair_prob: Floats
    row_alone_prob: Floats
    column_alone_prob: Floats


def associate(log_ratio: Floats, iterations: int = 200) -> Association:
    """One-to-one assignment of rows to columns.

    `log_ratio` (n, m): log of the likelihood that row and column belong together over the likelihood that
    they do not; -inf where impossible. The assignment maximizes its sum over the pairs (Hungarian method);
    a pair below 0 is worse than leaving both alone. Probabilities are marginals over all assignments by
    belief propagation (J. Williams, R. Lau, "Approximate evaluation of marginal association probabilities
    with belief propagation", IEEE Transactions on Aerospace and Electronic Systems 50(4), 2014), exact for
    a tree.
    """
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(np.maximum(log_ratio, 0.0), maximize=True)
    chosen = log_ratio[rows, columns] > 0.0
    rows, columns = rows[chosen], columns[chosen]
    ratio = np.exp(np.minimum(log_ratio, _MAX_LOG_RATIO))
    to_rows = np.ones_like(ratio)
    for _ in range(iterations):
        weighted = ratio * to_rows
        to_columns = ratio / (1.0 + _others(weighted, axis=1))
        updated = 1.0 / (1.0 + _others(to_columns, axis=0))
        converged = not updated.size or bool(np.max(np.abs(updated - to_rows)) < _TOLERANCE)
        to_rows = updated
        if converged:
            break
    weighted = ratio * to_rows
    row_total = 1.0 + weighted.sum(axis=1, keepdims=True)
    prob = weighted / row_total
    return Association(
        np.stack([rows, columns], axis=1),
        prob[rows, columns],
        1.0 / row_total[:, 0],
        np.clip(1.0 - prob.sum(axis=0), 0.0, 1.0),
    )


def _others(values: Floats, axis: int) -> Floats:
    """For each element the sum of the others on the axis, added up from both sides: a sum less the element would lose
    its digits to a large one."""
    forward = np.cumsum(values, axis=axis)
    backward = np.flip(np.cumsum(np.flip(values, axis), axis=axis), axis)
    before, after = np.zeros_like(values), np.zeros_like(values)
    if axis == 0:
        before[1:], after[:-1] = forward[:-1], backward[1:]
    else:
        before[:, 1:], after[:, :-1] = forward[:, :-1], backward[:, 1:]
    return before + after
