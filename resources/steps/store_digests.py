"""Which stores' rows of a table that holds all stores have changed, as a materialization can say it: by hashes. What is
made for one store asks so whether it has to be made again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import polars as pl

from resources.steps.metadata import Digest, Fact

_ALL = "rows_of_all"
_STORES = "stores"


def digests_of(frame: pl.DataFrame) -> dict[str, Fact]:
    """Facts of a materialization: a hash of all rows, and where rows are of stores one for each store. The order of the
    rows does not count."""
    lines = pl.Series("line", frame.select(sorted(frame.columns)).write_ndjson().splitlines(), dtype=pl.String)
    facts: dict[str, Fact] = {_ALL: _digest(lines)}
    if "store_id" in frame.columns:
        by_store = pl.DataFrame([frame["store_id"], lines]).partition_by("store_id", as_dict=True)
        facts[_STORES] = len(by_store)
        facts |= {_name_of(str(store_id)): _digest(rows["line"]) for (store_id,), rows in by_store.items()}
    return facts


def digest_for(store_id: str, told: Mapping[str, object]) -> str | None:
    """Hash of what a table holds for one store, by the values of a materialization's metadata: of its rows, or of all
    rows where they are of no store. None where the materialization does not tell."""
    if _ALL not in told:
        return None
    return str(told.get(_name_of(store_id), "")) if _STORES in told else str(told[_ALL])


def is_same_for(store_id: str, before: Mapping[str, object], after: Mapping[str, object]) -> bool:
    """Whether two materializations had the same rows for a store, by their metadata's values. Not where one does not
    tell."""
    digest = digest_for(store_id, before)
    return digest is not None and digest == digest_for(store_id, after)


def _name_of(store_id: str) -> str:
    # An id may have letters that the name of an entry may not.
    return f"rows_of_{hashlib.sha256(store_id.encode()).hexdigest()[:16]}"


def _digest(lines: pl.Series) -> Digest:
    return Digest(hashlib.sha256("\n".join(lines.sort()).encode()).hexdigest()[:32])
