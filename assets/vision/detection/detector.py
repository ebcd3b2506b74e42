"""Person detector: NanoDet on OpenVINO, behind a small protocol.

The shipped networks are described in models/README.md. Another ONNX file of the same interface (input
`image`, outputs `stride_8`, `stride_16`, `stride_32`) is used by giving its path. One inference thread:
parallelism comes from processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from assets.vision.detection.networks import network_digest, shipped_network
from assets.vision.detection.settings import DetectorSettings
from assets.vision.log_odds import log_odds, logistic_each

if TYPE_CHECKING:
    import openvino as ov

Boxes = npt.NDArray[np.float32]
Frame = npt.NDArray[np.uint8]
Region = tuple[float, float, float, float]

STRIDES = (8, 16, 32)
"""Pixels between the cells of the network's three maps: given by the network, as are the bins."""
BINS = 11
GRID = 32
"""Input sizes are multiples of the largest stride."""
MAX_SIDE = 1280
"""Longest side, in pixels, of the network's picture: four times what the shipped settings ask for."""
LEAST_BOX_PX = 4
"""Boxes of which less than this, in pixels, lies in the frame are dropped: too little to be anybody."""


class Detector(Protocol):
    """Finds people in a frame."""

    @property
    def version(self) -> str:
        """Network, its hash, input size and arithmetic: what a result must be traced back to."""

    def detect(self, frame_bgr: Frame, region: Region | None = None, zoom: float = 1.0) -> Boxes:
        """(n, 5) float32 left, top, width, height in pixels of the frame, score; by falling score.

        `region` (left, top, right, bottom, shares of the frame) says where to look; None is everywhere. `zoom` below 1
        makes the network's picture smaller: enough where people are always near.
        """


def choose_precision(capabilities: Sequence[str], wanted: str = "auto") -> str:
    """`bf16`, `int8` or `fp32` from what OpenVINO says of the processor.

    int8 is faster with AVX2 alone, too (measured 1.5 times); any x86 with AVX2 has INT8 in its list. Raises ValueError
    for another word than these.
    """
    if wanted not in ("auto", "bf16", "int8", "fp32"):
        raise ValueError("precision: expected auto, bf16, int8 or fp32")
    if wanted != "auto":
        return wanted
    if "BF16" in capabilities:
        return "bf16"
    return "int8" if "INT8" in capabilities else "fp32"


def input_size(frame_width: int, frame_height: int, width_px: int) -> tuple[int, int]:
    """(width, height) of the network's picture, multiples of 32, for footage of that shape."""
    width = min(MAX_SIDE, max(GRID, round(width_px / GRID) * GRID))
    return width, min(MAX_SIDE, max(GRID, round(width * frame_height / frame_width / GRID) * GRID))


class NanoDetector:
    """See `Detector`. Made once per worker process: loading and compiling takes about half a second. Raises NotReady if
    the network's file is not there, or is a shipped one and damaged."""

    def __init__(self, settings: DetectorSettings | None = None) -> None:
        import openvino as ov

        self._settings = settings or DetectorSettings()
        self._core = ov.Core()
        capabilities = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = choose_precision(capabilities, self._settings.precision)
        own = self._settings.model_path
        self._path = Path(own) if own else shipped_network(self.precision)
        self._digest = network_digest(self._path, is_shipped=not own)[:12]
        self._network: ov.InferRequest | None = None

    @property
    def version(self) -> str:
        return f"{self._path.stem}@{self._digest}/{self._settings.width_px}/{self.precision}"

    def detect(self, frame_bgr: Frame, region: Region | None = None, zoom: float = 1.0) -> Boxes:
        height, width = frame_bgr.shape[:2]
        size = input_size(width, height, round(zoom * self._settings.width_px))
        picture = np.asarray(cv2.resize(frame_bgr, size, interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
        left, top, right, bottom = (0, 0, *size) if region is None else window(region, size)
        outputs = self._infer(np.ascontiguousarray(picture[top:bottom, left:right])[None])
        boxes = decode(outputs, self._settings.score_prob, self._settings.overlap)
        boxes[:, 0] += left
        boxes[:, 1] += top
        boxes[:, [0, 2]] *= width / size[0]
        boxes[:, [1, 3]] *= height / size[1]
        return clip_to_frame(boxes, width, height)

    def _infer(self, picture: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
        if self._network is None:
            self._network = self._compile()
        self._network.infer([picture], share_inputs=True)
        return [self._network.get_tensor(f"stride_{stride}").data for stride in STRIDES]

    def _compile(self) -> ov.InferRequest:
        """One network for all sizes: as fast as one compiled for each (0.5 s a size saved, 30 ms at its first
        use).
        """
        import openvino as ov

        model = self._core.read_model(str(self._path))
        model.reshape(ov.PartialShape([1, 3, ov.Dimension(GRID, MAX_SIDE), ov.Dimension(GRID, MAX_SIDE)]))
        steps = ov.preprocess.PrePostProcessor(model)
        steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        steps.input().preprocess().convert_element_type(ov.Type.f32)
        steps.input().model().set_layout(ov.Layout("NCHW"))
        options: dict[str, Any] = {
            "INFERENCE_NUM_THREADS": 1,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
        }
        options["INFERENCE_PRECISION_HINT"] = "bf16" if self.precision == "bf16" else "f32"
        return self._core.compile_model(steps.build(), "CPU", options).create_infer_request()


def _steps(extent: int) -> list[int]:
    """Allowed window lengths: two to six sixths of the picture, in whole cells.

    Few on purpose: the first inference at a new size costs about 30 ms more than the next.
    """
    return [min(extent, -(-extent * share // (6 * GRID)) * GRID) for share in (2, 3, 4, 5, 6)]


def window(region: Region, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Region as left, top, right, bottom of the network's picture: grown to an allowed size, moved inside it."""
    edges = []
    for low, high, extent in ((region[0], region[2], size[0]), (region[1], region[3], size[1])):
        first = max(0.0, low * extent)
        last = min(float(extent), high * extent)
        length = next(step for step in _steps(extent) if step >= min(last - first, extent))
        start = round((first + last - length) / 2)
        start = min(max(start, 0), extent - length)
        edges.append((start, start + length))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]


@lru_cache(maxsize=64)
def _cell_centres(columns: int, rows: int, stride: int) -> npt.NDArray[np.float32]:
    across, down = np.meshgrid(np.arange(columns) + 0.5, np.arange(rows) + 0.5)
    return np.stack([across.ravel() * stride, down.ravel() * stride], axis=1).astype(np.float32)


def decode(outputs: Sequence[npt.NDArray[np.float32]], score_prob: float, overlap: float) -> Boxes:
    """(n, 5) boxes of the network's three maps (1, 45, h, w), after non-maximum suppression.

    Row 0 is the person logit; rows 1-44 are left, top, right, bottom distances from the cell's centre as
    distributions over 11 bins, in strides (generalised focal loss, Li et al. 2020).
    """
    threshold = log_odds(score_prob)
    found: list[npt.NDArray[np.float32]] = []
    for stride, output in zip(STRIDES, outputs, strict=True):
        maps = output[0]
        rows, columns = maps.shape[1:]
        logits = maps[0].ravel()
        cells = np.flatnonzero(logits > threshold)
        if not len(cells):
            continue
        bins = maps[1:].reshape(4, BINS, -1)[:, :, cells]
        weights = np.exp(bins - bins.max(axis=1, keepdims=True))
        distances = (weights * np.arange(BINS, dtype=np.float32)[None, :, None]).sum(axis=1) / weights.sum(axis=1)
        centres = _cell_centres(columns, rows, stride)[cells].T
        near, far = centres - distances[:2] * stride, centres + distances[2:] * stride
        scores = logistic_each(logits[cells])
        found.append(np.concatenate([near, far - near, scores[None]]).T)
    if not found:
        return np.empty((0, 5), dtype=np.float32)
    boxes = np.concatenate(found).astype(np.float32)
    kept = cv2.dnn.NMSBoxes(boxes[:, :4].tolist(), boxes[:, 4].tolist(), score_prob, overlap)
    return np.asarray(boxes[np.asarray(kept, dtype=np.int64).ravel()], dtype=np.float32)


def clip_to_frame(boxes: Boxes, width: int, height: int) -> Boxes:
    """The boxes' parts inside the frame; those narrower or lower than LEAST_BOX_PX are dropped."""
    near = np.clip(boxes[:, :2], 0, [width, height])
    far = np.clip(boxes[:, :2] + boxes[:, 2:4], 0, [width, height])
    inside = np.concatenate([near, far - near, boxes[:, 4:]], axis=1).astype(np.float32)
    return np.asarray(inside[(inside[:, 2:4] >= LEAST_BOX_PX).all(axis=1)], dtype=np.float32)
