"""Runs store-days again of which something has changed in a table of all stores: a floor plan, a camera, a price, a
reviewer's decision. To an automation condition such a table is one thing; only its store's rows count here."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import dagster as dg
from dagster._core.storage.tags import PARTITION_NAME_TAG

from lakehouse.lake import Lake
from orchestration.jobs import REFERENCE, REVIEW, STORE_DAY, STORE_DAY_ASSETS
from orchestration.materializations import Materialization, newest
from orchestration.runs.dead_runs import UNFINISHED
from orchestration.unfinished import has_news, is_of_all_stores, open_days, stale
from resources.steps.partitions import store_day_of_key
from resources.steps.store_digests import digest_for
from resources.workplace import Workplace

MOST_DAYS = 200
"""Store-days that one look asks about, 0.1 s each: Dagster gives a sensor a minute. The others come with the next."""


@dataclass(frozen=True)
class Look:
    """What a look at the open store-days found. `requests`: the runs to ask for. `seen`: by partition key the state of
    the tables of all stores for which a store-day is settled; a day that is busy is looked at again."""

    requests: tuple[dg.RunRequest, ...]
    seen: Mapping[str, str]


@dg.sensor(
    name="reruns",
    job=STORE_DAY,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Runs the open store-days of a store again when its reference data or a decision about its items has changed: "
        "what is older than the change, and nothing of another store. A run that fails is asked for again only when "
        "something else changes."
    ),
)
def rerun_sensor(context: dg.SensorEvaluationContext, workplace: Workplace) -> dg.SensorResult:
    """Asks for runs by the rule of `orchestration run`."""
    assert context.repository_def is not None
    seen = json.loads(context.cursor) if context.cursor else {}
    graph = context.repository_def.asset_graph
    found = look(context.instance, graph, STORE_DAY_ASSETS, workplace.lake(), seen)
    nothing = None if found.requests else "nothing has changed for a store that has open store-days"
    return dg.SensorResult(list(found.requests), nothing, cursor=json.dumps(found.seen))


def look(
    instance: dg.DagsterInstance,
    graph: dg.BaseAssetGraph,
    assets: Collection[dg.AssetKey],
    lake: Lake,
    seen: Mapping[str, str],
) -> Look:
    """Looks at the open store-days. `assets`: those of a store-day; `seen`: of the look before."""
    runs = instance.get_runs(dg.RunsFilter(statuses=[*UNFINISHED, dg.DagsterRunStatus.QUEUED]))
    busy = {run.tags.get(PARTITION_NAME_TAG) for run in runs}
    # Its tables come one after the other: a day that ran in between would run again.
    if any(run.job_name in (REFERENCE.name, REVIEW.name) and run.status in UNFINISHED for run in runs):
        return Look((), seen)
    parents = {parent for asset in assets for parent in graph.get(asset).parent_keys}
    shared = {key: newest(instance, key) for key in sorted(parents) if is_of_all_stores(graph, key)}
    states = {day: _state_for(store_day_of_key(day).store_id, shared) for day in open_days(instance, lake)}
    idle = [day for day in states if day not in busy]
    settled = {day: states[day] for day in idle if seen.get(day) == states[day]}
    requests = []
    for day in [day for day in idle if day not in settled][:MOST_DAYS]:
        settled[day] = states[day]
        undone = stale(instance, graph, assets, day)
        if undone and has_news(instance, graph, undone, day):
            requests.append(
                dg.RunRequest(
                    # A state can come back, a number does not.
                    run_key=f"{day}-{max(table.number for table in shared.values())}",
                    partition_key=day,
                    # Named one by one, so that the automation conditions know that this run makes what follows, too.
                    asset_selection=undone,
                )
            )
    return Look(tuple(requests), settled)


def _state_for(store_id: str, shared: Mapping[dg.AssetKey, Materialization]) -> str:
    """Hash of what the tables of all stores hold for one store; where one does not tell, of its number."""
    told = (digest_for(store_id, table.told) or str(table.number) for table in shared.values())
    return hashlib.sha256("|".join(told).encode()).hexdigest()[:16]
