"""The landing folder: what is read, what is refused, and that nothing is lost on the way."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.landing.deliveries import ACCOUNTS, GATE_EVENTS, ORDERS_HISTORY, REVIEWS
from resources.landing.file_access import append_line
from resources.landing.folder import Landing, Rejection, landed_schema
from resources.landing.footage import consume_footage, format_stamp, parse_stamp, read_footage
from resources.landing.lines import LineFormat, parse_line
from resources.landing.refusals import Reason, Refused
from tests.resources.landing.good_rows import ACCOUNT, LINES, ORDER, REVIEW, SCAN

NOW = datetime(2026, 11, 22, 16, tzinfo=UTC)
SECRET = "13812345678"


def land(landing: Landing, name: str, *rows: object) -> Path:
    path = landing.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing")


def files(landing: Landing) -> list[str]:
    return sorted(path.relative_to(landing.root).as_posix() for path in landing.root.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("line_format", "row"),
    LINES,
)
def test_every_category_is_read_into_its_schema(landing: Landing, line_format: LineFormat, row: object) -> None:
    folder = f"{line_format.category}/s001" if line_format.by_store else line_format.category
    land(landing, f"{folder}/2026-11-22.jsonl", row)
    batch = landing.read(line_format)
    assert batch.rejections == ()
    assert batch.frame.height == 1
    assert batch.frame.schema == landed_schema(line_format)


@pytest.mark.parametrize(
    ("line_format", "row", "field", "reason"),
    [
        (GATE_EVENTS, SCAN | {"id_card_no": SECRET}, "id_card_no", Reason.UNKNOWN_FIELD),
        (GATE_EVENTS, SCAN | {SECRET: 1}, "(unnamed)", Reason.UNKNOWN_FIELD),
        (GATE_EVENTS, {k: v for k, v in SCAN.items() if k != "gate_id"}, "gate_id", Reason.MISSING_FIELD),
        (GATE_EVENTS, SCAN | {"direction": SECRET}, "direction", Reason.NOT_ALLOWED),
        (GATE_EVENTS, SCAN | {"scanned_at": "2026-11-22T02:00:00"}, "scanned_at", Reason.NOT_AN_INSTANT),
        (GATE_EVENTS, SCAN | {"account_id": SECRET + " x"}, "account_id", Reason.NOT_AN_ID),
        (GATE_EVENTS, SCAN | {"account_id": 5}, "account_id", Reason.WRONG_TYPE),
        (GATE_EVENTS, "{not json", "", Reason.NOT_JSON),
        (GATE_EVENTS, '{"account_id": NaN}', "", Reason.NOT_JSON),
        (GATE_EVENTS, '{"account_id": "a", "account_id": "b"}', "", Reason.DUPLICATE_FIELD),
        (GATE_EVENTS, "[1]", "", Reason.WRONG_TYPE),
        (ORDERS_HISTORY, ORDER | {"amount_fen": 701}, "amount_fen", Reason.ARITHMETIC),
        (ORDERS_HISTORY, ORDER | {"store_id": "s002"}, "store_id", Reason.WRONG_STORE),
        (
            ORDERS_HISTORY,
            ORDER | {"lines": [{"product_id": "p1", "quantity": 0, "unit_price_fen": 1, "amount_fen": 1}]},
            "lines[0].quantity",
            Reason.OUT_OF_RANGE,
        ),
        (REVIEWS, REVIEW | {"decision": "accept"}, "lines", Reason.NOT_ALLOWED),
        (REVIEWS, REVIEW | {"decision": "unbilled", "lines": []}, "decision", Reason.NOT_ALLOWED),
    ],
)
def test_a_bad_line_is_refused_with_field_and_reason_and_the_rest_goes_on(
    landing: Landing, line_format: LineFormat, row: object, field: str, reason: Reason
) -> None:
    good = {"gate_events": SCAN, "orders_history": ORDER, "reviews": REVIEW}[line_format.category]
    folder = f"{line_format.category}/s001" if line_format.by_store else line_format.category
    name = f"{folder}/2026-11-22.jsonl"
    land(landing, name, good, row)
    batch = landing.read(line_format)
    assert batch.frame.height == 1
    assert batch.rejections == (Rejection(name, 2, field, reason),)
    assert SECRET not in repr(batch.rejections)


def test_consuming_keeps_what_was_refused_with_its_reason_and_removes_the_rest(landing: Landing) -> None:
    bad = SCAN | {"id_card_no": SECRET}
    land(landing, "gate_events/s001/2026-11-22.jsonl", SCAN, bad)
    batch = landing.read(GATE_EVENTS)
    assert files(landing) == ["gate_events/s001/2026-11-22.jsonl"], "reading moves nothing"
    done = landing.consume(batch, now=NOW)
    assert (done.files, done.rejected_lines, done.by_reason) == (1, 1, {"unknown_field": 1})
    kept, reason = files(landing)
    assert kept.startswith("rejected/gate_events/s001/2026-11-22-")
    assert json.loads((landing.root / kept).read_text()) == bad
    told = (landing.root / reason).read_text()
    assert SECRET not in told
    assert json.loads(told)["lines"] == [{"line": 2, "field": "id_card_no", "reason": "unknown_field"}]
    assert landing.read(GATE_EVENTS).files == ()


def test_a_crash_before_consuming_loses_nothing_and_landing_again_adds_nothing(landing: Landing) -> None:
    land(landing, "gate_events/s001/2026-11-22.jsonl", SCAN, "broken")
    first = landing.read(GATE_EVENTS)
    second = landing.read(GATE_EVENTS)
    assert second.frame.equals(first.frame)
    landing.consume(first, now=NOW)
    before = files(landing)
    land(landing, "gate_events/s001/2026-11-22.jsonl", SCAN, "broken")
    landing.consume(landing.read(GATE_EVENTS), now=NOW)
    assert files(landing) == before


def test_a_line_that_arrived_after_reading_is_not_consumed(landing: Landing) -> None:
    path = land(landing, "reviews/2026-11-22.jsonl", REVIEW)
    batch = landing.read(REVIEWS)
    append_line(path, json.dumps(REVIEW | {"review_id": "r2"}).encode())
    assert landing.consume(batch, now=NOW).kept_files == 1
    assert landing.read(REVIEWS).frame["review_id"].to_list() == ["r1", "r2"]


def test_a_later_step_can_refuse_single_rows(landing: Landing) -> None:
    land(landing, "reviews/2026-11-22.jsonl", REVIEW, REVIEW | {"review_id": "r2"})
    batch = landing.read(REVIEWS)
    row = batch.frame.row(1, named=True)
    refusal = Rejection(row["source_file"], row["source_line"], "review_id", Reason.UNKNOWN_REVIEW)
    landing.consume(batch, now=NOW, refused=[refusal])
    kept = next(path for path in files(landing) if path.endswith(".jsonl"))
    assert json.loads((landing.root / kept).read_text())["review_id"] == "r2"


def test_a_file_with_a_wrong_name_is_rejected_whole(landing: Landing) -> None:
    land(landing, "accounts/everybody.jsonl", ACCOUNT)
    batch = landing.read(ACCOUNTS)
    assert batch.frame.is_empty()
    assert [r.reason for r in batch.rejections] == [Reason.FILE_NAME]
    landing.consume(batch, now=NOW)
    assert len(files(landing)) == 2


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with suppress(Refused):
        parse_line(raw, GATE_EVENTS)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["good", "bad", "blank"]), max_size=12))
def test_every_line_is_either_a_row_or_kept(tmp_path_factory: pytest.TempPathFactory, kinds: list[str]) -> None:
    landing = Landing(tmp_path_factory.mktemp("landing"))
    text = {"good": json.dumps(SCAN), "bad": "{", "blank": ""}
    land(landing, "gate_events/s001/2026-11-22.jsonl", *(text[kind] for kind in kinds))
    batch = landing.read(GATE_EVENTS)
    landing.consume(batch, now=NOW)
    kept = [path for path in files(landing) if path.endswith(".jsonl")]
    lines = sum(len((landing.root / path).read_text().splitlines()) for path in kept)
    assert (batch.frame.height, lines) == (kinds.count("good"), kinds.count("bad"))


def clip(landing: Landing, stamp: str, content: bytes = b"clip", **changes: object) -> Path:
    path = landing.root / f"footage/s001/c1/{stamp}.mp4"
    path.parent.mkdir(parents=True, exist_ok=True)
    sidecar = {
        "camera_id": "c1",
        "store_id": "s001",
        "captured_at": parse_stamp(stamp).isoformat(),
        "fps": 10.0,
        "frame_count": 600,
        "width_px": 640,
        "height_px": 480,
        "sha256": hashlib.sha256(content).hexdigest(),
        "clock_skew_ms": 12,
    } | changes
    path.write_bytes(content)
    path.with_suffix(".json").write_text(json.dumps(sidecar))
    return path


STAMP = "20261122T020000.250Z"


def test_a_clip_and_its_sidecar_move_to_their_hour(landing: Landing, tmp_path: Path) -> None:
    clip(landing, STAMP, frame_times_ms=[0, 100, 205])
    batch = read_footage(landing)
    landed = batch.clips[0]
    digest = hashlib.sha256(b"clip").hexdigest()
    assert landed.place == f"s001/c1/2026-11-22T02Z/{STAMP}-{digest[:12]}.mp4"
    assert landed.sidecar.captured_at == landed.stamped_at == datetime(2026, 11, 22, 2, 0, 0, 250_000, UTC)
    assert landed.is_intact
    assert landed.sidecar.frame_times_ms == (0, 100, 205)
    consume_footage(landing, batch, tmp_path / "footage", now=NOW)
    assert (tmp_path / "footage" / landed.place).read_bytes() == b"clip"
    assert (tmp_path / "footage" / landed.place).with_suffix(".json").is_file()
    assert files(landing) == []
    clip(landing, STAMP)
    consume_footage(landing, read_footage(landing), tmp_path / "footage", now=NOW)
    clip(landing, STAMP, b"another")
    consume_footage(landing, read_footage(landing), tmp_path / "footage", now=NOW)
    assert len(list((tmp_path / "footage").rglob("*.mp4"))) == 2, "the same once, another content beside it"


@pytest.mark.parametrize(
    ("skew_ms", "store_time", "hour"),
    [
        # A recorder eight hours ahead: store time is the earlier one, and a clip must not live eight hours longer.
        (8 * 3_600_000, "2026-11-21T18:00:00.250+00:00", "2026-11-21T18Z"),
        # One that is behind, or only says so: the store's time decides the day, the camera's still how long it lives.
        (-8 * 3_600_000, "2026-11-22T10:00:00.250+00:00", "2026-11-22T02Z"),
    ],
)
def test_a_skew_moves_a_clip_to_store_time_and_never_prolongs_its_life(
    landing: Landing, skew_ms: int, store_time: str, hour: str
) -> None:
    clip(landing, STAMP, clock_skew_ms=skew_ms)
    found = read_footage(landing).clips[0]
    assert found.sidecar.store_time.isoformat(timespec="milliseconds") == store_time
    assert found.hour == hour
    assert found.place.startswith(f"s001/c1/{hour}/{STAMP}-")


def test_half_a_delivery_waits(landing: Landing) -> None:
    path = clip(landing, STAMP)
    path.with_suffix(".json").rename(path.with_suffix(".later"))
    batch = read_footage(landing)
    assert (batch.clips, batch.waiting) == ((), 1)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"camera_id": "c2"}, Reason.WRONG_CAMERA),
        ({"store_id": "s009"}, Reason.WRONG_STORE),
        ({"operator": SECRET}, Reason.UNKNOWN_FIELD),
        ({"fps": 0}, Reason.OUT_OF_RANGE),
        ({"frame_times_ms": [0, "100"]}, Reason.WRONG_TYPE),
        ({"frame_times_ms": [0, 10**9]}, Reason.OUT_OF_RANGE),
        ({"sha256": "x"}, Reason.NOT_AN_ID),
    ],
)
def test_a_clip_with_a_bad_sidecar_is_kept_apart_with_the_reason(
    landing: Landing, tmp_path: Path, changes: dict[str, object], reason: Reason
) -> None:
    clip(landing, STAMP, **changes)
    batch = read_footage(landing)
    assert [r.reason for r in batch.rejections] == [reason]
    consume_footage(landing, batch, tmp_path / "footage", now=NOW)
    assert not (tmp_path / "footage").exists()
    assert all(name.startswith("rejected/footage/s001/c1/") for name in files(landing))
    assert sum(name.endswith((".mp4", f"{STAMP}.json")) for name in files(landing)) == 2


@given(st.integers(0, 10**11))
def test_stamps_survive_the_way_there_and_back(milliseconds: int) -> None:
    instant = NOW - timedelta(milliseconds=milliseconds)
    assert parse_stamp(format_stamp(instant)) == instant
