"""Calibrated confidence of shelf events: Platt scaling of the fused evidence.

The constants are those that `python -m benchmarks.shelf_confidence DAY...` printed for three tuning days (simulated;
layout tuning, seeds 101 and 104, and tuning_corner, seed 404; 101 fused changes, 72 of them attributed) on 2026-11-23.
Neither the shipped day nor the held-out store was used for them.
"""

from __future__ import annotations

from dataclasses import dataclass

from assets.vision.log_odds import log_odds, logistic


@dataclass(frozen=True)
class Confidence:
    """Platt constants: probability = 1 / (1 + exp(-(intercept + slope * log-odds)))."""

    change_intercept: float = 0.0
    """Log-odds that a slot changed, when the fused evidence is undecided."""
    change_slope: float = 1.0
    """What a unit of fused log-odds is worth."""
    person_intercept: float = 0.0
    """Log-odds that the person is right, when the next best is as good."""
    person_slope: float = 1.0
    """What a unit of the assignment's margin is worth."""

    def change(self, change_log_odds: float) -> float:
        """Probability that the slot changed at all."""
        return logistic(self.change_intercept + self.change_slope * change_log_odds)

    def event(self, change_log_odds: float, direction_prob: float) -> float:
        """Probability that slot and type are right."""
        return self.change(change_log_odds) * direction_prob

    def person(self, margin_prob: float) -> float:
        """Probability that the person is right, from the assignment's margin."""
        return logistic(self.person_intercept + self.person_slope * log_odds(margin_prob))


CONFIDENCE = Confidence(change_intercept=-0.345, change_slope=1.478, person_intercept=0.124, person_slope=1.453)
