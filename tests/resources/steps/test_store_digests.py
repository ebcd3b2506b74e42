"""A table of all stores says by hashes which store's rows have changed."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.steps.metadata import as_metadata
from resources.steps.store_digests import digests_of, is_same_for

rows = st.lists(st.tuples(st.sampled_from(["S-1", "s2", "s3"]), st.integers(0, 3)), max_size=8)


def table(found: list[tuple[str, int]]) -> pl.DataFrame:
    return pl.DataFrame(found, {"store_id": pl.String, "x_m": pl.Int64}, orient="row")


def metadata(frame: pl.DataFrame) -> dict[str, object]:
    return {name: entry.value for name, entry in as_metadata(digests_of(frame)).items()}


@settings(max_examples=80, deadline=None)
@given(rows, rows)
def test_a_store_is_the_same_where_its_rows_are(first: list[tuple[str, int]], second: list[tuple[str, int]]) -> None:
    before, after = metadata(table(first)), metadata(table(second))
    for store in ("S-1", "s2", "s3"):
        is_same = sorted(row for row in first if row[0] == store) == sorted(row for row in second if row[0] == store)
        assert is_same_for(store, before, after) == is_same


def test_what_is_of_no_store_is_of_every_store() -> None:
    before, after = (metadata(pl.DataFrame({"product_id": [name]})) for name in ("p1", "p2"))
    assert is_same_for("s1", before, before)
    assert not is_same_for("s1", before, after)


def test_a_materialization_that_does_not_tell_counts_as_another() -> None:
    assert not is_same_for("s1", {}, {})
    assert not is_same_for("s1", {}, metadata(table([("s1", 1)])))
