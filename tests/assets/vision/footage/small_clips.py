"""Small clips that tests write for themselves, whole and broken, with what their container says bent byte by byte."""

from __future__ import annotations

import hashlib
import struct
import wave
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np

from assets.vision.footage.catalogue import Sidecar

WIDTH, HEIGHT, FPS = 64, 48, 10.0
START = datetime(2026, 11, 22, 2, tzinfo=UTC)
_HOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")


def write_clip(path: Path, count: int = 40, fps: float = FPS, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """An .mp4 (or .avi) whose frames grow brighter."""
    codec = "mp4v" if path.suffix == ".mp4" else "MJPG"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), fps, size)
    for index in range(count):
        writer.write(np.full((size[1], size[0], 3), 40 + index % 180, dtype=np.uint8))
    writer.release()
    return path


def sidecar_of(
    path: Path,
    *,
    count: int = 40,
    fps: float = FPS,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    times_ms: Sequence[float] = (),
    captured_at: datetime = START,
    skew_ms: int = 0,
) -> Sidecar:
    """A sidecar that names the file as it is now."""
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Sidecar("s001", "c1", captured_at, fps, count, *size, sha256, skew_ms, tuple(times_ms))


def turn(path: Path, degrees: int) -> Path:
    """Asks every player to turn the pictures, by the matrix in the track's header."""
    cosine, sine = {90: (0, 1), 180: (-1, 0), 270: (0, -1)}[degrees]
    matrix = struct.pack(">9i", cosine << 16, sine << 16, 0, -sine << 16, cosine << 16, 0, 0, 0, 1 << 30)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    data[at : at + 36] = matrix
    path.write_bytes(data)
    return path


def retime(path: Path, steps: Sequence[tuple[int, float]]) -> Path:
    """Gives the frames other distances: (how many frames, their distance as a multiple of what it was)."""
    data = bytearray(path.read_bytes())
    # Players end at the edit list, whatever the table says.
    data[data.index(b"edts") : data.index(b"edts") + 4] = b"free"
    at = data.index(b"stts")
    entries, _, delta = struct.unpack(">3I", data[at + 8 : at + 20])
    assert entries == 1
    table = b"".join(struct.pack(">2I", frames, round(delta * factor)) for frames, factor in steps)
    grown = 8 * (len(steps) - 1)
    for start in [*_starts(data), at - 4]:
        data[start : start + 4] = struct.pack(">I", struct.unpack(">I", data[start : start + 4])[0] + grown)
    data[at + 8 : at + 20] = struct.pack(">I", len(steps)) + table
    path.write_bytes(data)
    return path


def _starts(data: bytes) -> Iterator[int]:
    """Where the boxes begin that hold the table of times. The index lies behind the pictures: no offset moves."""
    for name in _HOLDERS:
        yield data.index(name) - 4


def write_sound(path: Path) -> Path:
    """A second of silence under a clip's name."""
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(16000))
    return path
