"""Reference data of a simulated store for landing: plan, cameras as somebody calibrated them, goods."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml

from simulation.catalogue import BY_ID, FIRST_PRICES, PRICE_CHANGE, PRODUCTS
from simulation.layout import Array, Camera, Layout, Slot, normal_deg
from simulation.stock import capacity

_SMALLEST_PX2 = 90.0
_NARROWEST_PX = 7.0


def _rows(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def project(camera: Camera, points: Array) -> Array:
    """World points (n, 3) to distorted pixels (n, 2)."""
    vector, _ = cv2.Rodrigues(camera.rotation)
    pixels, _ = cv2.projectPoints(points, vector, camera.translation, camera.matrix, np.array(camera.distortion))
    return np.asarray(pixels.reshape(-1, 2))


def slot_polygon(camera: Camera, slot: Slot) -> Array | None:
    """Outline (4, 2) of a slot in a camera's picture, or None when it is not seen well enough to watch."""
    normal = np.array([*slot.gondola.normal, 0.0])
    position = -camera.rotation.T @ camera.translation
    if (position - np.array(slot.front)) @ normal < 0.3:
        return None
    corners = slot.corners(inset=0.008)
    local = corners @ camera.rotation.T + camera.translation
    if local[:, 2].min() < 0.3:
        return None
    pixels = project(camera, corners)
    inside = (pixels >= 2).all() and (pixels <= [camera.width_px - 3, camera.height_px - 3]).all()
    wide = np.linalg.norm(pixels[1] - pixels[0]) >= _NARROWEST_PX
    large = cv2.contourArea(pixels.astype(np.float32)) >= _SMALLEST_PX2
    return pixels if inside and wide and large else None


def _calibrated(camera: Camera, layout: Layout, rng: np.random.Generator) -> dict[str, Any]:
    """The camera as written: pose and focal length off so that known points move by 1-3 px."""
    points = np.array(
        [[x, y, z] for x in np.arange(0.5, 7.6, 0.5) for y in np.arange(0.5, 5.6, 0.5) for z in (0.0, 1.2)]
    )
    local = points @ camera.rotation.T + camera.translation
    flat = local[:, :2] / np.maximum(local[:, 2:], 0.1)
    points = points[(local[:, 2] > 0.5) & (np.abs(flat[:, 0]) < 0.7) & (np.abs(flat[:, 1]) < 0.55)]
    truth = project(camera, points)
    vector, _ = cv2.Rodrigues(camera.rotation)
    while True:
        turned, _ = cv2.Rodrigues(vector.ravel() + rng.normal(0, 0.0022, 3))
        shifted = camera.translation + rng.normal(0, 0.006, 3)
        matrix = camera.matrix.copy()
        matrix[0, 0] = matrix[1, 1] = camera.focal_px * (1 + rng.normal(0, 0.002))
        distortion = np.array(camera.distortion) * (1 + rng.normal(0, 0.05))
        pixels, _ = cv2.projectPoints(points, cv2.Rodrigues(turned)[0], shifted, matrix, distortion)
        error = np.linalg.norm(pixels.reshape(-1, 2) - truth, axis=1)
        if 1.0 <= float(np.sqrt((error**2).mean())) <= 2.5:
            break
    slots = []
    for slot in layout.slots:
        polygon = slot_polygon(camera, slot)
        if polygon is not None:
            drawn = polygon + rng.normal(0, 0.7, (1, 2)) + rng.normal(0, 0.4, (4, 2))
            slots.append({"slot_id": slot.slot_id, "polygon_px": [[round(float(v), 1) for v in p] for p in drawn]})
    return {
        "camera_id": camera.camera_id,
        "kind": camera.kind,
        "width_px": camera.width_px,
        "height_px": camera.height_px,
        "fps": 10.0,
        "matrix": [[round(float(v), 4) for v in row] for row in matrix],
        "distortion": [round(float(v), 6) for v in distortion],
        "rotation": [[round(float(v), 8) for v in row] for row in turned],
        "translation_m": [round(float(v), 6) for v in shifted],
        "slots": slots,
        "zones": [],
    }


def write_products(landing: Path) -> None:
    """products.csv."""
    _rows(
        landing / "reference" / "products.csv",
        ["product_id", "name", "category", "weight_g"],
        [[p.product_id, p.name, p.category, p.weight_g] for p in PRODUCTS],
    )


def write_prices(landing: Path, store_id: str) -> None:
    """prices.csv: prices in fen since FIRST_PRICES, some changed on PRICE_CHANGE."""
    rows: list[list[Any]] = [[p.product_id, store_id, p.first_price_fen, FIRST_PRICES.isoformat()] for p in PRODUCTS]
    rows += [
        [p.product_id, store_id, p.price_fen, PRICE_CHANGE.isoformat()]
        for p in PRODUCTS
        if p.price_fen != p.first_price_fen
    ]
    _rows(landing / "reference" / "prices.csv", ["product_id", "store_id", "price_fen", "valid_from"], rows)


def write_reference(landing: Path, layout: Layout, planogram: dict[str, str], seed: int, valid_from: date) -> None:
    """store.yaml, cameras.yaml, planogram.csv, products.csv and prices.csv of a store."""
    rng = np.random.default_rng([seed, 7])
    folder = landing / "reference" / "stores" / layout.store_id
    folder.mkdir(parents=True, exist_ok=True)
    store = {
        "store_id": layout.store_id,
        "name": layout.title,
        "is_simulated": True,
        "timezone": "Asia/Shanghai",
        "region": "cn-east",
        "opening_hours": {"open": "00:00", "close": "24:00"},
        "floor_m": {"width": layout.width_m, "depth": layout.depth_m},
        "gondolas": [{"gondola_id": g.gondola_id, "polygon_m": g.polygon_m} for g in layout.gondolas],
        "entrance_zone_m": layout.entrance_zone_m,
        "exit_zone_m": layout.exit_zone_m,
        "gates": [{"gate_id": gate, "x_m": x, "y_m": y} for gate, (x, y) in layout.gates.items()],
        "slots": [
            {
                "slot_id": slot.slot_id,
                "gondola_id": slot.gondola.gondola_id,
                "shelf_index": slot.shelf_index,
                "x_m": round(slot.front[0], 4),
                "y_m": round(slot.front[1], 4),
                "z_m": round(slot.front[2], 4),
                "width_m": 0.25,
                "normal_deg": normal_deg(slot.gondola),
            }
            for slot in layout.slots
        ],
    }
    cameras = {"cameras": [_calibrated(camera, layout, rng) for camera in layout.cameras]}
    for name, content in (("store.yaml", store), ("cameras.yaml", cameras)):
        text = "# Simulated store.\n" + yaml.safe_dump(content, sort_keys=False, default_flow_style=None, width=110)
        (folder / name).write_text(text, encoding="utf-8")
    _rows(
        folder / "planogram.csv",
        ["slot_id", "product_id", "facings", "valid_from"],
        [[slot, product, capacity(BY_ID[product]), valid_from.isoformat()] for slot, product in planogram.items()],
    )
    write_products(landing)
    write_prices(landing, layout.store_id)
