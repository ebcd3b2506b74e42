"""The conditions under which assets run by themselves. Each has its reason, and a test."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

import dagster as dg

EVIDENCE_DAYS = 4
"""Store-days that can still change: 72 h of movement reach back into the fourth business date."""


def evidence_changed(of_all_stores: Collection[dg.AssetKey] = ()) -> dg.AutomationCondition:  # type: ignore[type-arg]
    """A store-day's table follows its upstream tables of the same store-day while the day is open.

    `of_all_stores`: those upstream tables that hold all stores. To a condition such a table is one thing, and what one
    store delivers would run the days of every store again; `orchestration/reruns.py` knows whose rows have changed.
    They are waited for all the same, if they are missing or about to change.

    Plain `eager()` sees only the latest window, so a late clip of yesterday would go no further. Nor does
    it look at blocking checks; here it need not: a step whose blocking check fails writes nothing and
    materializes nothing, so there is no update to follow. (`all_deps_blocking_checks_passed()` would stop
    everything: in 1.13.27 it is never true for a partitioned check, which a test of ours would show if it
    changed.)
    """
    updated = dg.AutomationCondition.any_deps_updated()
    return (
        dg.AutomationCondition.eager()
        .replace(
            dg.AutomationCondition.in_latest_time_window(),
            dg.AutomationCondition.in_latest_time_window(lookback_delta=timedelta(days=EVIDENCE_DAYS)),
        )
        .replace(updated, updated.ignore(dg.AssetSelection.assets(*of_all_stores)))
        .with_label("evidence_changed")
    )


def marts_behind() -> dg.AutomationCondition:  # type: ignore[type-arg]
    """The marts follow the gold tables at most once an hour: a rebuild reads every day of them."""
    due: dg.AutomationCondition = dg.AutomationCondition.cron_tick_passed("5 * * * *", "Asia/Shanghai")  # type: ignore[type-arg]
    behind = dg.AutomationCondition.any_deps_updated().since(dg.AutomationCondition.newly_updated())
    news: dg.AutomationCondition = due & behind  # type: ignore[type-arg]
    return (
        news.since_last_handled()
        & ~dg.AutomationCondition.any_deps_missing()
        & ~dg.AutomationCondition.any_deps_in_progress()
        & ~dg.AutomationCondition.in_progress()
    ).with_label("marts_behind")
