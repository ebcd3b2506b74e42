"""What stands on the shelves: the planogram and the packages in every slot, column by column, front first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.catalogue import BY_ID, PRODUCTS, Product
from simulation.layout import PITCH_M, SHELF_DEPTH_M, SLOT_HEIGHT_M, Array, Layout, Slot

_GAP_M = 0.012


@dataclass(frozen=True)
class Place:
    """A place for one package: column from the left, row from the front."""

    column: int
    row: int


class Shelves:
    """Packages in all slots; a hole at the front stays a hole until something is put into it."""

    def __init__(self, layout: Layout, planogram: dict[str, str], holes: dict[str, int]) -> None:
        self._slots = {slot.slot_id: slot for slot in layout.slots}
        self.planogram = planogram
        self.content: dict[str, dict[Place, str]] = {}
        for slot_id, product_id in planogram.items():
            product = BY_ID[product_id]
            places = [Place(column, row) for row in range(rows_of(product)) for column in range(product.columns)]
            self.content[slot_id] = dict.fromkeys(places[holes.get(slot_id, 0) :], product_id)

    def front(self, slot_id: str) -> Place:
        """The package a hand would take: nearest row, then left column. Raises ValueError when empty."""
        return min(self.content[slot_id], key=lambda place: (place.row, place.column))

    def hole(self, slot_id: str, product_id: str) -> Place:
        """Where a package would be put: the deepest hole at the front. Raises ValueError when full."""
        own = BY_ID[self.planogram[slot_id]]
        columns = own.columns if BY_ID[product_id].columns >= own.columns else 1
        holes = []
        for column in range(columns):
            rows = [place.row for place in self.content[slot_id] if place.column == column or columns == 1]
            nearest = min(rows, default=rows_of(own))
            if nearest > 0:
                holes.append(Place(column, nearest - 1))
        return max(holes, key=lambda place: (place.row, -place.column))

    def take(self, slot_id: str) -> str:
        """Take the front package; its product."""
        return self.content[slot_id].pop(self.front(slot_id))

    def put(self, slot_id: str, product_id: str) -> None:
        """Put a package into the front hole."""
        self.content[slot_id][self.hole(slot_id, product_id)] = product_id

    def position(self, slot_id: str, place: Place, product_id: str) -> Array:
        """Centre of a package's bottom, (3,) metres."""
        slot = self._slots[slot_id]
        own = BY_ID[self.planogram[slot_id]]
        depth = 0.015 + (place.row + 0.5) * (own.size_m[1] + _GAP_M)
        alone = BY_ID[product_id].columns < own.columns
        lateral = 0.0 if alone else (place.column - (own.columns - 1) / 2) * (own.size_m[0] + 0.02)
        along, normal = np.array([*slot.gondola.along, 0.0]), np.array([*slot.gondola.normal, 0.0])
        bottom = np.array(slot.front) - [0.0, 0.0, SLOT_HEIGHT_M / 2]
        return np.asarray(bottom + along * lateral - normal * depth)

    def reach_point(self, slot_id: str, place: Place, product_id: str) -> Array:
        """Where the palm closes: the front of the package at half its height, (3,) metres."""
        slot = self._slots[slot_id]
        size = BY_ID[product_id].size_m
        normal = np.array([*slot.gondola.normal, 0.0])
        return np.asarray(self.position(slot_id, place, product_id) + normal * size[1] / 2 + [0, 0, size[2] * 0.55])


def rows_of(product: Product) -> int:
    """How many packages stand one behind the other."""
    return min(3, int((SHELF_DEPTH_M - 0.05) / (product.size_m[1] + _GAP_M)))


def capacity(product: Product) -> int:
    """Packages of a product in one slot."""
    return rows_of(product) * product.columns


def make_planogram(slots: tuple[Slot, ...], rng: np.random.Generator) -> dict[str, str]:
    """slot_id to product_id: categories stay together, neighbours differ."""
    order: list[Product] = []
    while len(order) < len(slots):
        block = sorted(PRODUCTS, key=lambda product: (product.category, product.product_id))
        shift = int(rng.integers(len(block)))
        order += block[shift:] + block[:shift]
    return {slot.slot_id: order[index].product_id for index, slot in enumerate(slots)}


assert PITCH_M > 2 * (0.098 + 0.02)
