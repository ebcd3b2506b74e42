"""What a store-day came to, in numbers that a person reads at the end of a run. Counts and sums only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import dagster as dg
import polars as pl
from rich.console import Console
from rich.table import Table

from lakehouse.contract import RetentionClass
from lakehouse.contracts import CONTRACTS, contract
from lakehouse.files.open import object_store
from lakehouse.lake import Lake
from lakehouse.store_day import StoreDay
from lakehouse.tables.reader import scan
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
    checks_passed: int
    checks_failed: int
    checks_warned: int
    checks_without_result: tuple[dg.AssetCheckKey, ...]
    """Asked for by a run that has not said what came of them, or of a table that was written without them."""
    checks_never_asked: int
    """Of tables that nothing was ever written to."""
    footage_speed: float | None
    gb_by_class: dict[RetentionClass, float]


def summarize(
    settings: Settings,
    instance: dg.DagsterInstance,
    checks: Iterable[dg.AssetCheckKey],
    store_days: Sequence[StoreDay],
) -> RunSummary:
    """The state of the home as it stands. Every check that is given counts once, by its latest evaluation."""
    lake = settings.lake()
    states = {key: check_state(instance, key) for key in checks}
    outcome = Counter(states.values())
    return RunSummary(
        days=tuple(_day(lake, store_day) for store_day in store_days),
        checks_passed=outcome["passed"],
        checks_failed=outcome["failed"],
        checks_warned=outcome["warned"],
        checks_without_result=tuple(sorted(key for key, state in states.items() if state == "without a result")),
        checks_never_asked=outcome["never asked"],
        footage_speed=_footage_speed(instance),
        gb_by_class=_gb_by_class(settings, lake),
    )


def show(console: Console, summary: RunSummary, seconds: float) -> None:
    """Prints the summary as tables."""
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
    console.print(f"checks: {counts_of(summary)}")
    if unknown := summary.checks_without_result:
        tables = Counter("/".join(key.asset_key.path) for key in unknown)
        places = ", ".join(f"{table} {count}" for table, count in sorted(tables.items()))
        console.print(f"[red]checks without a result[/red]: {places}", highlight=False)
        console.print("A run was cut off or is still under way. Wait for it, or see it in the UI; then run again.")
    console.print(f"footage: {footage:.0f} camera-seconds, {speed} of them per core-second")
    sizes = ", ".join(f"{name} {size:.4f}" for name, size in sorted(summary.gb_by_class.items()))
    console.print(f"GB by retention class: {sizes}")
    console.print(f"seconds: {seconds:.0f}")


def counts_of(summary: RunSummary) -> str:
    """All declared checks by what is known of them. What is not known is not passed."""
    counts = [
        (summary.checks_passed, "passed"),
        (summary.checks_warned, "warn"),
        (summary.checks_failed, "failed"),
        (len(summary.checks_without_result), "without a result"),
        (summary.checks_never_asked, "never asked (their tables are empty)"),
    ]
    known = [f"{count} {name}" for count, name in counts if count or name in ("passed", "warn", "failed")]
    return f"{', '.join(known)}, of {sum(count for count, _ in counts)}"


def _day(lake: Lake, store_day: StoreDay) -> DaySummary:
    def rows(domain: str, name: str) -> pl.LazyFrame:
        table = contract(domain, name)
        return scan(lake, table, store_day.partition(table))

    visits = rows("orders", "visits").filter(pl.col("state") != "staff").select(pl.len()).collect().item()
    types = rows("vision", "shelf_events").group_by("type").agg(pl.len()).collect()
    orders = rows("orders", "orders").select(pl.len(), pl.col("amount_fen").sum()).collect().row(0)
    waiting = rows("orders", "review_items").filter(pl.col("state") == "waiting").select(pl.len()).collect().item()
    footage_ms = rows("vision", "footage_segments").filter(pl.col("status") == "ok").select(pl.col("duration_ms").sum())
    return DaySummary(
        store_day=store_day,
        shoppers=visits,
        events=dict(types.iter_rows()),
        orders=orders[0],
        value_fen=orders[1],
        waiting=waiting,
        camera_seconds=footage_ms.collect().item() / 1000,
    )


def check_state(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> str:
    """ "passed", "warned", "failed", "without a result", or "never asked" while its table was never written."""
    record = instance.get_latest_asset_check_evaluation_record(key)
    event = record.event.dagster_event if record and record.event else None
    if event is not None and event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
        evaluation = event.asset_check_evaluation_data
        is_soft = evaluation.severity is dg.AssetCheckSeverity.WARN
        return "passed" if evaluation.passed else "warned" if is_soft else "failed"
    if record is None and instance.get_latest_materialization_event(key.asset_key) is None:
        return "never asked"
    return "without a result"


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
