"""Which store-day a delivery is for, and that what is for none ends nothing and waits nowhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.store_day import StoreDay
from resources.landing.days import refuse_strays, sort_by_day
from resources.landing.folder import Landing
from resources.landing.refusals import Reason

FIRST = date(2026, 1, 1)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = StoreDay("s001", date(2026, 11, 22))
GOOD = "gate_events/s001/2026-11-22.jsonl"
STAMP = "20261122T020000.000Z"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def put(landing: Landing, name: str, write: Callable[[Path], object] = lambda path: path.write_bytes(b"{}")) -> Path:
    path = landing.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path)
    return path


NAMES = [
    ("gate_events/s001/2026-13-45.jsonl", Reason.FILE_NAME),
    ("gate_events/s001/9999-12-31.jsonl", Reason.FILE_NAME),
    ("gate_events/s001/0001-01-01.jsonl", Reason.FILE_NAME),
    ("gate_events/s001/2099-01-01.jsonl", Reason.OUT_OF_RANGE),
    ("gate_events/s001/2025-12-31.jsonl", Reason.OUT_OF_RANGE),
    ("gate_events/2026-11-22.jsonl", Reason.FILE_NAME),
    ("footage/s001/c1/20261345T010000.000Z.mp4", Reason.FILE_NAME),
    ("footage/s001/c1/99991231T235959.999Z.mp4", Reason.FILE_NAME),
    ("footage/s001/c1/00010101T000000.000Z.mp4", Reason.FILE_NAME),
    ("footage/s001/c1/20991231T235959.999Z.mp4", Reason.OUT_OF_RANGE),
    ("footage/s001/c1/20251230T000000.000Z.json", Reason.OUT_OF_RANGE),
    ("footage/s001/c1/notes.txt", Reason.FILE_NAME),
    (f"footage/s001/{STAMP}.mp4", Reason.FILE_NAME),
    (os.fsdecode(b"gate_events/s001/\xff\xfe.jsonl"), Reason.FILE_NAME),
    (os.fsdecode(b"footage/s001/c1/\xff.mp4"), Reason.FILE_NAME),
]


@pytest.mark.parametrize(("name", "reason"), NAMES)
def test_a_name_that_says_no_day_is_refused_and_the_rest_goes_on(
    landing: Landing, tmp_path: Path, name: str, reason: Reason
) -> None:
    good, bad = put(landing, GOOD), put(landing, name)
    found = sort_by_day(landing, FIRST, NOW)
    assert found.files == {TODAY: (good,)}
    assert [(stray.file, stray.reason) for stray in found.strays] == [(name, reason)]
    done = refuse_strays(landing, tmp_path / "footage", FIRST, NOW, {"s001"})
    assert (done.rejected_files, done.kept_files, done.by_reason) == (1, 0, {str(reason): 1})
    assert not os.path.lexists(bad)
    assert good.exists()
    assert sort_by_day(landing, FIRST, NOW).strays == ()
    (told,) = (landing.root / "rejected").rglob("*.reason.json")
    assert json.loads(told.read_bytes())["lines"] == [{"line": 0, "field": "", "reason": str(reason)}]


def test_what_is_for_tomorrow_waits_for_its_midnight(landing: Landing) -> None:
    put(landing, "gate_events/s001/2026-11-23.jsonl")
    assert sort_by_day(landing, FIRST, NOW) == sort_by_day(Landing(landing.root / "nothing"), FIRST, NOW)
    assert list(sort_by_day(landing, FIRST, datetime(2026, 11, 22, 16, tzinfo=UTC)).files) == [
        StoreDay("s001", date(2026, 11, 23))
    ]


@pytest.mark.parametrize("name", ["gate_events/s009/2026-11-22.jsonl", f"footage/s009/c1/{STAMP}.mp4"])
def test_what_is_of_a_store_without_reference_data_is_refused(landing: Landing, tmp_path: Path, name: str) -> None:
    good, bad = put(landing, GOOD), put(landing, name)
    done = refuse_strays(landing, tmp_path / "footage", FIRST, NOW, {"s001"})
    assert done.by_reason == {str(Reason.UNKNOWN_REFERENCE): 1}
    assert good.exists()
    assert not bad.exists()


def link_to_itself(path: Path) -> None:
    path.symlink_to(path)


@pytest.mark.parametrize("name", [GOOD, f"footage/s001/c1/{STAMP}.mp4", f"footage/s001/c1/{STAMP}.json"])
@pytest.mark.parametrize("write", [os.mkfifo, link_to_itself, Path.mkdir], ids=["pipe", "link", "folder"])
def test_what_is_no_plain_file_is_refused_unopened(
    landing: Landing, tmp_path: Path, name: str, write: Callable[[Path], object]
) -> None:
    other = put(landing, "gate_events/s001/2026-11-21.jsonl")
    bad = put(landing, name, write)
    found = sort_by_day(landing, FIRST, NOW)
    assert [stray.reason for stray in found.strays] == [Reason.NOT_A_PLAIN_FILE]
    done = refuse_strays(landing, tmp_path / "footage", FIRST, NOW, {"s001"})
    assert (done.rejected_files, done.kept_files) == (1, 0)
    assert not os.path.lexists(bad)
    assert other.exists()


@pytest.mark.parametrize(
    ("stamp", "skew_ms", "day"),
    [
        # 16:00 UTC is the store's midnight. A camera one second ahead stamps the last clip of a day with the next.
        ("20261121T160000.500Z", 1_000, date(2026, 11, 21)),
        # A recorder eight hours ahead.
        ("20261121T200000.000Z", 8 * 3_600_000, date(2026, 11, 21)),
        ("20261121T160000.500Z", 0, date(2026, 11, 22)),
    ],
)
def test_store_time_decides_which_day_a_clip_is_for(landing: Landing, stamp: str, skew_ms: int, day: date) -> None:
    sidecar = {
        "camera_id": "c1",
        "store_id": "s001",
        "captured_at": datetime.strptime(stamp, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC).isoformat(),
        "fps": 10,
        "frame_count": 1,
        "width_px": 1,
        "height_px": 1,
        "sha256": "0" * 64,
        "clock_skew_ms": skew_ms,
    }
    put(landing, f"footage/s001/c1/{stamp}.mp4")
    put(landing, f"footage/s001/c1/{stamp}.json", lambda path: path.write_text(json.dumps(sidecar)))
    assert list(sort_by_day(landing, FIRST, NOW).files) == [StoreDay("s001", day)]


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(["gate_events", "footage"]),
    st.lists(
        st.binary(min_size=1, max_size=40).filter(lambda name: not {0, 47} & set(name) and name not in (b".", b"..")),
        max_size=4,
    ),
    st.sampled_from([b".jsonl", b".mp4", b".json", b""]),
)
def test_whatever_it_is_called_it_is_of_a_day_or_refused(
    tmp_path_factory: pytest.TempPathFactory, category: str, parts: list[bytes], suffix: bytes
) -> None:
    landing = Landing(tmp_path_factory.mktemp("landing"))
    inside = [category.encode(), *parts, b"x" + suffix]
    path = put(landing, os.fsdecode(b"/".join(inside)))
    found = sort_by_day(landing, FIRST, NOW)
    assert [landing.root / stray.file for stray in found.strays] == [path]
