from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lakehouse.files.objects import ObjectStore, StoredObject
from lakehouse.files.open import object_store
from lakehouse.lake import Lake
from tests.lakehouse.small_tables import file_contents

CLIP = bytes(range(256)) * 5000


@pytest.fixture(params=["disk", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "disk":
        return object_store(str(tmp_path / "footage"))
    lake: Lake = request.getfixturevalue("bucket_lake")
    return object_store(f"{lake.root}/footage", lake.options)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(CLIP)
    return path


def test_a_clip_in_and_out(store: ObjectStore, clip: Path, tmp_path: Path) -> None:
    key = "s001/c1/20261122T020000.000Z.mp4"
    assert not store.exists(key)
    assert store.put_file(clip, key) == len(CLIP)
    assert store.exists(key)
    scratch = tmp_path / "scratch"
    with store.open_local(key, scratch) as path:
        assert path.suffix == ".mp4"
        assert path.read_bytes() == CLIP
    assert not scratch.exists() or file_contents(scratch) == {}
    assert store.read_bytes(key) == CLIP


def test_list_is_sorted_and_below_its_folder(store: ObjectStore) -> None:
    for key in ("s002/c1/b", "s001/c1/b", "s001/c1/a", "s001/c10/a"):
        store.put_bytes(b"xy", key)
    assert list(store.list("s001/c1")) == [StoredObject("s001/c1/a", 2), StoredObject("s001/c1/b", 2)]
    assert [item.key for item in store.list()] == ["s001/c1/a", "s001/c1/b", "s001/c10/a", "s002/c1/b"]
    assert list(store.list("s003")) == []


def test_delete_removes_exactly_one(store: ObjectStore) -> None:
    for key in ("s001/a", "s001/b"):
        store.put_bytes(b"x", key)
    assert store.delete("s001/a")
    assert not store.delete("s001/a")
    assert [item.key for item in store.list()] == ["s001/b"]


def test_absent_keys(store: ObjectStore, tmp_path: Path) -> None:
    assert store.read_bytes("s001/none") is None
    with pytest.raises(FileNotFoundError), store.open_local("s001/none", tmp_path):
        pass


def test_create_happens_once(store: ObjectStore) -> None:
    won: list[int] = []

    def create(number: int) -> None:
        if store.create_bytes(str(number).encode(), "seal"):
            won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert store.read_bytes("seal") == str(won[0]).encode()
    assert [item.key for item in store.list()] == ["seal"]


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../outside", "a/../../b"])
def test_keys_stay_below_the_root(store: ObjectStore, key: str) -> None:
    with pytest.raises(ValueError, match="below"):
        store.put_bytes(b"x", key)


def test_an_interrupted_copy_leaves_no_key(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = object_store(str(tmp_path / "footage"))
    store.put_bytes(b"old", "s001/a")

    def fail(*_: object) -> None:
        raise OSError("disk is gone")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="disk is gone"):
        store.put_file(clip, "s001/a")
    assert store.read_bytes("s001/a") == b"old"


def test_emptied_folders_go_with_their_last_file(tmp_path: Path) -> None:
    store = object_store(str(tmp_path / "footage"))
    store.put_bytes(b"x", "s001/c1/a")
    store.put_bytes(b"x", "s001/c2/a")
    store.delete("s001/c1/a")
    assert {path.name for path in (tmp_path / "footage").rglob("*")} == {"s001", "c2", "a"}
