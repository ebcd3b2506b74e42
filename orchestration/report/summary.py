"""What a store-day came to, in numbers that a person reads at the end of a run. Counts and sums only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
import polars as pl
from rich.console import Console
from rich.table import Table

from lakehouse.contract import RetentionClass
from lakehouse.contracts import CONTRACTS, contract
from lakehouse.contracts.vision import USABLE_STATUSES
from lakehouse.files.open import object_store
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan
from orchestration.report import check_outcomes
from orchestration.report.check_outcomes import CheckOutcome, outcomes_of
from resources.settings import Settings

_GB = 1e9


@dataclass(frozen=True)
class DaySummary:
    """One store-day. Value in fen, footage in camera-seconds."""

    store_day: StoreDay
    shoppers: int
    events: dict[str, int]
    orders: int
    value_fen: int
    waiting: int
    camera_seconds: float


@dataclass(frozen=True)
class RunSummary:
    """The days, the checks of the runs behind them, and the bytes by retention class."""

    days: tuple[DaySummary, ...]
    checks: tuple[CheckOutcome, ...]
    footage_speed: float | None
    gb_by_class: dict[RetentionClass, float]


def summarize(
    settings: Settings,
    instance: dg.DagsterInstance,
    checks: Sequence[dg.AssetCheckKey],
    store_days: Sequence[StoreDay],
    open_days: Iterable[str] = (),
) -> RunSummary:
    """The state of the home as it stands. Every check that is given counts once: by its latest evaluation, the worst of
    those of the store-days that are open, by their partition keys."""
    lake = settings.lake()
    return RunSummary(
        days=tuple(_day(lake, store_day) for store_day in store_days),
        checks=tuple(outcomes_of(instance, checks, open_days)),
        footage_speed=_footage_speed(instance),
        gb_by_class=_gb_by_class(settings, lake),
    )


def show(console: Console, summary: RunSummary, seconds: float, meanings: Mapping[dg.AssetCheckKey, str]) -> None:
    """Prints the summary as tables. `meanings`: what each check says of itself."""
    table = Table(title="Store-days", title_justify="left", header_style="bold")
    for name in (
        "store-day",
        "shoppers",
        "picks",
        "put-backs",
        "touches",
        "orders",
        "value (CNY)",
        "to review",
    ):
        table.add_column(name, justify="left" if name == "store-day" else "right")
    for day in summary.days:
        table.add_row(
            f"{day.store_day.store_id} {day.store_day.business_date.isoformat()}",
            str(day.shoppers),
            *(str(day.events.get(name, 0)) for name in ("pick", "put_back", "touch")),
            str(day.orders),
            f"{day.value_fen / 100:.2f}",
            str(day.waiting),
        )
    console.print(table)
    footage = sum(day.camera_seconds for day in summary.days)
    speed = "unknown" if summary.footage_speed is None else f"{summary.footage_speed:.1f}"
    check_outcomes.show(console, summary.checks, meanings)
    console.print(f"footage: {footage:.0f} camera-seconds, {speed} of them per core-second")
    sizes = ", ".join(f"{name} {size:.4f}" for name, size in sorted(summary.gb_by_class.items()))
    console.print(f"GB by retention class: {sizes}")
    console.print(f"seconds: {seconds:.0f}")


def _day(lake: Lake, store_day: StoreDay) -> DaySummary:
    def rows(domain: str, name: str) -> pl.LazyFrame:
        table = contract(domain, name)
        return scan(lake, table, store_day.partition(table))

    visits = rows("orders", "visits").filter(pl.col("state") != "staff").select(pl.len()).collect().item()
    types = rows("vision", "shelf_events").group_by("type").agg(pl.len()).collect()
    orders = rows("orders", "orders").select(pl.len(), pl.col("amount_fen").sum()).collect().row(0)
    waiting = rows("orders", "review_items").filter(pl.col("state") == "waiting").select(pl.len()).collect().item()
    footage_ms = (
        rows("vision", "footage_segments")
        .filter(pl.col("status").is_in(USABLE_STATUSES))
        .select(pl.col("duration_ms").sum())
    )
    return DaySummary(
        store_day=store_day,
        shoppers=visits,
        events=dict(types.iter_rows()),
        orders=orders[0],
        value_fen=orders[1],
        waiting=waiting,
        camera_seconds=footage_ms.collect().item() / 1000,
    )


def _footage_speed(instance: dg.DagsterInstance) -> float | None:
    """Camera-seconds per core-second of the latest footage step that decoded anything, as it reported them."""
    records = instance.fetch_materializations(dg.AssetKey(["vision", "detections"]), limit=20).records
    for record in records:
        found = record.asset_materialization
        value = found.metadata.get("camera_seconds_per_core_second") if found else None
        if value is not None and isinstance(value.value, int | float):
            return float(value.value)
    return None


def _gb_by_class(settings: Settings, lake: Lake) -> dict[RetentionClass, float]:
    sizes: dict[RetentionClass, float] = dict.fromkeys(RetentionClass, 0.0)
    for table in CONTRACTS.values():
        sizes[table.retention] += sum(stored.size for stored in lake.objects.list(table.path)) / _GB
    clips = object_store(str(settings.footage_root)).list() if settings.footage_root.exists() else ()
    sizes[RetentionClass.FOOTAGE] += sum(stored.size for stored in clips) / _GB
    return sizes
