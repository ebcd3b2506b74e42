"""Settings of the detector and of the gate before it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DetectorSettings:
    """Which network, how exact, and what of its findings is kept."""

    model_path: str = ""
    """A model file of one's own; empty: the network that ships with the project."""
    precision: str = "auto"
    """Arithmetic: bf16, int8 or fp32. `auto` takes bf16 where the processor has it, else int8, else fp32; a model file
    of one's own has its own."""
    width_px: int = 320
    """Width, in pixels, of the network's picture; its height follows the footage's shape. On the floor 416 is no better
    and half as dear again (ADR 030)."""
    score_prob: float = 0.2
    """Least score, 0 to 1, that is kept: low on purpose. No one threshold serves all footage, so the tracker judges."""
    overlap: float = 0.5
    """Overlap (intersection over union, 0 to 1) from which two boxes are one person. Chosen by hand."""


@dataclass(frozen=True)
class MotionSettings:
    """When a picture counts as moving. Chosen by hand."""

    width: int = 160
    """Width, in pixels, to which a frame is reduced."""
    height: int = 120
    """Height, in pixels, to which a frame is reduced."""
    level: int = 15
    """Difference of a blurred pixel, in grey values of 255, that counts as change."""
    pixels: int = 20
    """Changed pixels of the reduced frame from which something moves."""
