"""A store of one gondola with two cameras, and seconds of drawn footage in which a block leaves its slot.
Nobody walks in it: what is tested with it is the machinery between the landing folder and the orders, not
the eyesight."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import yaml

STORE_ID = "t001"
WIDTH, HEIGHT, FPS = 320, 240, 10.0
SLOTS = ("g1-0-00", "g1-0-01")
ACCOUNTS = ("acct-one", "acct-two")
_POLYGONS = {
    "g1-0-00": [[40, 80], [120, 80], [120, 180], [40, 180]],
    "g1-0-01": [[180, 80], [260, 80], [260, 180], [180, 180]],
}


def land_reference(landing: Path, store_id: str = STORE_ID, price_fen: int = 500) -> None:
    """Floor plan, cameras, planogram, products and prices. `price_fen`: of tea."""
    store = landing / "reference" / "stores" / store_id
    store.mkdir(parents=True, exist_ok=True)
    square = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    content = {
        "store_id": store_id,
        "name": "Drawn store",
        "is_simulated": True,
        "timezone": "Asia/Shanghai",
        "region": "cn-east",
        "opening_hours": {"open": "00:00", "close": "24:00"},
        "floor_m": {"width": 4.0, "depth": 3.0},
        "gondolas": [{"gondola_id": "g1", "polygon_m": [[1.5, 1.2], [2.5, 1.2], [2.5, 1.8], [1.5, 1.8]]}],
        "entrance_zone_m": square,
        "exit_zone_m": square,
        "gates": [{"gate_id": "gate-1", "x_m": 0.5, "y_m": 0.5}],
        "slots": [
            {
                "slot_id": slot_id,
                "gondola_id": "g1",
                "shelf_index": 0,
                "x_m": 1.75 + 0.5 * index,
                "y_m": 1.2,
                "z_m": 0.8,
                "width_m": 0.4,
                "normal_deg": -90.0,
            }
            for index, slot_id in enumerate(SLOTS)
        ],
    }
    (store / "store.yaml").write_text(yaml.safe_dump(content))
    cameras = [
        {
            "camera_id": camera_id,
            "kind": "ceiling",
            "width_px": WIDTH,
            "height_px": HEIGHT,
            "fps": FPS,
            "matrix": [[200.0, 0.0, 160.0], [0.0, 200.0, 120.0], [0.0, 0.0, 1.0]],
            "distortion": [0.0, 0.0, 0.0, 0.0, 0.0],
            "rotation": [[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]],
            "translation_m": [-2.0, 1.5, 3.0],
            "slots": [{"slot_id": slot_id, "polygon_px": _POLYGONS[slot_id]} for slot_id in SLOTS],
            "zones": [],
        }
        for camera_id in ("c1", "c2")
    ]
    (store / "cameras.yaml").write_text(yaml.safe_dump({"cameras": cameras}))
    rows = "".join(f"{slot_id},p{index},3,2026-01-01\n" for index, slot_id in enumerate(SLOTS))
    (store / "planogram.csv").write_text("slot_id,product_id,facings,valid_from\n" + rows)
    reference = landing / "reference"
    (reference / "products.csv").write_text("product_id,name,category,weight_g\np0,Tea,drinks,500\np1,Rice,food,1000\n")
    (reference / "prices.csv").write_text(
        f"product_id,store_id,price_fen,valid_from\np0,{store_id},{price_fen},2026-01-01\np1,{store_id},1250,2026-01-01\n"
    )


def land_clip(
    landing: Path,
    camera_id: str,
    captured_at: datetime,
    seconds: float = 4.0,
    picked: bool = True,
    scale: int = 1,
    claimed_fps: float = FPS,
) -> Path:
    """A clip with its sidecar; in its middle the left block leaves under a moving bar. `scale`: how much larger its
    pictures are than what the camera is calibrated for; `claimed_fps`: the rate that its sidecar gives."""
    import cv2

    folder = landing / "footage" / STORE_ID / camera_id
    folder.mkdir(parents=True, exist_ok=True)
    stem = captured_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S.000Z")
    path = folder / f"{stem}.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), FPS, (WIDTH * scale, HEIGHT * scale))
    count = int(seconds * FPS)
    for index in range(count):
        frame = np.full((HEIGHT, WIDTH, 3), 200, dtype=np.uint8)
        cv2.rectangle(frame, (190, 100), (250, 175), (40, 160, 60), -1)
        if not picked or index < count // 2:
            cv2.rectangle(frame, (50, 100), (110, 175), (40, 60, 180), -1)
        if picked and abs(index - count // 2) < 4:
            cv2.rectangle(frame, (60, 0), (100, 150), (90, 110, 160), -1)
        writer.write(cv2.resize(frame, None, fx=scale, fy=scale))
    writer.release()
    sidecar = {
        "camera_id": camera_id,
        "store_id": STORE_ID,
        "captured_at": captured_at.astimezone(UTC).isoformat(timespec="milliseconds"),
        "fps": claimed_fps,
        "frame_count": count,
        "width_px": WIDTH * scale,
        "height_px": HEIGHT * scale,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "clock_skew_ms": 0,
    }
    path.with_suffix(".json").write_text(json.dumps(sidecar))
    return path


def land_scans(landing: Path, day: date, at: datetime) -> Path:
    """An entry and an exit of each account, a minute apart."""
    folder = landing / "gate_events" / STORE_ID
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{day.isoformat()}.jsonl"
    lines = [
        {
            "account_id": account,
            "gate_id": "gate-1",
            "scanned_at": (at + timedelta(seconds=60 * turn + index)).isoformat(),
            "direction": direction,
            "payment_method": "alipay",
        }
        for index, account in enumerate(ACCOUNTS)
        for turn, direction in enumerate(("entry", "exit"))
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
