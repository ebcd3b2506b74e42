"""Calibrated confidence of shelf events: Platt scaling of the fused evidence.

The constants are those that `python -m benchmarks.shelf_confidence DAY` printed for the tuning day (simulated;
layout tuning, seed 101; 27 fused changes, 20 of them attributed) on 2026-11-23. The shipped day, its layout and
its seed had no part in them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Confidence:
    """Platt constants: probability = 1 / (1 + exp(-(intercept + slope * log-odds)))."""

    change_intercept: float = 0.0
    change_slope: float = 1.0
    person_intercept: float = 0.0
    person_slope: float = 1.0

    def change(self, change_log_odds: float) -> float:
        """Probability that the slot changed at all."""
        return _logistic(self.change_intercept + self.change_slope * change_log_odds)

    def event(self, change_log_odds: float, direction_prob: float) -> float:
        """Probability that slot and type are right."""
        return self.change(change_log_odds) * direction_prob

    def person(self, margin_prob: float) -> float:
        """Probability that the person is right, from the assignment's margin."""
        bounded = min(max(margin_prob, 1e-6), 1.0 - 1e-6)
        return _logistic(self.person_intercept + self.person_slope * math.log(bounded / (1.0 - bounded)))


def _logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-min(max(value, -30.0), 30.0)))


CONFIDENCE = Confidence(change_intercept=-0.062, change_slope=1.223, person_intercept=0.541, person_slope=1.439)
