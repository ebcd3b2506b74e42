"""Settings of the baskets: how picks and put-backs cancel out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NettingSettings:
    """What is believed of an event, and of a put-back that no pick of that person matches. Probabilities, 0 to 1. All
    chosen by hand; receipts were then measured on the simulated days (docs/benchmarks.md)."""

    least_event_prob: float = 0.5
    """An event less likely than this is taken not to have happened."""
    wrong_slot_prob: float = 0.2
    """That a put-back was another product of that person's, in the wrong place."""
    missed_pick_prob: float = 0.05
    """That a put-back follows a pick that nobody saw."""
    swap_prob: float = 0.5
    """That what was exchanged for the slot's product is what the person held."""
    lone_error_prob: float = 0.2
    """That a change of a slot that did not happen is not followed by its reversal, which did not happen either."""
    second_hand_prob: float = 0.1
    """That another person put back what was taken, if either of the two is in doubt."""
    scan_margin_s: float = 5.0
    """What happens more seconds than this before the entry scan or after the exit scan is somebody else's."""
