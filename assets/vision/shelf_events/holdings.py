"""What every person carries and what lies in every slot: the dynamic planogram.

Events are read in order of time. Where the picture does not tell a put-back from a pick, what the person holds does:
nobody puts back what they never took. It also names the product of a put-back into the wrong slot; a later pick from
that slot takes the foreign product, which lies in front. What staff put there is restocking.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assets.vision.log_odds import log_odds, logistic
from assets.vision.shelf_events.settings import HoldingsSettings

Colours = tuple[float, ...]
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
    settings: HoldingsSettings = field(default_factory=HoldingsSettings)
    _colours: dict[tuple[str, str], list[Colours]] = field(default_factory=dict)
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
        colours: Sequence[Colours] = (),
    ) -> Movement:
        """Decide and book one event; call in order of time. `colours`: of what moved, as each camera saw it."""
        own = self.planogram.get(slot_id)
        total = put_log_odds + self._prior(track_id, own)
        if total > 0:
            total -= self._stranger(track_id, colours)
        probability = logistic(abs(total))
        if total > 0:
            return self._put(slot_id, track_id, own, quantity, probability, colours)
        foreign = self._foreign[slot_id]
        product = foreign.pop() if foreign else own
        if product is not None and track_id is not None:
            self._carried[track_id] += [product] * quantity
            self._colours.setdefault((track_id, product), []).extend(colours)
        return Movement("pick", product, quantity, probability)

    def cost(self, slot_id: str, track_id: str, put_log_odds: float) -> float:
        """Minus log-likelihood of such an event by somebody who carries what this person carries."""
        prior = self._prior(track_id, self.planogram.get(slot_id))
        put, put_prior = logistic(put_log_odds), logistic(prior)
        return -math.log(put * put_prior + (1.0 - put) * (1.0 - put_prior))

    def _prior(self, track_id: str | None, own: str | None) -> float:
        """Log-odds of a put-back over a pick, before anybody looks at the change itself."""
        if track_id is None:
            return log_odds(self.settings.put_prob_unknown)
        if track_id in self.staff:
            return log_odds(self.settings.put_prob_staff)
        carried = self._carried[track_id]
        if own is not None and own in carried:
            return log_odds(self.settings.put_prob_holding_product)
        return log_odds(self.settings.put_prob_holding_other if carried else self.settings.put_prob_holding_nothing)

    def _likest(self, track_id: str, colours: Sequence[Colours]) -> str:
        """The carried product that looked most like what was put down; the latest taken, if several look equal."""
        latest_first = list(dict.fromkeys(reversed(self._carried[track_id])))
        return min(latest_first, key=lambda product: round(self._unlike(track_id, product, colours), 6))

    def _unlike(self, track_id: str, product: str, colours: Sequence[Colours]) -> float:
        """How little what was seen looks like the product when this person took it, 0 to 1."""
        known = self._colours.get((track_id, product), [])
        return min((_apart(one, other) for one in colours for other in known), default=1.0)

    def _stranger(self, track_id: str | None, colours: Sequence[Colours]) -> float:
        """Log-odds against a put-back that looks like nothing this person carries; 0 where that cannot be told."""
        if track_id is None or track_id in self.staff or not colours or not self._carried[track_id]:
            return 0.0
        likest = min(self._unlike(track_id, product, colours) for product in self._carried[track_id])
        too_far = likest - self.settings.like_enough
        return min(max(self.settings.unlike_slope * too_far, 0.0), self.settings.most_unlike)

    def _put(
        self,
        slot_id: str,
        track_id: str | None,
        own: str | None,
        quantity: int,
        probability: float,
        colours: Sequence[Colours],
    ) -> Movement:
        if track_id is None:
            return Movement("put_back", own, quantity, probability)
        carried = self._carried[track_id]
        if track_id in self.staff:
            return Movement("restock", own, quantity, probability)
        if not carried:
            return Movement("put_back", own, quantity, probability)
        product = own if own is not None and own in carried else self._likest(track_id, colours)
        count = min(quantity, carried.count(product))
        for _ in range(count):
            carried.reverse()
            carried.remove(product)
            carried.reverse()
        if product != own:
            self._foreign[slot_id] += [product] * count
        return Movement("put_back", product, count, probability)


def _apart(one: Colours, other: Colours) -> float:
    """One minus the histograms' intersection; 1 where either is unknown."""
    if len(one) != len(other):
        return 1.0
    return 1.0 - sum(map(min, one, other))
