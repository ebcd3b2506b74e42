"""The networks that ship with the project (models/README.md), and that their files are the ones that were shipped."""

from __future__ import annotations

import hashlib
from pathlib import Path

from resources.preflight import NotReady

MODELS = Path(__file__).parent / "models"
HASHES = "SHA256SUMS"


def shipped_network(precision: str) -> Path:
    """The file for an arithmetic: int8 has its own."""
    return MODELS / ("nanodet_person_int8.onnx" if precision == "int8" else "nanodet_person.onnx")


def check_shipped(folder: Path = MODELS) -> None:
    """That every network that ships with the project is there and undamaged: 11 MB, 14 ms. Raises NotReady."""
    for name in _promised(folder):
        network_digest(folder / name, is_shipped=True)


def network_digest(path: Path, *, is_shipped: bool) -> str:
    """SHA-256 of a network's file, 64 hex digits. Raises NotReady if it cannot be read, or if it ships with the project
    and is another than was shipped."""
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise _not_ready(f"the detector's network {path} cannot be read ({error.strerror})", path) from None
    if is_shipped and found != _promised(path.parent).get(path.name):
        raise _not_ready(f"the detector's network {path} is damaged, or is not the one that was shipped", path)
    return found


def _promised(folder: Path) -> dict[str, str]:
    """By file name the hash that was shipped."""
    path = folder / HASHES
    try:
        return {name: digest for digest, name in map(str.split, path.read_text(encoding="ascii").splitlines())}
    except (OSError, ValueError):
        raise _not_ready(f"the hashes of the detector's networks in {path} cannot be read", path) from None


def _not_ready(what: str, path: Path) -> NotReady:
    back = f"put it back as it was shipped (git checkout -- {path})" if path.parent == MODELS else "put it back"
    return NotReady(f"{what}: {back}, or name a network of your own in detector.model_path, then run again")
