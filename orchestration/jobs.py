"""One job per thing that a person would launch."""

from __future__ import annotations

import dagster as dg

from lakehouse.contract import ReplacePartition
from lakehouse.contracts import orders, vision
from resources.landing.deliveries import started_by
from resources.steps.partitions import STORE_DAYS
from resources.steps.specs import asset_key


def _consumers(job: str) -> tuple[dg.AssetKey, ...]:
    """The assets that read what starts a job."""
    return tuple(dg.AssetKey(delivery.consumer) for delivery in started_by(job))


ROOTS = _consumers("store_day")
"""The first table of each store-day, which reads the landing folder: the sensor starts it, no upstream table does. Only
new files can make it stale."""

STORE_DAY_ASSETS = tuple(
    asset_key(contract)
    for contract in (*vision.TABLES, *orders.TABLES)
    if isinstance(contract.write_mode, ReplacePartition)
)
"""What is made anew for a store-day; the other tables of the two domains grow by their keys."""

STORE_DAY = dg.define_asset_job(
    "store_day",
    selection=dg.AssetSelection.assets(*STORE_DAY_ASSETS),
    partitions_def=STORE_DAYS,
    description="One store's business date, from the clips in the landing folder to orders.",
)
REFERENCE = dg.define_asset_job(
    "reference",
    # With the other tables that the same steps write.
    selection=dg.AssetSelection.assets(*_consumers("reference")).required_multi_asset_neighbors(),
    description="What belongs to no store-day: floor plans, cameras, planograms, prices, accounts, delivered history.",
)
REVIEW = dg.define_asset_job(
    "review",
    selection=dg.AssetSelection.assets(*_consumers("review")),
    description="Takes reviewers' decisions, and closes what nobody decided in time.",
)
SWEEP = dg.define_asset_job(
    "sweep",
    selection=dg.AssetSelection.assets(["privacy", "sweeps"]),
    description="Removes what has reached the end of its life, with a ledger row each.",
)
DELIVERIES = dg.define_asset_job(
    "deliveries",
    selection=dg.AssetSelection.assets(["privacy", "refused_deliveries"], ["privacy", "store_freshness"]),
    description="Counts what was refused of deliveries, what is stuck, and which stores and cameras are silent.",
)
MARTS = dg.define_asset_job(
    "warehouse",
    selection=dg.AssetSelection.groups("analytics"),
    description="Rebuilds the analysts' DuckDB file beside the old one and swaps it in.",
)

JOBS = (STORE_DAY, REFERENCE, REVIEW, SWEEP, DELIVERIES, MARTS)
