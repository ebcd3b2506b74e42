"""Files that are none, cannot be read, are too large or lie where nobody looks: refused, and nothing waits for them."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from resources.landing import file_access, folder, footage
from resources.landing.deliveries import ACCOUNTS, ORDERS_HISTORY
from resources.landing.file_access import append_line, read_whole
from resources.landing.folder import Landing
from resources.landing.footage import consume_footage, read_footage
from resources.landing.refusals import Reason, Refused

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ACCOUNT = {"account_id": "a", "created_at": "2026-01-01T00:00:00Z", "status": "active", "is_simulated": True}
STAMP = "20261122T020000.250Z"
CLIP = f"footage/s001/c1/{STAMP}.mp4"
SIDECAR = f"footage/s001/c1/{STAMP}.json"
Write = Callable[[Path], object]


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def put(landing: Landing, name: str, write: Write) -> Path:
    path = landing.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)
    return path


def sidecar(content: bytes, **changes: object) -> Write:
    fields: dict[str, object] = {
        "camera_id": "c1",
        "store_id": "s001",
        "captured_at": "2026-11-22T02:00:00.250Z",
        "fps": 10,
        "frame_count": 1,
        "width_px": 1,
        "height_px": 1,
        "sha256": hashlib.sha256(content).hexdigest(),
        "clock_skew_ms": 0,
    }
    return lambda path: path.write_text(json.dumps(fields | changes))


def put_clip(landing: Landing, stem: str = STAMP, **changes: object) -> Path:
    path = put(landing, f"footage/s001/c1/{stem}.mp4", lambda path: path.write_bytes(b"clip"))
    put(landing, f"footage/s001/c1/{stem}.json", sidecar(b"clip", **changes))
    return path


def link_elsewhere(path: Path) -> None:
    path.symlink_to(path.parent)


def second_name(path: Path) -> None:
    first = path.with_name(".first")
    first.write_bytes(b"{}")
    os.link(first, path)


def listen(path: Path) -> None:
    # The name of a socket may not be as long as a path of ours.
    held = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(f"/proc/self/fd/{held}/{path.name}")
    os.close(held)


ODD = [
    pytest.param(link_elsewhere, id="link"),
    pytest.param(second_name, id="second name"),
    pytest.param(os.mkfifo, id="pipe"),
    pytest.param(listen, id="socket"),
    pytest.param(Path.mkdir, id="folder"),
]


def refused(landing: Landing) -> Iterator[tuple[str, str]]:
    for path in (landing.root / "rejected").rglob("*.reason.json"):
        told = json.loads(path.read_bytes())
        yield from ((told["source"], line["reason"]) for line in told["lines"])


@pytest.mark.parametrize("write", ODD)
def test_a_file_of_lines_that_is_no_plain_file_is_refused_unopened(landing: Landing, write: Write) -> None:
    put(landing, "accounts/2026-11-21.jsonl", lambda path: path.write_text(json.dumps(ACCOUNT)))
    bad = put(landing, "accounts/2026-11-22.jsonl", write)
    batch = landing.read(ACCOUNTS)
    assert batch.frame.height == 1
    done = landing.consume(batch, now=NOW)
    assert (done.rejected_files, done.kept_files) == (1, 0)
    assert list(refused(landing)) == [("accounts/2026-11-22.jsonl", "not_a_plain_file")]
    assert not os.path.lexists(bad)


@pytest.mark.parametrize("write", ODD)
def test_a_reference_file_that_is_no_plain_file_is_refused_unopened(landing: Landing, write: Write) -> None:
    put(landing, "reference/products.csv", lambda path: path.write_text("product_id,name,category,weight_g\n"))
    bad = put(landing, "reference/stores/s001/store.yaml", write)
    batch = landing.read_reference()
    assert [document.kind for document in batch.documents] == ["products.csv"]
    assert landing.consume(batch, now=NOW).rejected_files == 1
    assert list(refused(landing)) == [("reference/stores/s001/store.yaml", "not_a_plain_file")]
    assert not os.path.lexists(bad)


@pytest.mark.parametrize("name", [CLIP, SIDECAR])
@pytest.mark.parametrize("write", ODD)
def test_half_a_clip_that_is_no_plain_file_is_refused_with_its_other_half(
    landing: Landing, tmp_path: Path, name: str, write: Write
) -> None:
    later = "20261122T030000.250Z"
    put_clip(landing, later, captured_at="2026-11-22T03:00:00.250Z")
    put_clip(landing)
    (landing.root / name).unlink()
    put(landing, name, write)
    batch = read_footage(landing)
    assert [clip.clip.stem for clip in batch.clips] == [later]
    done = consume_footage(landing, batch, tmp_path / "footage", now=NOW)
    assert (done.files, done.kept_files) == (1, 0)
    assert {reason for _, reason in refused(landing)} == {"not_a_plain_file"}
    assert not [path for path in (landing.root / "footage").rglob("*.*") if path.name != ".first"]


def test_what_lies_behind_a_link_is_neither_read_nor_removed(landing: Landing) -> None:
    outside = landing.root.parent / "outside.jsonl"
    outside.write_text(json.dumps(ACCOUNT))
    put(landing, "accounts/2026-11-22.jsonl", lambda path: path.symlink_to(outside))
    batch = landing.read(ACCOUNTS)
    assert batch.frame.is_empty()
    landing.consume(batch, now=NOW)
    assert outside.read_text() == json.dumps(ACCOUNT)


def test_what_became_a_pipe_since_it_was_listed_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "2026-11-22.jsonl"
    os.mkfifo(path)
    with pytest.raises(Refused) as caught:
        read_whole(path)
    assert caught.value.reason is Reason.NOT_A_PLAIN_FILE
    # Opening a pipe for writing waits for a reader.
    with pytest.raises(OSError, match="No such device"):
        append_line(path, b"{}")


def sparse(size: int) -> Write:
    def write(path: Path) -> None:
        path.touch()
        os.truncate(path, size)

    return write


def test_what_is_too_large_is_refused_unread(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    put(landing, "accounts/2026-11-22.jsonl", sparse(file_access.MOST_FILE_BYTES + 1))
    put(landing, "reference/prices.csv", sparse(file_access.MOST_FILE_BYTES + 1))
    put_clip(landing)
    put(landing, SIDECAR, sparse(footage.MOST_SIDECAR_BYTES + 1))
    read: list[int] = []
    monkeypatch.setattr(folder, "parse_line", lambda *_: read.append(1))
    lines, documents, clips = landing.read(ACCOUNTS), landing.read_reference(), read_footage(landing)
    for rejections in (lines.rejections, documents.rejections, clips.rejections):
        assert [rejection.reason for rejection in rejections] == [Reason.TOO_LARGE]
    assert not read


def test_a_line_that_is_too_long_is_refused_and_the_next_is_read(landing: Landing) -> None:
    long = json.dumps(ACCOUNT | {"account_id": "a" * (1 << 20)})
    put(landing, "accounts/2026-11-22.jsonl", lambda path: path.write_text(f"{long}\n{json.dumps(ACCOUNT)}\n"))
    batch = landing.read(ACCOUNTS)
    assert batch.frame.height == 1
    assert [(rejection.line, rejection.reason) for rejection in batch.rejections] == [(1, Reason.TOO_LARGE)]


@pytest.mark.parametrize(
    "name",
    [
        "orders_history/2026-11-22.jsonl",
        "orders_history/s001/more/2026-11-22.jsonl",
        "orders_history/s001/2026-13-45.jsonl",
        "orders_history/s 001/2026-11-22.jsonl",
        os.fsdecode(b"orders_history/s001/\xff.jsonl"),
    ],
)
def test_a_history_file_beside_its_stores_folder_is_refused(landing: Landing, name: str) -> None:
    bad = put(landing, name, lambda path: path.write_text("{}"))
    batch = landing.read(ORDERS_HISTORY)
    assert batch.frame.is_empty()
    landing.consume(batch, now=NOW)
    assert [reason for _, reason in refused(landing)] == ["file_name"]
    assert not bad.exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        # The name says when a clip was captured; a sidecar of another moment or place is refused with it.
        ({"captured_at": "2026-11-22T02:00:01.250Z"}, "wrong_time"),
        ({"captured_at": "2026-11-22T10:00:00.250+08:00"}, None),
        ({"camera_id": "c2"}, "wrong_camera"),
        ({"store_id": "s002"}, "wrong_store"),
        ({"frame_count": int("9" * 400)}, "out_of_range"),
        ({"fps": int("9" * 400)}, "out_of_range"),
        ({"captured_at": "2026-02-30T00:00:00Z"}, "not_an_instant"),
    ],
)
def test_of_name_and_sidecar_that_disagree_none_waits_unseen(
    landing: Landing, tmp_path: Path, changes: dict[str, object], reason: str | None
) -> None:
    put_clip(landing, **changes)
    done = consume_footage(landing, read_footage(landing), tmp_path / "footage", now=NOW)
    assert (done.files, done.kept_files) == (0 if reason else 1, 0)
    assert done.by_reason == ({reason: 1} if reason else {})
    assert not [path for path in (landing.root / "footage").rglob("*.*") if path.name != ".first"]


AS_NOBODY = """
import _strptime, json, os, sys
from datetime import UTC, datetime
from pathlib import Path
from resources.landing.days import sort_by_day
from resources.landing.deliveries import ACCOUNTS
from resources.landing.folder import Landing
from resources.landing.footage import read_footage
b"{}".decode("utf-8-sig")  # loaded while this user may read the library
os.setgid(65534)
os.setuid(65534)
landing, now = Landing(Path(sys.argv[1])), datetime(2026, 11, 22, 12, tzinfo=UTC)
lines, documents, clips = landing.read(ACCOUNTS), landing.read_reference(), read_footage(landing)
strays = sort_by_day(landing, now.date(), now).strays
found = (lines.rejections, documents.rejections, clips.rejections, strays)
done = landing.consume(lines, now=now)
print(json.dumps([lines.frame.height, done.kept_files, [sorted((r.file, r.reason) for r in part) for part in found]]))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="becomes another user")
def test_what_may_not_be_read_is_refused_and_the_rest_is_read() -> None:
    with TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        landing = Landing(Path(scratch) / "landing")
        put(landing, "accounts/2026-11-21.jsonl", lambda path: path.write_text(json.dumps(ACCOUNT)))
        put(landing, "accounts/2026-11-22.jsonl", lambda path: path.write_text(json.dumps(ACCOUNT))).chmod(0)
        put(landing, "reference/products.csv", lambda path: path.write_text("a")).chmod(0)
        put_clip(landing).with_suffix(".json").chmod(0)
        put(landing, "gate_events/s001/2026-11-22.jsonl", Path.touch).parent.chmod(0)
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(landing.root)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        rows, kept, found = json.loads(done.stdout)
    assert rows == 1
    assert kept == 2, "nobody may not move them: they stay, and are counted"
    assert found == [
        [["accounts/2026-11-22.jsonl", "unreadable"]],
        [["reference/products.csv", "unreadable"]],
        [[SIDECAR, "unreadable"]],
        [["gate_events/s001", "file_name"]],
    ]
