"""The detector's arithmetic, and that the shipped networks are the ones described."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.vision.detection.detector import (
    NanoDetector,
    choose_precision,
    clip_to_frame,
    decode,
    input_size,
    window,
)
from assets.vision.detection.settings import DetectorSettings
from assets.vision.footage.clip import frames
from resources.preflight import NotReady

CLIPS = Path(__file__).resolve().parents[5] / "shared" / "data" / "clips"
ONE_BY_ONE = CLIPS / "one-by-one-person-detection.mp4"


def test_precision_follows_the_processor() -> None:
    assert choose_precision(["FP32", "INT8", "BF16"]) == "bf16"
    assert choose_precision(["FP32", "INT8"]) == "int8"
    assert choose_precision(["FP32"]) == "fp32"
    assert choose_precision(["FP32", "INT8", "BF16"], "fp32") == "fp32"
    with pytest.raises(ValueError, match="precision"):
        choose_precision([], "int4")


def test_input_follows_the_footage_shape() -> None:
    assert input_size(640, 480, 384) == (384, 288)
    assert input_size(640, 360, 384) == (384, 224)
    assert input_size(100, 4000, 384)[1] <= 1280


@given(*[st.floats(0, 1) for _ in range(4)])
def test_window_lies_inside_the_picture_in_whole_cells(a: float, b: float, c: float, d: float) -> None:
    left, top, right, bottom = window((min(a, b), min(c, d), max(a, b), max(c, d)), (384, 288))
    assert 0 <= left < right <= 384
    assert 0 <= top < bottom <= 288
    assert (right - left) % 32 == 0
    assert (bottom - top) % 32 == 0
    assert left <= min(a, b) * 384 + 0.51
    assert right >= max(a, b) * 384 - 0.51


def test_decode_puts_a_box_around_its_cell() -> None:
    maps = [np.full((1, 45, size, size), -20.0, dtype=np.float32) for size in (8, 4, 2)]
    maps[1][0, 0, 2, 1] = 3.0  # stride 16: centre (24, 40)
    for side in range(4):
        maps[1][0, 1 + side * 11 + 2, 2, 1] = 30.0  # two strides each way
    boxes = decode(maps, 0.3, 0.5)
    assert boxes[0] == pytest.approx([24 - 32, 40 - 32, 64, 64, 1 / (1 + np.exp(-3.0))], abs=1e-2)
    assert clip_to_frame(boxes, 64, 64)[0, :4] == pytest.approx([0, 8, 56, 56], abs=1e-2)


def test_a_missing_model_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match=r"absent\.onnx cannot be read \(No such file"):
        NanoDetector(DetectorSettings(model_path=str(tmp_path / "absent.onnx")))


@pytest.mark.skipif(not ONE_BY_ONE.is_file(), reason="real footage is not beside the repository")
@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_finds_the_one_person_and_nobody_else(precision: str) -> None:
    detector = NanoDetector(DetectorSettings(precision=precision))
    counts = {}
    for number, frame in enumerate(frames(ONE_BY_ONE)):
        if number in (190, 320, 450):
            boxes = detector.detect(frame)
            counts[number] = int((boxes[:, 4] > 0.45).sum())
        if number == 320:
            whole = boxes[0]
            part = detector.detect(frame, (0.4, 0.0, 0.85, 1.0))[0]
        if number > 450:
            break
    assert counts == {190: 1, 320: 1, 450: 0}
    assert part[:4] == pytest.approx(whole[:4], abs=12)
    assert detector.version.endswith(f"/{precision}")


def test_an_empty_picture_has_nobody_in_it() -> None:
    grey = np.full((480, 640, 3), 120, dtype=np.uint8)
    cv2.rectangle(grey, (200, 100), (260, 300), (90, 90, 90), -1)
    boxes = NanoDetector(DetectorSettings(width_px=320)).detect(grey)
    assert not (boxes[:, 4] > 0.45).any()
