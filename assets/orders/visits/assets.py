"""Gate scans and the visits that they begin and end, as Dagster assets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import polars as pl

from assets.orders.visits import binding, checks, finished_files, scans
from lakehouse.contracts import orders, store_reference, vision
from lakehouse.life import seals
from lakehouse.store_day import StoreDay
from resources.landing.deliveries import GATE_EVENTS
from resources.landing.folder import Batch, Rejection
from resources.steps.declare import table_assets
from resources.steps.facts import mean, share
from resources.steps.metadata import Fact
from resources.steps.partitions import STORE_DAYS, store_day_of
from resources.steps.specs import declared, of_table
from resources.steps.write_path import Report, Tables, TableWrite

_A_DAY = timedelta(days=1)


@table_assets(
    "gate_events",
    [(orders.GATE_EVENTS, [store_reference.STORES])],
    checks=declared(checks.DECLARED, "orders/gate_events"),
    partitions_def=STORE_DAYS,
)
def gate_events(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """The day's scans: those known and those that landed. A file is consumed once every line of it is in
    the table."""
    day, now, landing = store_day_of(context), tables.clock.now(), tables.workplace.landing()
    batch = landing.read(GATE_EVENTS, day.store_id)
    if seals.is_sealed(tables.workplace.lake(), day):
        done, too_late = _finished_files(batch, tables, day.store_id)
        landing.consume(done, now=now, refused=too_late)
        raise dg.Failure(f"the store-day is sealed: {len(too_late)} scans refused", allow_retries=False)
    arriving = scans.from_landing(batch.frame)
    mine = arriving.filter(pl.col("business_date") == day.business_date.isoformat())
    known = tables.read(orders.GATE_EVENTS, day)
    rows = scans.with_known(known, mine)
    results = checks.check_gate_events(rows, tables.read_store(store_reference.STORES, day.store_id))
    facts: dict[str, Fact] = {
        "scans_new": rows.height - known.height,
        "lines_refused": len(batch.rejections),
        "entries": rows.filter(pl.col("direction") == "entry").height,
        "exits": rows.filter(pl.col("direction") == "exit").height,
    }
    yield from tables.write(context, [TableWrite(orders.GATE_EVENTS, rows, results, facts)], store_day=day)
    done, too_late = _finished_files(batch, tables, day.store_id)
    landing.consume(done, now=now, refused=too_late)


@table_assets(
    "visits",
    [
        (table, [orders.GATE_EVENTS, store_reference.STORES, vision.TRACKS, vision.TRACK_POINTS])
        for table in (orders.VISITS, orders.VISIT_TRACKS)
    ],
    checks=declared(checks.DECLARED, "orders/visits", "orders/visit_tracks"),
    partitions_def=STORE_DAYS,
    kinds=["scipy"],
)
def visits_and_tracks(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """Which scan belongs to which trajectory, who came without one, who is staff."""
    day = store_day_of(context)
    # A stay over midnight has its exit scan on the next day.
    nearby = tables.read_store(orders.GATE_EVENTS, day.store_id).filter(
        pl.col("scanned_at").is_between(day.start_at - _A_DAY, day.end_at + _A_DAY)
    )
    stores = tables.read_store(store_reference.STORES, day.store_id)
    tracks, points = tables.read(vision.TRACKS, day), tables.read(vision.TRACK_POINTS, day)
    found = binding.bind(day, nearby, tracks, points, binding.Floor.of_store(stores, day.store_id))
    results = checks.check_visits(found.visits, found.visit_tracks)
    facts: dict[str, Fact] = {
        f"{state}_visits": found.visits.filter(pl.col("state") == state).height for state in orders.VISIT_STATES
    }
    facts |= {
        "without_track_share": share(found.visits, ~pl.col("has_track")),
        "unmatched_tracks": tracks.height - found.visit_tracks.height,
        "mean_binding_confidence": mean(found.visit_tracks, "binding_prob"),
    }
    yield from tables.write(
        context,
        [
            TableWrite(
                orders.VISITS, found.visits, of_table(checks.DECLARED, "orders/visits", results), facts, may_empty=True
            ),
            TableWrite(
                orders.VISIT_TRACKS,
                found.visit_tracks,
                of_table(checks.DECLARED, "orders/visit_tracks", results),
                may_empty=True,
            ),
        ],
        store_day=day,
    )


def _finished_files(batch: Batch, tables: Tables, store_id: str) -> tuple[Batch, list[Rejection]]:
    lake = tables.workplace.lake()
    days = scans.business_dates(scans.from_landing(batch.frame))
    sealed = [day for store, day in days if seals.is_sealed(lake, StoreDay(store, date.fromisoformat(day)))]
    return finished_files.finished(batch, tables.read_store(orders.GATE_EVENTS, store_id), sealed)
