"""The picture of a store-day, or of what a review item is about."""

from __future__ import annotations

from datetime import datetime, timedelta

import polars as pl

from assets.orders.ids import review_id_of_event
from assets.orders.review.queue import CommandError
from lakehouse.contract import TableContract
from lakehouse.contracts import orders, store_reference, vision
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan
from resources.floor_pictures.plan import Plan
from resources.floor_pictures.trajectories import floor_trajectories_png

_AROUND = timedelta(seconds=10)
"""How much of the trajectories around an event of nobody is drawn."""

MEANING = {
    "no_account": "came in without a scan",
    "low_confidence": "the cameras are not sure",
    "unattributed_events": "nobody could be named",
    "no_track": "the cameras lost the shopper",
    "no_exit": "has not been seen leaving",
    "unknown_product": "a product or its price is unknown",
}


def picture(lake: Lake, store_day: StoreDay, item: dict[str, object] | None) -> bytes:
    """Floor plan of a store-day, or of what a review item is about, as a PNG. Raises CommandError when the
    evidence is gone."""
    events = _of_day(lake, vision.SHELF_EVENTS, store_day)
    points = _of_day(lake, vision.TRACK_POINTS, store_day)
    title = f"{store_day.store_id}  {store_day.business_date}"
    if item is not None:
        title = f"review item {str(item['review_id'])[:8]}: {MEANING[str(item['reason'])]}"
        if item["visit_id"] is None:
            shown = [event_id for event_id in events["event_id"] if review_id_of_event(event_id) == item["review_id"]]
            events = events.filter(pl.col("event_id").is_in(shown))
            moment = item["raised_at"]
            assert isinstance(moment, datetime)
            points = points.filter(pl.col("captured_at").is_between(moment - _AROUND, moment + _AROUND))
        else:
            links = _of_day(lake, orders.VISIT_TRACKS, store_day).filter(pl.col("visit_id") == item["visit_id"])
            events = events.join(links, "track_id", how="semi")
            points = points.join(links, "track_id", how="semi")
    if points.is_empty() and events.is_empty():
        raise CommandError("there is no trajectory or event to draw; they live for 72 hours")
    stores = scan(lake, store_reference.STORES).collect()
    slots = scan(lake, store_reference.SLOTS).filter(pl.col("store_id") == store_day.store_id).collect()
    return floor_trajectories_png(Plan.of_store(stores, store_day.store_id), slots, points, events, title=title)


def _of_day(lake: Lake, contract: TableContract, store_day: StoreDay) -> pl.DataFrame:
    return scan(lake, contract, store_day.partition(contract)).collect()
