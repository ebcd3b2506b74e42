"""From reference files, gate scans and shelf events to orders, as Dagster assets. Here: what is read, which
pure function is called, what is written and reported. Not here: any rule of billing, which is in the
modules beside this one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import dagster as dg
import polars as pl

from assets.orders import baskets as basket_rules
from assets.orders import checks, history, landed_scans, quality, reference, review, visits
from assets.orders import gate_events as scans
from assets.orders import orders as billing
from assets.orders.billing_settings import BillingPolicy
from lakehouse import seals
from lakehouse.contracts import orders, store_reference, vision
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from resources import landing_days
from resources.facts import mean, share
from resources.lake import Report, Tables, TableWrite
from resources.landing import append_line
from resources.landing_formats import GATE_EVENTS, ORDERS_HISTORY, REVIEWS
from resources.metadata import Fact
from resources.partitions import FIRST_DATE, STORE_DAYS, store_day_of
from resources.table_assets import table_assets

_A_DAY = timedelta(days=1)


@table_assets(
    "reference_tables",
    [(t, []) for t in store_reference.TABLES],
    checks=checks.declared(*(t.path for t in store_reference.TABLES)),
)
def reference_tables(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """Floor plans, cameras, slots, planograms, products and prices, as the stores deliver them."""
    landing, now = tables.workplace.landing(), tables.clock.now()
    batch = landing.read_reference()
    found = reference.read_documents(batch.documents)
    # Checked as the tables will be: a delivery may rest on what came before.
    after = {
        table.name: _upserted(tables.read(table), found.frames[table.name], table.key)
        for table in store_reference.TABLES
    }
    results = quality.check_reference(
        **{name: after[name] for name in ("slots", "slot_views", "cameras", "planograms", "products", "prices")}
    )
    refused = len(batch.rejections) + len(found.rejections)
    # Before anything is written: a delivery that belongs nowhere does not wait for sound reference data.
    strays = landing_days.refuse_strays(
        landing,
        tables.workplace.settings().footage_root,
        date.fromisoformat(FIRST_DATE),
        now,
        set(after["stores"]["store_id"]),
    )
    yield from tables.write(
        context,
        [
            TableWrite(
                table,
                found.frames[table.name],
                checks.of_table(table.path, results),
                {
                    "rows_in_table": after[table.name].height,
                    "refused": refused,
                    "strays_refused": strays.rejected_files,
                },
            )
            for table in store_reference.TABLES
        ],
    )
    landing.consume(batch, now=now, refused=found.rejections)


@table_assets(
    "gate_events",
    [(orders.GATE_EVENTS, [store_reference.STORES])],
    checks=checks.declared("orders/gate_events"),
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
    found = landed_scans.sort_scans(
        batch,
        day,
        set(stores["gate_ids"].explode()),
        lambda other: seals.is_sealed(lake, other),
        lambda other: landing_days.has_begun(other, date.fromisoformat(FIRST_DATE), now),
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
        results = quality.check_gate_events(rows, stores)
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
    checks=checks.declared("orders/visits", "orders/visit_tracks"),
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
    found = visits.bind(day, nearby, tracks, points, visits.Floor.of_store(stores, day.store_id))
    results = quality.check_visits(found.visits, found.visit_tracks)
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
            TableWrite(orders.VISITS, found.visits, checks.of_table("orders/visits", results), facts, may_empty=True),
            TableWrite(
                orders.VISIT_TRACKS,
                found.visit_tracks,
                checks.of_table("orders/visit_tracks", results),
                may_empty=True,
            ),
        ],
        store_day=day,
    )


@table_assets(
    "baskets",
    [(orders.BASKETS, [vision.SHELF_EVENTS, orders.VISITS, orders.VISIT_TRACKS, store_reference.PRODUCTS])],
    checks=checks.declared("orders/baskets"),
    partitions_def=STORE_DAYS,
)
def baskets(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """What each visit carried out."""
    day = store_day_of(context)
    events, stays = tables.read(vision.SHELF_EVENTS, day), tables.read(orders.VISITS, day)
    found = basket_rules.net(events, stays, tables.read(orders.VISIT_TRACKS, day))
    results = quality.check_baskets(found.baskets, stays, events, tables.read(store_reference.PRODUCTS))
    facts: dict[str, Fact] = {
        "pieces": int(found.baskets["quantity"].sum()),
        "mean_confidence": mean(found.closings, "confidence_prob"),
        "unattributed_events": found.unattributed.height,
    }
    yield from tables.write(
        context, [TableWrite(orders.BASKETS, found.baskets, results, facts, may_empty=True)], store_day=day
    )


@table_assets(
    "orders",
    [
        (
            table,
            [
                vision.SHELF_EVENTS,
                orders.VISITS,
                orders.VISIT_TRACKS,
                orders.BASKETS,
                store_reference.PRICES,
                store_reference.PRODUCTS,
                orders.REVIEW_DECISIONS,
            ],
        )
        for table in (orders.ORDERS, orders.ORDER_LINES, orders.REVIEW_ITEMS)
    ],
    checks=checks.declared("orders/orders", "orders/order_lines", "orders/review_items"),
    partitions_def=STORE_DAYS,
)
def orders_and_review(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """Who pays what, and what a person must judge before anybody pays."""
    day, settings = store_day_of(context), tables.workplace.settings()
    events, stays = tables.read(vision.SHELF_EVENTS, day), tables.read(orders.VISITS, day)
    links = tables.read(orders.VISIT_TRACKS, day)
    netting = basket_rules.net(events, stays, links)
    policy = BillingPolicy(settings.file.review.threshold_prob)
    decisions = tables.read(orders.REVIEW_DECISIONS, day)
    prices = tables.read_store(store_reference.PRICES, day.store_id)
    found = billing.settle(day, stays, netting, prices, decisions, policy)
    results = quality.check_orders(found.orders, found.order_lines, stays, tables.read(store_reference.PRODUCTS))
    results += quality.check_reconciled(
        events, links, netting.baskets, found.orders, found.order_lines, found.review_items
    )
    waiting = found.review_items.filter(pl.col("state") == "waiting")
    facts: dict[str, Fact] = {
        "value_fen": int(found.orders["amount_fen"].sum()),
        "mean_confidence": mean(found.orders, "confidence_prob"),
    }
    review_facts: dict[str, Fact] = {
        "waiting": waiting.height,
        "waiting_value_fen": int(waiting["amount_fen"].sum()),
        "review_rate": round(waiting["visit_id"].n_unique() / max(1, stays.height), 4),
    }
    yield from tables.write(
        context,
        [
            TableWrite(table, frame, checks.of_table(table.path, results), numbers, may_empty=True)
            for table, frame, numbers in (
                (orders.ORDERS, found.orders, facts),
                (orders.ORDER_LINES, found.order_lines, {"pieces": int(found.order_lines["quantity"].sum())}),
                (orders.REVIEW_ITEMS, found.review_items, review_facts),
            )
        ],
        store_day=day,
    )


@table_assets("review_decisions", [(orders.REVIEW_DECISIONS, [store_reference.PRICES])])
def review_decisions(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """What reviewers decided, and what closed because nobody did in time.

    Decisions are about items of earlier runs, so this reads orders/review_items without standing downstream
    of it.
    """
    landing, lake, now = tables.workplace.landing(), tables.workplace.lake(), tables.now()
    batch = landing.read(REVIEWS)
    items, known = tables.read(orders.REVIEW_ITEMS), tables.read(orders.REVIEW_DECISIONS)
    found = review.resolve(batch.frame, items, known, tables.read(store_reference.PRICES))
    undecided = review.expire(items, pl.concat([known, found.decisions]), now)
    rows = _of_open_days(lake, pl.concat([found.decisions, undecided]))
    facts: dict[str, Fact] = {
        "decided": found.decisions.height,
        "closed_undecided": undecided.height,
        "refused": len(batch.rejections) + len(found.refused),
    }
    yield from tables.write(context, [TableWrite(orders.REVIEW_DECISIONS, rows, facts=facts)])
    landing.consume(batch, now=now, refused=found.refused)


@table_assets("order_history", [(orders.HISTORICAL_ORDERS, []), (orders.HISTORICAL_ORDER_LINES, [])])
def order_history(context: dg.AssetExecutionContext, tables: Tables) -> Iterator[Report]:
    """Orders from before the platform."""
    landing, now = tables.workplace.landing(), tables.clock.now()
    batch = landing.read(ORDERS_HISTORY)
    found = history.from_landing(batch.frame)
    facts: dict[str, Fact] = {
        "lines_refused": len(batch.rejections),
        "value_fen": int(found.orders["amount_fen"].sum()),
    }
    yield from tables.write(
        context,
        [
            TableWrite(orders.HISTORICAL_ORDERS, found.orders, facts=facts),
            TableWrite(orders.HISTORICAL_ORDER_LINES, found.lines),
        ],
    )
    landing.consume(batch, now=now)


def _upserted(known: pl.DataFrame, arriving: pl.DataFrame, key: tuple[str, ...]) -> pl.DataFrame:
    return pl.concat([known.join(arriving, on=list(key), how="anti"), arriving])


def _of_open_days(lake: Lake, rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of days that are not sealed: what is frozen takes no more decisions."""
    places = rows.select("store_id", "business_date").unique()
    is_open = [
        not seals.is_sealed(lake, StoreDay(store_id, date.fromisoformat(day))) for store_id, day in places.iter_rows()
    ]
    return rows.join(places.filter(pl.Series(is_open, dtype=pl.Boolean)), on=["store_id", "business_date"], how="semi")


ASSETS = (
    reference_tables,
    gate_events,
    visits_and_tracks,
    baskets,
    orders_and_review,
    review_decisions,
    order_history,
)
