"""MOTChallenge text files: frame (from 1), id, left, top, width, height, confidence, then what is not read
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


class MotFileError(ValueError):
    """A file is not what MOTChallenge describes; names the file and the line."""


@dataclass(frozen=True)
class MotBoxes:
    """Boxes of a sequence, ordered by frame. `frame` counts from 0 (a file's frame 1 is the first decoded
    frame).
    """

    frame: npt.NDArray[np.int64]  # (n,)
    identity: npt.NDArray[np.int64]  # (n,), -1 where the file gives none
    ltwh_px: npt.NDArray[np.float64]  # (n, 4)
    score: npt.NDArray[np.float64]  # (n,)

    def __len__(self) -> int:
        return len(self.frame)

    def between(self, first: int, last: int) -> MotBoxes:
        """Boxes of frames first..last-1, their frame numbers unchanged."""
        return self.where((self.frame >= first) & (self.frame < last))

    def where(self, mask: npt.NDArray[np.bool_]) -> MotBoxes:
        """The boxes that `mask` (n,) picks."""
        return MotBoxes(self.frame[mask], self.identity[mask], self.ltwh_px[mask], self.score[mask])


def read_mot(path: Path, is_truth: bool = False) -> MotBoxes:
    """Read a MOT file. Of truth only rows marked as valid count (7th column not 0). Raises MotFileError."""
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = [float(value) for value in line.replace(",", " ").split()]
        except ValueError:
            raise MotFileError(f"{path.name}, line {number}: a value is no number") from None
        if len(values) < 6 or values[0] < 1:
            raise MotFileError(f"{path.name}, line {number}: expected frame (from 1), id, left, top, width, height")
        if is_truth and len(values) > 6 and values[6] == 0:
            continue
        rows.append((*values[:6], values[6] if len(values) > 6 else 1.0))
    table = np.array(rows, dtype=np.float64).reshape(-1, 7)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return MotBoxes(table[:, 0].astype(np.int64) - 1, table[:, 1].astype(np.int64), table[:, 2:6], table[:, 6])


def write_mot(path: Path, boxes: MotBoxes) -> None:
    """Write boxes as MOTChallenge results."""
    lines = [
        f"{frame + 1},{identity},{x:.2f},{y:.2f},{w:.2f},{h:.2f},{score:.4f},-1,-1,-1"
        for frame, identity, (x, y, w, h), score in zip(
            boxes.frame, boxes.identity, boxes.ltwh_px, boxes.score, strict=True
        )
    ]
    path.write_text("\n".join(lines) + "\n")
