"""Packaging drawn by us: one texture atlas with a face for every product, bags and plain colours."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from simulation.catalogue import PRODUCTS, Product

CELL_PX = 128
COLUMNS = 8
ROWS = 8
BAG_COLOURS = ((205, 190, 160), (70, 90, 120), (160, 60, 60), (60, 120, 90), (40, 40, 45), (220, 120, 60))


def cell_of(product_id: str) -> tuple[int, int]:
    """Column and row of a product's face in the atlas."""
    index = next(k for k, product in enumerate(PRODUCTS) if product.product_id == product_id)
    return index % COLUMNS, index // COLUMNS


def bag_cell(number: int) -> tuple[int, int]:
    """Column and row of a bag's plain colour."""
    index = len(PRODUCTS) + number % len(BAG_COLOURS)
    return index % COLUMNS, index // COLUMNS


def draw_face(product: Product) -> NDArray[np.uint8]:
    """One package face, (CELL_PX, CELL_PX, 3) RGB."""
    size = CELL_PX
    face = np.full((size, size, 3), product.ground, np.uint8)
    style = int(product.product_id[-2:]) % 4
    accent = tuple(int(c) for c in product.accent)
    if style == 0:
        cv2.circle(face, (size // 2, 88), 26, accent, -1, cv2.LINE_AA)
    elif style == 1:
        cv2.rectangle(face, (0, 66), (size, 84), accent, -1)
        cv2.rectangle(face, (0, 96), (size, 104), accent, -1)
    elif style == 2:
        cv2.fillPoly(face, [np.array([[0, 128], [64, 58], [128, 128]])], accent, cv2.LINE_AA)
    else:
        for left in range(-128, 128, 32):
            cv2.line(face, (left, 128), (left + 70, 58), accent, 9, cv2.LINE_AA)
    band = tuple(int(c * 0.75) for c in product.ground)
    cv2.rectangle(face, (0, 12), (size, 54), band, -1)
    scale = min(1.35, 116 / max(1, cv2.getTextSize(product.label, cv2.FONT_HERSHEY_DUPLEX, 1.0, 3)[0][0]))
    (width, height), _ = cv2.getTextSize(product.label, cv2.FONT_HERSHEY_DUPLEX, scale, 3)
    at = ((size - width) // 2, 33 + height // 2)
    bright = sum(band) > 380
    ink = (20, 20, 20) if bright else (250, 250, 250)
    cv2.putText(face, product.label, at, cv2.FONT_HERSHEY_DUPLEX, scale, ink, 3, cv2.LINE_AA)
    return face


def draw_atlas() -> NDArray[np.uint8]:
    """All faces, (ROWS * CELL_PX, COLUMNS * CELL_PX, 3) RGB."""
    atlas = np.full((ROWS * CELL_PX, COLUMNS * CELL_PX, 3), 128, np.uint8)
    faces = [draw_face(product) for product in PRODUCTS]
    faces += [np.full((CELL_PX, CELL_PX, 3), colour, np.uint8) for colour in BAG_COLOURS]
    for index, face in enumerate(faces):
        row, column = divmod(index, COLUMNS)
        atlas[row * CELL_PX : (row + 1) * CELL_PX, column * CELL_PX : (column + 1) * CELL_PX] = face
    return atlas
