"""Clips that cannot be used are counted with a reason, and the rest goes on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
import polars as pl
import pytest

from assets.vision.footage.catalogue import Probe, Sidecar, catalogue, counts_by_status, probe
from assets.vision.footage.day_clips import clips_of_day, known_probes, usable_clips, with_true_times
from lakehouse.audit import run_expectations
from lakehouse.contracts.vision import FOOTAGE_SEGMENTS
from lakehouse.store_day import StoreDay
from resources.landing import footage
from tests.assets.vision.footage import small_clips
from tests.assets.vision.footage.small_clips import retime, sidecar_of, turn, write_clip, write_sound

START = datetime(2026, 11, 21, 16, tzinfo=UTC)
END = START + timedelta(days=1)
MINUTE = timedelta(minutes=1)
EDGE_CASES = Path(__file__).resolve().parents[5] / "shared" / "data" / "edge_cases"
real_footage = pytest.mark.skipif(not EDGE_CASES.is_dir(), reason="real footage is not beside the repository")


def sidecar(at: datetime = START, camera: str = "c1", count: int = 100, sha: str = "", skew_ms: int = 0) -> Sidecar:
    return Sidecar("s001", camera, at, 10.0, count, 64, 48, sha, skew_ms)


def found(side: Sidecar, path: str = "a.mp4", frames: int = 100, sha: str = "aa", can_open: bool = True) -> Probe:
    return Probe(side, path, 1000, sha, frames, side.frame_count, 64, 48, can_open)


def statuses(*probes: Probe) -> list[str]:
    return catalogue(probes, START, END)["status"].to_list()


def test_every_way_to_fail_has_its_name() -> None:
    assert statuses(found(sidecar())) == ["ok"]
    assert statuses(found(sidecar(), can_open=False)) == ["unreadable"]
    assert statuses(found(sidecar(sha="bb"))) == ["unreadable"]
    assert statuses(found(sidecar(), frames=0)) == ["empty"]
    assert statuses(found(sidecar(), frames=46)) == ["truncated"]
    assert statuses(found(sidecar(), frames=99)) == ["ok"]
    assert statuses(found(sidecar(END))) == ["misdated"]
    assert statuses(found(sidecar()), found(sidecar(), "b.mp4")) == ["ok", "duplicate"]
    assert statuses(found(sidecar()), found(sidecar(), "b.mp4", sha="cc")) == ["ok", "ok"]


def test_the_frame_keeps_its_contract_and_every_clip_its_own_id() -> None:
    table = catalogue([found(sidecar()), found(sidecar(), "b.mp4"), found(sidecar(camera="c2"), "c.mp4")], START, END)
    assert table.schema == FOOTAGE_SEGMENTS.schema
    assert table["clip_id"].n_unique() == 3
    assert counts_by_status(table) == {"duplicate": 1, "ok": 2}
    assert catalogue([], START, END).schema == FOOTAGE_SEGMENTS.schema


def test_gaps_are_counted_per_camera_in_store_time() -> None:
    table = catalogue(
        [
            found(sidecar()),
            found(sidecar(START + timedelta(seconds=12)), "b.mp4"),
            found(sidecar(START + timedelta(seconds=22, milliseconds=80), skew_ms=80), "c.mp4"),
            found(sidecar(START + timedelta(seconds=60), camera="c2"), "d.mp4"),
        ],
        START,
        END,
    )
    assert table["gap_before_ms"].to_list() == [0, 2000, 0, 0]
    assert table["captured_at"][2] == START + timedelta(seconds=22)
    assert table["duration_ms"].to_list() == [10_000] * 4


def test_true_frame_times_give_the_true_duration() -> None:
    side = Sidecar("s001", "c1", START, 10.0, 3, 64, 48, "", 0, (0.0, 100.0, 900.0))
    table = catalogue([found(side, frames=3)], START, END)
    assert table["duration_ms"].to_list() == [1000]
    assert table["ended_at"][0] == START + timedelta(milliseconds=900)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fps": None}, "type"),
        ({"fps": 0}, "fps"),
        ({"captured_at": "2026-11-22T00:00:00"}, "time zone"),
        ({"frame_times_ms": [0, "late"]}, "type"),
    ],
)
def test_a_wrong_sidecar_is_refused_without_its_values(change: dict[str, object], message: str) -> None:
    fields: dict[str, object] = {
        "store_id": "s001", "camera_id": "c1", "captured_at": "2026-11-22T00:00:00Z", "fps": 10, "frame_count": 3,
        "width_px": 64, "height_px": 48, "sha256": "aa",
    }  # fmt: skip
    assert Sidecar.from_json(fields).fps == 10.0
    with pytest.raises(ValueError, match=message):
        Sidecar.from_json({**fields, **change})
    with pytest.raises(ValueError, match="sha256 is absent"):
        Sidecar.from_json({k: v for k, v in fields.items() if k != "sha256"})


def test_probe_counts_the_frames_that_decode(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for level in range(7):
        writer.write(np.full((48, 64, 3), level * 30, dtype=np.uint8))
    writer.release()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    result = probe(path, sidecar(count=7, sha=digest), "clip.avi")
    assert (result.frame_count, result.width_px, result.height_px, result.sha256) == (7, 64, 48, digest)
    assert catalogue([result], START, END)["status"].to_list() == ["ok"]


@real_footage
def test_a_camera_that_recorded_nothing_and_one_cut_short() -> None:
    nothing = probe(EDGE_CASES / "zero_frames_cam0.mp4", sidecar(count=0), "zero.mp4")
    six = Sidecar("s001", "c2", START, 25.0, 2955, 360, 288, "")
    short = probe(EDGE_CASES / "truncated_6p-c0.avi", six, "short.avi")
    table = catalogue([nothing, short], START, END)
    assert table["status"].to_list() == ["unreadable", "truncated"]
    assert table["frame_count"].to_list() == [0, 46]
    assert table["declared_frame_count"][1] == 2955
    assert "46 of 2955" in table["reason"][1]


def test_the_store_s_clock_decides_the_day() -> None:
    """A camera a second ahead does not lose its clip at midnight, a recorder eight hours ahead not its evening."""
    last = END - timedelta(milliseconds=500)
    for skew in (timedelta(seconds=1), timedelta(hours=8), timedelta(hours=-8)):
        side = sidecar(last + skew, skew_ms=skew // timedelta(milliseconds=1))
        row = catalogue([found(side)], START, END).row(0, named=True)
        assert (row["status"], row["captured_at"]) == ("ok", last)
    early = sidecar(START + timedelta(milliseconds=200), skew_ms=1000)
    assert statuses(found(early)) == ["misdated"]


def judged(path: Path, side: Sidecar) -> dict[str, object]:
    """The catalogue's row of one file."""
    return catalogue([probe(path, side, path.name)], small_clips.START, small_clips.START + timedelta(days=1)).row(
        0, named=True
    )


def test_a_whole_clip_is_ok_and_says_nothing(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4")
    for side in (sidecar_of(path), sidecar_of(path, times_ms=[100 * n for n in range(40)])):
        row = judged(path, side)
        assert (row["status"], row["reason"], row["fps"], row["duration_ms"]) == ("ok", "", 10.0, 4000)


@pytest.mark.parametrize(
    ("times_ms", "words"),
    [
        ([100 * n - 100 * (n == 17) for n in range(40)], "put between their neighbours"),
        ([100 * n for n in range(10)], "not as many as the frames"),
        ([100 * n for n in range(50)], "not as many as the frames"),
        ([100 * n for n in reversed(range(40))], "do not rise"),
        (list(range(40)), "do not rise"),
    ],
    ids=["one repeated", "too few", "too many", "backwards", "a thousand a second"],
)
def test_frame_times_that_do_not_hold_are_said_and_mended(tmp_path: Path, times_ms: list[int], words: str) -> None:
    path = write_clip(tmp_path / "a.mp4")
    row = judged(path, sidecar_of(path, times_ms=times_ms))
    assert (row["status"], row["duration_ms"], row["frame_count"]) == ("corrected", 4000, 40)
    assert words in str(row["reason"])


def test_the_container_says_how_long_a_clip_is_when_the_sidecar_is_wrong(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4")
    row = judged(path, sidecar_of(path, fps=30.0))
    assert (row["status"], row["duration_ms"]) == ("corrected", 4000)
    assert row["fps"] == pytest.approx(10.0)
    assert "times from the container" in str(row["reason"])
    varying = retime(path, [(10, 1), (10, 5), (20, 1)])
    row = judged(varying, sidecar_of(varying))
    assert row["status"] == "corrected"
    assert row["ended_at"] == small_clips.START + timedelta(seconds=7.9)


def test_a_size_or_a_number_of_frames_that_the_sidecar_does_not_know_is_said(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4")
    row = judged(path, sidecar_of(path, size=(640, 480)))
    assert (row["status"], row["width_px"], row["height_px"]) == ("corrected", 64, 48)
    assert "its size is not the pictures'" in str(row["reason"])
    row = judged(path, sidecar_of(path, count=10))
    assert (row["status"], row["frame_count"]) == ("corrected", 40)
    assert "more frames decode" in str(row["reason"])
    row = judged(path, sidecar_of(path, count=400, fps=30.0))
    assert row["status"] == "corrected"
    assert "40 of 400 promised frames decode" in str(row["reason"])


@pytest.mark.parametrize(("degrees", "size"), [(90, (48, 64)), (180, (64, 48)), (270, (48, 64))])
def test_a_turned_clip_is_catalogued_as_it_is_shown_and_says_so(
    tmp_path: Path, degrees: int, size: tuple[int, int]
) -> None:
    path = turn(write_clip(tmp_path / "a.mp4"), degrees)
    row = judged(path, sidecar_of(path))
    assert (row["status"], row["width_px"], row["height_px"]) == ("corrected", *size)
    assert f"turned by {degrees} degrees" in str(row["reason"])


def test_files_that_are_no_footage_or_broken_are_refused_with_a_reason(tmp_path: Path) -> None:
    whole = write_clip(tmp_path / "a.mp4").read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: 2 * len(whole) // 3])  # The index lies at the end: without it nothing opens.
    nothing = tmp_path / "nothing.mp4"
    nothing.write_bytes(b"")
    for path in (cut, nothing, write_sound(tmp_path / "sound.mp4")):
        row = judged(path, sidecar_of(path))
        assert (row["status"], row["frame_count"], row["duration_ms"]) == ("unreadable", 0, 0)
        assert row["reason"]
    film = write_clip(tmp_path / "film.avi").read_bytes()
    part = tmp_path / "part.avi"
    part.write_bytes(film[: 2 * len(film) // 3])
    row = judged(part, sidecar_of(part))
    assert row["status"] == "truncated"
    assert 0 < int(str(row["frame_count"])) < 40


def test_a_clip_longer_than_an_hour_does_not_stop_the_catalogue(tmp_path: Path) -> None:
    path = retime(write_clip(tmp_path / "a.mp4"), [(20, 1), (1, 60_000), (19, 1)])
    row = judged(path, sidecar_of(path))
    assert (row["status"], row["reason"], row["duration_ms"]) == ("untimed", "longer than an hour", 0)
    assert row["ended_at"] == row["captured_at"]
    table = pl.DataFrame([row], schema=FOOTAGE_SEGMENTS.schema)
    assert not [result.name for result in run_expectations(FOOTAGE_SEGMENTS, table) if result.blocks]


def test_what_is_catalogued_comes_out_the_same_without_being_opened_again(tmp_path: Path) -> None:
    """Also of clips whose sidecar does not hold; and what is analysed has the times that the catalogue found."""
    root, probes = tmp_path / "footage", []
    sides = [{"fps": 30.0}, {"times_ms": [0] * 40}, {"count": 50}, {"times_ms": [100 * n for n in range(10)]}, {}]
    for number, changes in enumerate(sides):
        path = root / f"s001/c1/2026-11-22T02Z/{number}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_clip(path, count=40 + number)
        side = sidecar_of(path, **{"count": 40 + number, "captured_at": small_clips.START + number * MINUTE} | changes)
        fields = asdict(side) | {"captured_at": side.captured_at.isoformat()}
        path.with_suffix(".json").write_text(json.dumps(fields))
        probes.append(probe(path, side, path.relative_to(root).as_posix()))
    day = (small_clips.START, small_clips.START + timedelta(days=1))
    first = catalogue([*probes, probes[0]], *day)
    assert first["status"].to_list() == ["corrected", "duplicate", "corrected", "truncated", "corrected", "ok"]
    assert catalogue(known_probes(first, root, []), *day).equals(first)
    usable = usable_clips(first, root)
    assert [clip.is_corrected for clip in usable] == [True, True, False, True, False]
    ends = [clip.instant(with_true_times(clip).time_s(39 + n)) for n, clip in enumerate(usable) if clip.is_corrected]
    assert ends == first.filter(status="corrected")["ended_at"].to_list()
    for stored in root.rglob("*.json"):
        stored.write_text("[[[")
    assert catalogue(known_probes(first, root, []), *day)["status"].equals(first["status"])


def test_a_clip_from_the_future_is_refused_before_it_is_opened() -> None:
    landing, now = Path("/landing"), small_clips.START
    for ahead, skew_ms, refused in [(0, 0, False), (8, 0, True), (8, 8 * 3_600_000, False), (0, -8 * 3_600_000, True)]:
        side = footage.Sidecar("c1", "s001", now + timedelta(hours=ahead), 10.0, 40, 64, 48, "0" * 64, skew_ms)
        file = landing / "footage/s001/c1/a.mp4"
        clip = footage.LandedClip(
            "s001", "c1", side.captured_at, file, file.with_suffix(".json"), side, 1, "0" * 64, ""
        )
        batch = footage.FootageBatch((clip,), (), 0)
        day = clips_of_day(batch, StoreDay.of_instant("s001", now), landing, now)
        assert ([r.field for r in day.refused], len(day.clips)) == ((["captured_at"], 0) if refused else ([], 1))
