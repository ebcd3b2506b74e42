"""What the reference tables take of a delivery: the rows that name only what is known, from before or from the delivery
itself. A row that names something else would break a promise of its table, and with it hold up every store; so it is
left out here, by itself.

Its file may wait in landing for what it names: files come one by one, and in any order. Tables only grow by what
is delivered. What a new file leaves out stays, gates of a store included: scans were made there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import polars as pl

from assets.orders.reference.documents import SOURCE_FIELD, Reference
from lakehouse.contract import TableContract
from lakehouse.contracts.store_reference import TABLES
from resources.landing.folder import SOURCE_FILE, SOURCE_LINE, Rejection
from resources.landing.refusals import Reason

Frames = Mapping[str, pl.DataFrame]

_NAMES = (
    ("slot_views", "slots", ("store_id", "slot_id")),
    ("planograms", "slots", ("store_id", "slot_id")),
    ("planograms", "products", ("product_id",)),
    ("prices", "products", ("product_id",)),
)
"""Whose rows name whose, by which columns. The others name nothing outside of their own file."""

_PLACE = (SOURCE_FILE, SOURCE_LINE)


@dataclass(frozen=True)
class Intake:
    """`rows`: by contract name what each table gets; `tables`: the tables with them. `refused`: what counts for
    nothing, with the reason. `waiting`: what names something that is not known yet, of files that stay in landing."""

    rows: Frames
    tables: Frames
    refused: tuple[Rejection, ...]
    waiting: tuple[Rejection, ...]

    @property
    def waiting_files(self) -> frozenset[str]:
        """Names of the files that stay in landing."""
        return frozenset(rejection.file for rejection in self.waiting)

    @property
    def first_waiting(self) -> tuple[Rejection, ...]:
        """The first place of each file that waits."""
        return tuple(min(r for r in self.waiting if r.file == name) for name in sorted(self.waiting_files))


def take(landed: Reference, known: Frames, may_wait: Collection[str]) -> Intake:
    """What of landed reference files is taken, refused and left waiting.

    `known`: rows of the tables by contract name; one that is absent has none. `may_wait`: names of the files that
    landed a short time ago. A file that something else is wrong with does not wait: it has to be delivered again
    anyway. A YAML file is left out whole, rows of a CSV file by themselves.
    """
    before = {table.name: known.get(table.name, pl.DataFrame(schema=table.schema)) for table in TABLES}
    unknown = _unknown(landed.frames, before)
    places = pl.DataFrame(
        [(rejection.file, rejection.line) for rejection in unknown],
        {SOURCE_FILE: pl.String, SOURCE_LINE: pl.Int64},
        orient="row",
    )
    rows = {
        table.name: landed.frames[table.name]
        .join(places, _PLACE, how="anti", maintain_order="left")
        .select(table.schema.names())
        for table in TABLES
    }
    rows["stores"] = _with_former_gates(rows["stores"], before["stores"])
    patient = set(may_wait) - {rejection.file for rejection in landed.rejections}
    return Intake(
        rows,
        {table.name: _upserted(table, before[table.name], rows[table.name]) for table in TABLES},
        (*landed.rejections, *(rejection for rejection in unknown if rejection.file not in patient)),
        tuple(rejection for rejection in unknown if rejection.file in patient),
    )


def _unknown(landed: Frames, before: Frames) -> list[Rejection]:
    """One rejection for each row of a CSV file, and each YAML file, that names what is neither known nor delivered."""
    found: dict[tuple[str, int], Rejection] = {}
    for table, named, key in _NAMES:
        known = pl.concat([before[named].select(key), landed[named].select(key)])
        # Zones are of the camera alone.
        rows = landed[table].filter(~pl.col("is_zone")) if table == "slot_views" else landed[table]
        strangers = rows.join(known, key, how="anti", maintain_order="left")
        for file, line, where in strangers.select(*_PLACE, SOURCE_FIELD).iter_rows():
            field = f"{where}.{key[-1]}" if where else key[-1]
            found.setdefault((file, line), Rejection(file, line, field, Reason.UNKNOWN_REFERENCE))
    return sorted(found.values())


def _with_former_gates(arriving: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Rows of `stores` with the gates that each store had before, behind those it has now: scans made there keep their
    gate's place, and one that comes late is a scan of the store."""
    before = {row["store_id"]: row for row in known.iter_rows(named=True)}
    rows = []
    for row in arriving.iter_rows(named=True):
        had = before.get(row["store_id"], {"gate_ids": [], "gate_positions_m": []})
        former = {
            gate: position
            for gate, position in zip(had["gate_ids"], had["gate_positions_m"], strict=True)
            if gate not in row["gate_ids"]
        }
        rows.append(
            row
            | {
                "gate_ids": [*row["gate_ids"], *former],
                "gate_positions_m": [*row["gate_positions_m"], *former.values()],
            }
        )
    return pl.DataFrame(rows, arriving.schema)


def _upserted(table: TableContract, known: pl.DataFrame, arriving: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([known.join(arriving, on=list(table.key), how="anti", maintain_order="left"), arriving])
