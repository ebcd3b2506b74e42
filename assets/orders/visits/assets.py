"""Gate scans and the visits that they begin and end, as Dagster assets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import polars as pl

from assets.orders.visits import binding, checks, finished_files, scans
from lakehouse.contracts import orders, store_reference, vision
from lakehouse.life import seals
from resources.landing import days
from resources.landing.deliveries import GATE_EVENTS
from resources.landing.file_access import append_line
from resources.steps.declare import table_assets
from resources.steps.facts import mean, share
from resources.steps.metadata import Fact
from resources.steps.partitions import FIRST_DATE, STORE_DAYS, store_day_of
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
    """The day's scans: those known and those in the file that is named after the day. Its lines for other days are put
    into their files."""
    day, now, landing, lake = (
        store_day_of(context),
        tables.clock.now(),
        tables.workplace.landing(),
        tables.workplace.lake(),
    )
    batch = landing.read(GATE_EVENTS, day.store_id, day.business_date)
    stores = tables.read_store(store_reference.STORES, day.store_id)
    found = finished_files.sort_scans(
        batch,
        day,
        set(stores["gate_ids"].explode()),
        lambda other: seals.is_sealed(lake, other),
        lambda other: days.has_begun(other, date.fromisoformat(FIRST_DATE), now),
    )
    is_sealed = seals.is_sealed(lake, day)
    if not is_sealed:
        known = tables.read(orders.GATE_EVENTS, day)
        rows = scans.with_known(known, scans.from_landing(found.mine))
        facts: dict[str, Fact] = {
            "scans_new": rows.height - known.height,
            "lines_refused": len(batch.rejections) + len(found.refused),
            "lines_of_other_days": sum(map(len, found.elsewhere.values())),
            "entries": rows.filter(pl.col("direction") == "entry").height,
            "exits": rows.filter(pl.col("direction") == "exit").height,
        }
        results = checks.check_gate_events(rows, stores)
        yield from tables.write(context, [TableWrite(orders.GATE_EVENTS, rows, results, facts)], store_day=day)
    try:
        for other, lines in found.elsewhere.items():
            append_line(landing.root / "gate_events" / day.store_id / f"{other.isoformat()}.jsonl", b"\n".join(lines))
        landing.consume(batch, now=now, refused=found.refused)
    except OSError:
        # As when a link lies where the other day's file would be: this file stays and is read again.
        context.log.warning("scans of another day could not be put into its file; the file they are in stays")
    if is_sealed:
        raise dg.Failure(f"the store-day is sealed: {len(found.refused)} scans refused", allow_retries=False)


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
