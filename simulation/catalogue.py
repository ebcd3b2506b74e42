"""The goods on sale in the simulated store: one list for the rendered day, its receipts and the history."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Literal

Shape = Literal["box", "bottle", "can", "bag"]
Colour = tuple[int, int, int]

FIRST_PRICES = date(2025, 1, 1)
PRICE_CHANGE = date(2026, 6, 1)
_SIZES_M: dict[Shape, tuple[float, float, float]] = {
    "box": (0.17, 0.08, 0.21),
    "bag": (0.18, 0.09, 0.19),
    "bottle": (0.092, 0.092, 0.225),
    "can": (0.098, 0.098, 0.15),
}


@dataclass(frozen=True)
class Product:
    """A product: price in fen, weight in grams, packaging (size in metres), RGB colours."""

    product_id: str
    name: str
    category: str
    weight_g: int
    price_fen: int
    shape: Shape
    label: str
    ground: Colour
    accent: Colour
    popularity: float

    @property
    def size_m(self) -> tuple[float, float, float]:
        """Width, depth and height of one package, metres."""
        return _SIZES_M[self.shape]

    @property
    def columns(self) -> int:
        """Lanes of this product side by side in one slot."""
        return 2 if self.shape in ("bottle", "can") else 1

    def price_on(self, day: date) -> int:
        """Unit price in fen on a store-local day."""
        return self.first_price_fen if day < PRICE_CHANGE else self.price_fen

    @property
    def first_price_fen(self) -> int:
        """Unit price in fen before the price change; every third product became dearer."""
        return self.price_fen - 50 if int(self.product_id[-2:]) % 3 == 0 else self.price_fen


# name, category, weight g, price fen, shape, label, ground colour, accent colour, popularity
_ROWS: tuple[tuple[str, str, int, int, Shape, str, Colour, Colour, float], ...] = (
    ("Lotus green tea 500 ml", "drinks", 520, 450, "bottle", "LOTUS", (40, 140, 60), (240, 240, 200), 3.0),
    ("Brio cola 330 ml", "drinks", 350, 350, "can", "BRIO", (190, 20, 30), (255, 255, 255), 3.0),
    ("Zest orange soda 330 ml", "drinks", 350, 350, "can", "ZEST", (240, 130, 20), (255, 250, 220), 2.0),
    ("Fjord water 550 ml", "drinks", 560, 250, "bottle", "FJORD", (90, 170, 230), (255, 255, 255), 4.0),
    ("Plum tea 500 ml", "drinks", 520, 500, "bottle", "PLUM", (120, 40, 110), (250, 210, 240), 1.5),
    ("Soy milk 300 ml", "drinks", 320, 400, "can", "SOY", (235, 225, 190), (120, 80, 30), 1.5),
    ("Lime sparkling water 330 ml", "drinks", 350, 450, "can", "LIME", (170, 210, 50), (20, 80, 30), 1.0),
    ("Night coffee 280 ml", "drinks", 300, 750, "can", "NIGHT", (50, 35, 30), (230, 190, 120), 2.0),
    ("Peach drink 500 ml", "drinks", 520, 450, "bottle", "PEACH", (250, 170, 130), (160, 40, 50), 1.2),
    ("Ion sport drink 500 ml", "drinks", 520, 550, "bottle", "ION", (30, 60, 190), (250, 250, 90), 1.5),
    ("Milk 250 ml", "dairy", 270, 420, "box", "MILK", (245, 245, 250), (30, 90, 190), 2.0),
    ("Berry yoghurt 200 g", "dairy", 220, 680, "can", "YOGO", (230, 90, 150), (255, 255, 255), 1.6),
    ("Vanilla yoghurt 200 g", "dairy", 220, 680, "can", "VANI", (250, 235, 160), (130, 90, 20), 1.1),
    ("Cheese sticks 120 g", "dairy", 135, 1290, "bag", "STIX", (250, 200, 40), (190, 30, 30), 0.8),
    ("Sea crisps 70 g", "snacks", 80, 690, "bag", "CRISP", (30, 110, 170), (255, 240, 120), 2.2),
    ("Tomato crisps 70 g", "snacks", 80, 690, "bag", "TOMA", (210, 50, 40), (250, 240, 220), 1.8),
    ("Rice crackers 100 g", "snacks", 110, 590, "bag", "RICE", (245, 240, 225), (200, 40, 60), 1.2),
    ("Peanuts 120 g", "snacks", 130, 650, "bag", "NUTS", (140, 90, 40), (250, 220, 150), 1.2),
    ("Seaweed rolls 40 g", "snacks", 55, 880, "box", "NORI", (15, 70, 50), (180, 230, 120), 1.0),
    ("Sunflower seeds 160 g", "snacks", 170, 720, "bag", "SUN", (250, 210, 60), (60, 60, 60), 1.0),
    ("Oat biscuits 200 g", "biscuits", 230, 980, "box", "OATS", (200, 160, 100), (90, 40, 20), 1.2),
    ("Butter biscuits 150 g", "biscuits", 175, 890, "box", "BUTTER", (250, 225, 110), (30, 60, 150), 1.2),
    ("Sesame wafers 120 g", "biscuits", 140, 790, "box", "WAFER", (70, 60, 60), (250, 250, 250), 0.8),
    ("Mooncake single 80 g", "biscuits", 95, 1290, "box", "MOON", (150, 20, 40), (250, 200, 60), 0.6),
    ("Beef noodles 110 g", "noodles", 130, 550, "box", "NIU", (180, 60, 20), (255, 235, 170), 2.0),
    ("Mushroom noodles 110 g", "noodles", 130, 550, "box", "MUSH", (110, 90, 70), (240, 240, 220), 1.3),
    ("Spicy noodles 110 g", "noodles", 130, 580, "box", "HOT", (20, 20, 20), (250, 60, 30), 1.6),
    ("Rice porridge 280 g", "noodles", 310, 620, "can", "CONGEE", (220, 200, 170), (150, 30, 30), 0.8),
    ("Dark chocolate 90 g", "sweets", 105, 1150, "box", "KAKAO", (60, 30, 20), (230, 180, 60), 1.3),
    ("Milk chocolate 90 g", "sweets", 105, 1090, "box", "CHOCO", (120, 60, 160), (250, 250, 250), 1.5),
    ("Mint drops 60 g", "sweets", 70, 480, "box", "MINT", (80, 210, 190), (255, 255, 255), 1.0),
    ("Fruit gums 100 g", "sweets", 110, 620, "bag", "GUMS", (60, 190, 70), (250, 80, 160), 1.1),
    ("Hawthorn bites 90 g", "sweets", 100, 560, "bag", "HAW", (230, 60, 70), (250, 240, 140), 0.9),
    ("Tissues 3 packs", "household", 190, 890, "box", "SOFT", (180, 210, 240), (240, 110, 150), 0.9),
    ("Hand soap 300 ml", "household", 330, 1490, "bottle", "SOAP", (200, 240, 220), (20, 130, 120), 0.5),
    ("Shampoo 200 ml", "household", 230, 1990, "bottle", "WAVE", (30, 40, 80), (120, 220, 240), 0.4),
)

PRODUCTS: tuple[Product, ...] = tuple(Product(f"sku-10{number:02d}", *row) for number, row in enumerate(_ROWS, start=1))
BY_ID: dict[str, Product] = {product.product_id: product for product in PRODUCTS}
POPULATION = 400
STAFF_ACCOUNT = "acc-staff-01"


def account_id(number: int) -> str:
    """Pseudonymous account id of the nth simulated customer; one population for history and store-days."""
    return "acc-" + hashlib.sha256(f"openaisle simulated account {number}".encode()).hexdigest()[:12]
