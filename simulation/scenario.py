"""Who comes when and wants what: scripts from a seed, before anybody takes a step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from simulation.catalogue import BY_ID, POPULATION, STAFF_ACCOUNT, account_id
from simulation.layout import Layout, Slot
from simulation.stock import capacity, make_planogram

StepKind = Literal["pick", "put_back", "touch", "look", "give", "take", "restock"]
Kind = Literal["shopper", "staff", "tailgater", "browser"]
SCENARIOS = (
    "single",
    "several",
    "put_back",
    "wrong_slot",
    "same_product",
    "touch",
    "hand_over",
    "restocking",
    "browser",
    "tailgater",
)


@dataclass
class Step:
    """One wish: what to do at which slot; `meet` names a moment shared with another person's step."""

    kind: StepKind
    slot_id: str
    product_id: str | None = None
    meet: str | None = None
    side: float = 0.0


@dataclass
class Visit:
    """One person's script."""

    person_id: str
    kind: Kind
    scenario: str
    account_id: str | None
    payment_method: str
    arrives_s: float
    steps: list[Step] = field(default_factory=list)
    partner: str | None = None


@dataclass
class Script:
    """A day: planogram, missing packages at the start, visits in the order of arrival."""

    planogram: dict[str, str]
    holes: dict[str, int]
    visits: list[Visit]


class _Writer:
    """Draws steps and keeps slots apart, so that no two scripts rely on the same package."""

    def __init__(self, layout: Layout, rng: np.random.Generator) -> None:
        self.rng = rng
        self.slots = {slot.slot_id: slot for slot in layout.slots}
        self.planogram = make_planogram(layout.slots, rng)
        self.unused = [slot.slot_id for slot in layout.slots]
        rng.shuffle(self.unused)
        self.holes: dict[str, int] = {}
        self.number = 0
        self.accounts = [int(n) for n in rng.permutation(POPULATION)]

    def slot(self, *, near: str | None = None, holes: int = 0, columns: tuple[int, ...] = (1, 2)) -> str:
        """A slot nobody else uses, at reach height more often than low."""
        weights = {0: 0.5, 1: 1.2, 2: 1.2}
        pool = [
            s
            for s in self.unused
            if BY_ID[self.planogram[s]].columns in columns
            and capacity(BY_ID[self.planogram[s]]) > holes
            and (near is None or self._apart(self.slots[s], self.slots[near]) < 1.3)
        ]
        chances = np.array([weights[self.slots[s].shelf_index] for s in pool])
        chosen = pool[int(self.rng.choice(len(pool), p=chances / chances.sum()))]
        self.unused.remove(chosen)
        if holes:
            self.holes[chosen] = holes
        return chosen

    @staticmethod
    def _apart(a: Slot, b: Slot) -> float:
        return float(np.hypot(a.front[0] - b.front[0], a.front[1] - b.front[1]))

    def visit(self, kind: Kind, scenario: str, arrives_s: float) -> Visit:
        self.number += 1
        account, payment = None, ("alipay", "wechat", "icbc")[int(self.rng.choice(3, p=[0.45, 0.45, 0.1]))]
        if kind == "staff":
            account, payment = STAFF_ACCOUNT, "staff"
        elif kind != "tailgater":
            account = account_id(self.accounts.pop())
        return Visit(f"p{self.number:02d}", kind, scenario, account, payment, arrives_s)

    def picks(self, number: int) -> list[Step]:
        return [Step("pick", slot, self.planogram[slot]) for slot in (self.slot() for _ in range(number))]

    def group(self, scenario: str, at: float) -> list[Visit]:  # noqa: PLR0911 - one return a scenario
        """The visits of one scenario, the first at `at` seconds."""
        rng = self.rng
        if scenario == "same_product":
            first, second = self.visit("shopper", scenario, at), self.visit("shopper", scenario, at + 2.5)
            shared = self.slot(columns=(2,))
            product = self.planogram[shared]
            meet = f"{first.person_id}+{second.person_id}"
            first.steps = [Step("pick", shared, product, meet, -1.0), *self.picks(1)]
            second.steps = [*self.picks(1), Step("pick", shared, product, meet, 1.0)]
            first.partner, second.partner = second.person_id, first.person_id
            return [first, second]
        if scenario == "hand_over":
            first, second = self.visit("shopper", scenario, at), self.visit("shopper", scenario, at + 2.5)
            picked = self.picks(1)[0]
            meet = f"{first.person_id}+{second.person_id}"
            first.steps = [
                picked,
                Step("give", picked.slot_id, picked.product_id, meet, -1.0),
                *self.picks(1),
            ]
            second.steps = [*self.picks(1), Step("take", picked.slot_id, picked.product_id, meet, 1.0)]
            first.partner, second.partner = second.person_id, first.person_id
            return [first, second]
        if scenario == "several":
            group = [self.visit("shopper", scenario, at + 2.5 * k) for k in range(2)]
            group[0].steps, group[1].steps = self.picks(2), self.picks(2)
            back = group[1].steps[0]
            group[1].steps.insert(2, Step("put_back", back.slot_id, back.product_id))
            return group
        if scenario == "restocking":
            staff = self.visit("staff", scenario, at)
            for missing in (2, 1):
                shelf = self.slot(holes=missing)
                staff.steps += [Step("restock", shelf, self.planogram[shelf])] * missing
            return [staff]
        if scenario == "browser":
            browser = self.visit("browser", scenario, at)
            seen = self.slot()
            browser.steps = [
                Step("look", self.slot()),
                Step("touch", seen),
                Step("look", self.slot(near=seen)),
            ]
            return [browser]
        if scenario == "tailgater":
            ahead, behind = self.visit("shopper", scenario, at), self.visit("tailgater", scenario, at + 1.2)
            ahead.steps, behind.steps = self.picks(2), self.picks(1)
            return [ahead, behind]
        visit = self.visit("shopper", scenario, at)
        visit.steps = self.picks(int(rng.integers(2, 4)))
        if scenario == "put_back":
            visit.steps = self.picks(3)
            for step in (visit.steps[0], visit.steps[2]):
                visit.steps.append(Step("put_back", step.slot_id, step.product_id))
        elif scenario == "wrong_slot":
            foreign = visit.steps[0].product_id
            assert foreign is not None
            # a wide package fits only where one lane is as wide
            wrong = self.slot(holes=1, columns=(1,) if BY_ID[foreign].columns == 1 else (1, 2))
            visit.steps.append(Step("put_back", wrong, foreign))
        elif scenario == "touch":
            touched = self.slot()
            visit.steps.insert(1, Step("touch", touched))
        return [visit]


def write_script(layout: Layout, seed: int, scenarios: tuple[str, ...], gap_s: float) -> Script:
    """Scripts of a day: the scenarios in order, a new group about every gap_s seconds."""
    writer = _Writer(layout, np.random.default_rng([seed, 1]))
    visits: list[Visit] = []
    clock = 2.0
    for scenario in scenarios:
        visits += writer.group(scenario, clock)
        clock += gap_s * float(writer.rng.uniform(0.85, 1.15))
    spare = [slot for slot in writer.unused if writer.rng.random() < 0.2]
    for slot in spare:
        writer.holes[slot] = 1
    return Script(writer.planogram, writer.holes, visits)
