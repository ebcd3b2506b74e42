"""Whatever lies in landing, its readers give rows and refusals: nothing else is raised, and no content is repeated."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from assets.orders.reference.documents import read_documents
from lakehouse.store_day import StoreDay
from orchestration import arrivals
from resources.landing.days import refuse_strays, sort_by_day
from resources.landing.deliveries import ACCOUNTS, GATE_EVENTS, ORDERS_HISTORY, REVIEWS
from resources.landing.folder import CHAIN_DOCUMENTS, STORE_DOCUMENTS, Document, Landing
from resources.landing.footage import consume_footage, parse_sidecar, read_footage
from resources.landing.lines import LineFormat, parse_line
from resources.landing.refusals import Reason, Refused
from resources.settings import SettingsError, load_settings
from tests.resources.landing.test_landing import ORDER, SCAN

T = TypeVar("T")

FORMATS = (ACCOUNTS, GATE_EVENTS, ORDERS_HISTORY, REVIEWS)
NOW = datetime(2026, 11, 22, 16, tzinfo=UTC)
FIRST = date(2026, 1, 1)
CANARY = "canary77"

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**399, 10**400),
    st.floats(),
    st.text(st.characters(), max_size=12),
    st.just(CANARY),
    st.just("\ud800"),
    st.just("2026-02-30T25:61:00Z"),
    st.dates().map(str),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=8,
)
NESTED = b"[" * 3000 + b"]" * 3000


def objects(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, object]]:
    """Objects that have some of the right names, and others."""
    return st.dictionaries(st.one_of(st.sampled_from(names), st.text(max_size=6)), values, max_size=len(names) + 1)


def result_of(read: Callable[[], T], refusal: type[Exception]) -> tuple[T | None, str]:
    """What was read, or what the refusal says. Anything else that is raised fails the test."""
    try:
        return read(), ""
    except refusal as refused:
        return None, str(refused)


def as_yaml(value: object) -> bytes:
    return str(yaml.safe_dump(value)).encode("utf-8", "replace")


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("line_format", FORMATS, ids=lambda line_format: line_format.category)
def test_lines(line_format: LineFormat) -> None:
    good = {"orders_history": ORDER, "gate_events": SCAN}.get(line_format.category, {})

    @settings(max_examples=150, deadline=None)
    @given(st.one_of(st.binary(max_size=60), objects(tuple(line_format.fields)).map(lambda v: as_json(good | v))))
    @example(NESTED)
    @example(b"\xef\xbb\xbf{}")
    @example(as_json(good).replace(b"700", b"7" * 400))
    @example("{}".encode("utf-16"))
    @example(b"\x00")
    @example(b"1e999")
    @example(b'{"reason": "\\ud800"}')
    def only_refuses(raw: bytes) -> None:
        row, said = result_of(lambda: parse_line(raw, line_format), Refused)
        assert CANARY not in said
        assert row is None or set(row) == set(line_format.fields)

    only_refuses()


SIDECAR = {
    "camera_id": "c1",
    "store_id": "s001",
    "captured_at": "2026-11-22T02:00:00.000Z",
    "fps": 10.0,
    "frame_count": 5,
    "width_px": 320,
    "height_px": 240,
    "sha256": "0" * 64,
    "clock_skew_ms": 0,
}


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=60), objects((*SIDECAR, "frame_times_ms")).map(lambda v: as_json(SIDECAR | v))))
@example(NESTED)
@example(as_json(SIDECAR).replace(b"10.0", b"1" * 400))
@example(as_json(SIDECAR).replace(b"10.0", b"NaN"))
@example(as_json(SIDECAR | {"captured_at": "9999-12-31T23:59:59Z", "clock_skew_ms": -10}))
def test_sidecars(raw: bytes) -> None:
    found, said = result_of(lambda: parse_sidecar(raw), Refused)
    assert CANARY not in said
    assert found is None or found.store_time.tzinfo is not None


YAML_FAULTS = (
    NESTED,
    b"a: &a [*a, *a]",
    b"a: &a {x: 1}\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b]",
    b"opening_hours: 2026-02-30",
    b"- !!python/object/apply:os.system ['true']",
    b"width: " + b"9" * 400,
    b"x: 1\nx: 2",
    b"\xff\xfe",
    b"? [1, 2]\n: 3",
    b"<<: {a: 1}",
    b"a: 12:30:45",
    b"\x00",
)
CSV_FAULTS = (
    b'product_id,name,category,weight_g\n"a,b,c',
    b"product_id,product_id\n1,2",
    b"product_id\x00,name\n",
    b"product_id,name,category,weight_g\np1,n,c," + b"9" * 400,
    b"product_id,store_id,price_fen,valid_from\np1,s001,5,2026-02-30",
    b"x" * 200_000,
    b"\xff\xfea\x00",
    b"",
)


@pytest.mark.parametrize("kind", [*STORE_DOCUMENTS, *CHAIN_DOCUMENTS])
def test_reference_documents(kind: str) -> None:
    store = None if kind in CHAIN_DOCUMENTS else "s001"
    faults = YAML_FAULTS if kind.endswith(".yaml") else CSV_FAULTS

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.one_of(
            st.binary(max_size=80),
            values.map(as_yaml),
        )
    )
    def only_refuses(raw: bytes) -> None:
        documents = [Document(kind, store, f"reference/{kind}", raw)]
        found = read_documents(documents)
        assert all(refused.file == f"reference/{kind}" for refused in found.rejections)
        assert CANARY not in str(found.rejections)

    for raw in faults:
        found = read_documents([Document(kind, store, f"reference/{kind}", raw)])
        assert found.rejections or all(frame.is_empty() for frame in found.frames.values())
    only_refuses()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.one_of(st.binary(max_size=60), values.map(as_yaml)))
@example(raw=NESTED)
@example(raw=b"review: {threshold_prob: 2026-02-30}")
@example(raw=b"workers: " + b"9" * 5000)
@example(raw=b"\xff\xfe")
def test_settings_files(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "settings.yaml").write_bytes(raw)
    found, said = result_of(lambda: load_settings({}, working_directory=tmp_path), SettingsError)
    assert CANARY not in said
    assert found is not None or "settings.yaml" in said


def link(path: Path) -> None:
    target = path.parents[3] / f"behind-{path.name}"
    target.write_bytes(b"stays")
    path.symlink_to(target)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as held:
        short = Path("/tmp") / f"oa-{os.getpid()}"
        with suppress(FileNotFoundError):
            short.unlink()
        held.bind(str(short))
        short.rename(path)


NOT_PLAIN: dict[str, Callable[[Path], object]] = {
    "link": link,
    "dangling link": lambda path: path.symlink_to("/nowhere/at/all"),
    "pipe": os.mkfifo,
    "socket": unix_socket,
    "folder": lambda path: path.mkdir(),
}


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "a" / "landing")


def rejected(landing: Landing) -> dict[str, set[str]]:
    """Reasons by the file as it was delivered."""
    found = {}
    for path in (landing.root / "rejected").rglob("*.reason.json"):
        record = json.loads(path.read_bytes())
        found[record["source"]] = {line["reason"] for line in record["lines"]}
    return found


@pytest.mark.parametrize("kind", NOT_PLAIN)
def test_only_plain_files_land(landing: Landing, tmp_path: Path, kind: str) -> None:
    good = landing.root / "gate_events" / "s001" / "2026-11-22.jsonl"
    good.parent.mkdir(parents=True)
    good.write_bytes(as_json(SCAN) + b"\n")
    names = {
        "gate_events/s001/2026-11-21.jsonl": GATE_EVENTS,
        "orders_history/s001/2026-11-21.jsonl": ORDERS_HISTORY,
        "footage/s001/c1/20261122T020000.000Z.mp4": None,
        "footage/s001/c1/20261122T030000.000Z.json": None,
    }
    for name in names:
        path = landing.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        NOT_PLAIN[kind](path)
    scans, history = landing.read(GATE_EVENTS), landing.read(ORDERS_HISTORY)
    assert scans.frame.height == 1
    landing.consume(scans, now=NOW)
    landing.consume(history, now=NOW)
    consume_footage(landing, read_footage(landing), tmp_path / "footage", now=NOW)
    assert rejected(landing) == {name: {"not_a_plain_file"} for name in names}
    left = {path.name for path in landing.root.rglob("*") if not path.is_dir() and "rejected" not in path.parts}
    assert all(name.startswith("behind-") for name in left)
    assert not (tmp_path / "footage").exists()
    behind = list(tmp_path.rglob("behind-*"))
    assert all(path.read_bytes() == b"stays" for path in behind)
    assert len(behind) == (3 if kind == "link" else 0), "two share a name"


def scans_of(landing: Landing, name: str, *lines: dict[str, object]) -> Path:
    path = landing.root / "gate_events" / "s001" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(as_json(line) + b"\n" for line in lines or (SCAN,)))
    return path


@pytest.mark.parametrize(
    "name",
    [
        "2026-13-45.jsonl",
        "2026-02-30.jsonl",
        "9999-12-31.jsonl",
        "0001-01-01.jsonl",
        "2099-01-01.jsonl",
        "2019-06-01.jsonl",
        os.fsdecode(b"\xff\xfe.jsonl"),
    ],
)
def test_a_date_that_no_day_is_of_stops_nobody_and_is_refused(landing: Landing, tmp_path: Path, name: str) -> None:
    scans_of(landing, name)
    scans_of(landing, "2026-11-22.jsonl")
    stamp = {"2099-01-01.jsonl": "20990101T000000.000Z", "9999-12-31.jsonl": "99991231T000000.000Z"}.get(name, "xyz")
    clip = landing.root / "footage" / "s001" / "c1" / f"{stamp}.mp4"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"x")
    waiting = arrivals.look(landing.root, NOW)
    assert waiting.store_days == (StoreDay("s001", date(2026, 11, 22)),)
    assert waiting.strays
    done = refuse_strays(landing, tmp_path / "footage", FIRST, NOW, {"s001"})
    assert done.rejected_files == 2
    assert arrivals.look(landing.root, NOW).strays == ()
    assert arrivals.look(landing.root, NOW).store_days == waiting.store_days


def test_a_file_beside_its_stores_folder_is_refused_and_stops_no_store(landing: Landing) -> None:
    path = landing.root / "orders_history" / "2026-11-20.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(as_json(ORDER))
    scans_of(landing, "2026-11-22.jsonl")
    assert arrivals.look(landing.root, NOW).has_store_wide
    landing.consume(landing.read(ORDERS_HISTORY), now=NOW)
    assert rejected(landing) == {"orders_history/2026-11-20.jsonl": {"file_name"}}
    assert not arrivals.look(landing.root, NOW).has_store_wide


def test_what_is_of_an_unknown_store_is_refused_and_the_others_go_on(landing: Landing, tmp_path: Path) -> None:
    scans_of(landing, "2026-11-22.jsonl")
    other = landing.root / "gate_events" / "s999" / "2026-11-22.jsonl"
    other.parent.mkdir(parents=True)
    other.write_bytes(as_json(SCAN))
    clip = landing.root / "footage" / "s999" / "c1" / "20261122T020000.000Z.mp4"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"x")
    refuse_strays(landing, tmp_path / "footage", FIRST, NOW, {"s001"})
    assert set(rejected(landing)) == {"gate_events/s999/2026-11-22.jsonl", "footage/s999/c1/20261122T020000.000Z.mp4"}
    assert set(map(frozenset, rejected(landing).values())) == {frozenset({"unknown_reference"})}
    assert sort_by_day(landing, FIRST, NOW, {"s001"}).files.keys() == {StoreDay("s001", date(2026, 11, 22))}


def test_tomorrows_file_waits_for_its_midnight(landing: Landing) -> None:
    """A gate's clock may be a little fast; the day after tomorrow is a mistake."""
    tomorrow = (NOW + timedelta(hours=8)).date() + timedelta(days=1)
    scans_of(landing, f"{tomorrow}.jsonl")
    scans_of(landing, f"{tomorrow + timedelta(days=1)}.jsonl")
    found = sort_by_day(landing, FIRST, NOW)
    assert found.files == {}
    assert [stray.reason for stray in found.strays] == [Reason.OUT_OF_RANGE]


def clips(landing: Landing, **sidecar: object) -> Iterator[Path]:
    clip = landing.root / "footage" / "s001" / "c1" / "20261122T020000.000Z.mp4"
    clip.parent.mkdir(parents=True)
    clip.write_bytes(b"x")
    yield clip
    clip.with_suffix(".json").write_bytes(as_json(SIDECAR | sidecar))
    yield clip.with_suffix(".json")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"captured_at": "2026-11-22T02:00:01.000Z"}, "wrong_time"),
        ({"store_id": "s002"}, "wrong_store"),
        ({"camera_id": "c2"}, "wrong_camera"),
    ],
)
def test_a_name_and_a_sidecar_that_disagree_are_refused_together(
    landing: Landing, tmp_path: Path, changed: dict[str, object], reason: str
) -> None:
    pair = list(clips(landing, **changed))
    batch = read_footage(landing)
    assert batch.clips == ()
    consume_footage(landing, batch, tmp_path / "footage", now=NOW)
    assert not any(path.exists() for path in pair)
    assert {reason} in rejected(landing).values()
    kept = {path.name for path in (landing.root / "rejected").rglob("2026*") if not path.name.endswith(".reason.json")}
    assert kept == {path.name for path in pair}, "neither half is lost, and none waits"
