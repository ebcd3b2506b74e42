"""What every person carries and what lies in every slot: the dynamic planogram.

Events are read in order of time. What a person holds tells put-back from pick where the picture is undecided
(nobody puts back what they never took), and names the product of a put-back into the wrong slot; a later pick
from that slot takes the foreign product, which lies in front. What known staff put is restocking.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# Prior of a put-back over a pick. 24 % of the competition's events were put-backs (ground_truth_v14.json).
PUT_PRIOR_HOLDING_PRODUCT = math.log(0.35 / 0.65)
PUT_PRIOR_HOLDING_OTHER = math.log(0.12 / 0.88)
PUT_PRIOR_HOLDING_NOTHING = math.log(0.04 / 0.96)
PUT_PRIOR_UNKNOWN = math.log(0.24 / 0.76)
PUT_PRIOR_STAFF = math.log(0.95 / 0.05)
# What is put down looks like what was taken up: on three tuning days 10 of 11 true put-backs were within 0.26 of the
# product's picture when it was taken (one 0.40), the one that was none 0.50.
LIKE_ENOUGH = 0.33
UNLIKE_SLOPE = 12.0
MOST_UNLIKE = 4.0


Look = tuple[float, ...]
"""Colour histogram of what came or went, summing to one; empty where nothing could be seen."""


@dataclass(frozen=True)
class Movement:
    """What an event moved: `type` is pick, put_back or restock; `probability` that the direction is right."""

    type: str
    product_id: str | None
    quantity: int
    probability: float


@dataclass
class StoreHoldings:
    """State while a day is read. `planogram` maps slot to product."""

    planogram: Mapping[str, str]
    staff: frozenset[str] = frozenset()
    _looks: dict[tuple[str, str], list[Look]] = field(default_factory=dict)
    _carried: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    _foreign: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def carried(self, track_id: str) -> tuple[str, ...]:
        """Products a person holds, oldest first."""
        return tuple(self._carried[track_id])

    def move(
        self,
        slot_id: str,
        track_id: str | None,
        put_log_odds: float,
        quantity: int,
        looks: Sequence[Look] = (),
    ) -> Movement:
        """Decide and book one event; call in order of time. `looks`: what moved, as cameras saw it."""
        own = self.planogram.get(slot_id)
        total = put_log_odds + self._prior(track_id, own)
        if total > 0:
            total -= self._stranger(track_id, looks)
        probability = 1.0 / (1.0 + math.exp(-abs(max(min(total, 30.0), -30.0))))
        if total > 0:
            return self._put(slot_id, track_id, own, quantity, probability, looks)
        foreign = self._foreign[slot_id]
        product = foreign.pop() if foreign else own
        if product is not None and track_id is not None:
            self._carried[track_id] += [product] * quantity
            self._looks.setdefault((track_id, product), []).extend(looks)
        return Movement("pick", product, quantity, probability)

    def cost(self, slot_id: str, track_id: str, put_log_odds: float) -> float:
        """Minus log-likelihood that somebody who carries what this person carries did such a thing."""
        prior = self._prior(track_id, self.planogram.get(slot_id))
        put = 1.0 / (1.0 + math.exp(-max(min(put_log_odds, 30.0), -30.0)))
        put_prior = 1.0 / (1.0 + math.exp(-prior))
        return -math.log(put * put_prior + (1.0 - put) * (1.0 - put_prior))

    def _prior(self, track_id: str | None, own: str | None) -> float:
        if track_id is None:
            return PUT_PRIOR_UNKNOWN
        if track_id in self.staff:
            return PUT_PRIOR_STAFF
        carried = self._carried[track_id]
        if own is not None and own in carried:
            return PUT_PRIOR_HOLDING_PRODUCT
        return PUT_PRIOR_HOLDING_OTHER if carried else PUT_PRIOR_HOLDING_NOTHING

    def _likest(self, track_id: str, looks: Sequence[Look]) -> str:
        """The carried product that looked most like what was put down; of equals the latest."""
        latest_first = list(dict.fromkeys(reversed(self._carried[track_id])))
        return min(latest_first, key=lambda product: round(self._unlike(track_id, product, looks), 6))

    def _unlike(self, track_id: str, product: str, looks: Sequence[Look]) -> float:
        """How little what was seen looks like the product when this person took it, 0 to 1."""
        known = self._looks.get((track_id, product), [])
        return min((_apart(one, other) for one in looks for other in known), default=1.0)

    def _stranger(self, track_id: str | None, looks: Sequence[Look]) -> float:
        """Log-odds against a put-back: nothing that this person carries looks like what seems to have come."""
        if track_id is None or track_id in self.staff or not looks or not self._carried[track_id]:
            return 0.0
        likest = min(self._unlike(track_id, product, looks) for product in self._carried[track_id])
        return min(max(UNLIKE_SLOPE * (likest - LIKE_ENOUGH), 0.0), MOST_UNLIKE)

    def _put(
        self,
        slot_id: str,
        track_id: str | None,
        own: str | None,
        quantity: int,
        probability: float,
        looks: Sequence[Look],
    ) -> Movement:
        if track_id is None:
            return Movement("put_back", own, quantity, probability)
        carried = self._carried[track_id]
        if track_id in self.staff:
            return Movement("restock", own, quantity, probability)
        if not carried:
            return Movement("put_back", own, quantity, probability)
        product = own if own is not None and own in carried else self._likest(track_id, looks)
        count = min(quantity, carried.count(product))
        for _ in range(count):
            carried.reverse()
            carried.remove(product)
            carried.reverse()
        if product != own:
            self._foreign[slot_id] += [product] * count
        return Movement("put_back", product, count, probability)


def _apart(one: Look, other: Look) -> float:
    """One minus the histograms' intersection; 1 where either is unknown."""
    if len(one) != len(other):
        return 1.0
    return 1.0 - sum(map(min, one, other))
