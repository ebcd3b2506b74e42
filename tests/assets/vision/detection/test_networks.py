"""The shipped networks are the ones that were shipped, and any other is named before it is used."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assets.vision.detection.networks import HASHES, MODELS, check_shipped, network_digest, shipped_network
from resources.preflight import NotReady

INT8 = "nanodet_person_int8.onnx"


def damage(network: Path) -> None:
    """One bit in the middle."""
    data = bytearray(network.read_bytes())
    data[len(data) // 2] ^= 1
    network.write_bytes(data)


def swap(network: Path) -> None:
    shutil.copyfile(network.with_name("nanodet_person.onnx"), network)


def cut(network: Path) -> None:
    network.write_bytes(network.read_bytes()[:1000])


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODELS, tmp_path / "models"))


def test_what_ships_is_what_was_shipped(models: Path) -> None:
    check_shipped()
    check_shipped(models)
    assert {shipped_network(precision).parent for precision in ("int8", "bf16", "fp32")} == {MODELS}
    assert shipped_network("int8").name == INT8 != shipped_network("bf16").name


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (damage, "is damaged, or is not the one that was shipped: put it back"),
        (swap, "is damaged, or is not the one that was shipped: put it back"),
        (cut, "is damaged, or is not the one that was shipped: put it back"),
        (Path.unlink, r"cannot be read \(No such file or directory\): put it back"),
    ],
)
def test_another_file_is_named_with_what_to_do(models: Path, wrong: Callable[[Path], None], said: str) -> None:
    wrong(models / INT8)
    for check in (lambda: check_shipped(models), lambda: network_digest(models / INT8, is_shipped=True)):
        with pytest.raises(NotReady, match=rf"network {models / INT8} {said}") as found:
            check()
        assert found.value.__cause__ is None


@pytest.mark.parametrize("content", [None, "nothing of the kind", "\u00e9"])
def test_without_its_hashes_no_network_is_trusted(models: Path, content: str | None) -> None:
    (models / HASHES).unlink()
    if content is not None:
        (models / HASHES).write_text(content, encoding="utf-8")
    with pytest.raises(NotReady, match=f"{models / HASHES} cannot be read"):
        check_shipped(models)


def test_a_network_of_ones_own_is_what_it_is(models: Path) -> None:
    damage(models / INT8)
    assert len(network_digest(models / INT8, is_shipped=False)) == 64
