"""`make review`: the queue, the picture and the decision, on a real lake."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from assets.orders.review.__main__ import main
from assets.orders.review.decisions import decide_until
from assets.orders.review.queue import read_queue
from lakehouse.contracts import orders as tables
from lakehouse.contracts import store_reference
from lakehouse.contracts.vision import SHELF_EVENTS, TRACK_POINTS
from lakehouse.lake import Lake
from lakehouse.tables.commit import CommitInfo
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import replace_partition, upsert
from resources.landing.deliveries import REVIEWS
from resources.landing.folder import Landing
from tests.assets.orders.simulated import SimulatedDay, simulate


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> SimulatedDay:
    return simulate(tmp_path_factory.mktemp("day"), seed=7)


DOUBTFUL = "d0" * 12


def with_a_doubtful_order(items: pl.DataFrame) -> pl.DataFrame:
    """The day's items and one more that somebody could be billed for."""
    more = items.head(1).with_columns(review_id=pl.lit(DOUBTFUL), reason=pl.lit("low_confidence"))
    return pl.concat([items, more.select(items.columns)])


@pytest.fixture
def home(day: SimulatedDay, tmp_path: Path) -> Path:
    lake, info = Lake(str(tmp_path / "lake")), CommitInfo("run", "code", "model", "planogram")
    now = day.store_day.start_at + timedelta(hours=12)
    for contract in (store_reference.STORES, store_reference.SLOTS, store_reference.PRODUCTS, store_reference.PRICES):
        rows = day.reference.frames[contract.name].select(contract.schema.names())
        upsert(lake, contract, rows, commit=info, now=now)
    for contract, frame in (
        (tables.VISITS, day.binding.visits),
        (tables.VISIT_TRACKS, day.binding.visit_tracks),
        (tables.REVIEW_ITEMS, with_a_doubtful_order(day.settlement.review_items)),
        (SHELF_EVENTS, day.shelf_events),
        (TRACK_POINTS, day.track_points),
    ):
        replace_partition(lake, contract, frame, day.store_day.partition(contract), commit=info, now=now)
    return tmp_path


def run(home: Path, day: SimulatedDay, *arguments: str, hours: float = 12.0) -> int:
    return main(["--home", str(home), *arguments], day.store_day.start_at + timedelta(hours=hours))


def first_id(home: Path) -> str:
    items = scan(Lake(str(home / "lake")), tables.REVIEW_ITEMS).filter(pl.col("reason") == "no_account").collect()
    return str(items["review_id"][0])


def test_the_queue_is_listed_with_reasons(
    home: Path, day: SimulatedDay, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(home, day) == 0
    printed = capsys.readouterr().out
    assert f"{day.settlement.review_items.height + 1} review items wait" in printed
    assert "came in without a scan" in printed
    assert not any(account in printed for account in day.true_account.values() if account)


def test_a_decision_is_written_once_and_leaves_the_queue(
    home: Path, day: SimulatedDay, capsys: pytest.CaptureFixture[str]
) -> None:
    review_id = first_id(home)
    assert run(home, day, "decide", review_id[:8], "reject", "--reviewer", "r1") == 0
    batch = Landing(home / "landing").read(REVIEWS)
    assert batch.rejections == ()
    assert batch.frame.select("review_id", "decision").row(0) == (review_id, "reject")
    assert run(home, day, "decide", review_id, "accept", "--reviewer", "r2") == 2
    assert "already_decided" in capsys.readouterr().err
    queue = read_queue(Lake(str(home / "lake")), Landing(home / "landing"))
    assert review_id not in queue.waiting["review_id"].to_list()


def test_an_amendment_carries_its_lines(home: Path, day: SimulatedDay) -> None:
    product = day.reference.frames["products"]["product_id"][0]
    assert run(home, day, "decide", DOUBTFUL, "amend", "--line", f"{product}=2", "--reviewer", "r1") == 0
    line = json.loads(next((home / "landing/reviews").glob("*.jsonl")).read_text())
    assert line["lines"] == [{"product_id": product, "quantity": 2}]


@pytest.mark.parametrize(
    ("arguments", "hours", "word"),
    [
        (("decide", DOUBTFUL, "amend", "--reviewer", "r1"), 12, "lines: not_allowed; amend needs --line"),
        (("decide", DOUBTFUL, "amend", "--line", "nothing=1", "--reviewer", "r1"), 12, "lines.product_id: unknown"),
        (("decide", DOUBTFUL, "accept", "--reviewer", "r1"), 90, "evidence_expired"),
        (("decide", DOUBTFUL, "accept", "--reviewer", "no one"), 12, "reviewer_id: not_an_id; --reviewer takes"),
        (("decide", DOUBTFUL, "accept", "--reviewer", "r1", "--reason", "x" * 501), 12, "reason: out_of_range"),
        (("decide", "{id}", "accept", "--reviewer", "r1"), 12, "only reject settles it"),
        (("decide", "{id}", "amend", "--line", "p1=1", "--reviewer", "r1"), 12, "only reject settles it"),
        (("decide", "zzz", "accept", "--reviewer", "r1"), 12, "no review item"),
        (("picture", "zzz"), 12, "no review item"),
        (("picture", "{id}"), 71, "no longer be reviewed"),
        (("picture",), 71, "no longer be reviewed"),
    ],
)
def test_what_would_be_refused_is_said_at_once_and_nothing_is_written(
    home: Path,
    day: SimulatedDay,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    hours: float,
    word: str,
) -> None:
    filled = [argument.replace("{id}", first_id(home)) for argument in arguments]
    assert run(home, day, *filled, hours=hours) == 2
    said = capsys.readouterr().err
    assert word in said
    assert ("--line" in said) == ("lines: not_allowed" in word)
    assert not (home / "landing").exists()
    assert not (home / "tmp").exists()
    assert decide_until(day.store_day) < day.store_day.start_at + timedelta(hours=90)


def test_pictures_of_an_item_and_of_the_day(home: Path, day: SimulatedDay) -> None:
    assert run(home, day, "picture", "--out", str(home / "day.png")) == 0
    assert run(home, day, "picture", first_id(home)) == 0
    whole, part = (home / "day.png").stat().st_size, next((home / "tmp").glob("review-*.png")).stat().st_size
    assert 1_000 < part < whole <= 64_000


def test_an_empty_home_has_nothing_to_review(
    tmp_path: Path, day: SimulatedDay, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, day) == 0
    assert "Nothing waits" in capsys.readouterr().out
    assert run(tmp_path, day, "picture") == 2
