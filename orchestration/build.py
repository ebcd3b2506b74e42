"""Merges the domains into one set of definitions and maps global policy onto it, once: owners, freshness, automation,
code links."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib import import_module

import dagster as dg

from orchestration.automation import evidence_changed, marts_behind
from orchestration.freshness import LATE
from orchestration.housekeeping import housekeeping
from orchestration.jobs import JOBS, ROOTS, STORE_DAY_ASSETS
from orchestration.reruns import rerun_sensor
from orchestration.runs.launcher import watched_executor
from orchestration.schedules import schedules_of
from orchestration.sensors import landing_sensor
from resources.clock import Clock
from resources.steps.write_path import Tables
from resources.workplace import Workplace

DOMAINS = ("vision", "orders", "analytics", "privacy")
Asset = dg.AssetsDefinition | dg.AssetSpec | dg.SourceAsset
OWNERS = {
    "vision": "team:vision",
    "orders": "team:orders",
    "analytics": "team:analytics",
    "privacy": "team:privacy",
}


def build_defs(overrides: Mapping[str, object] | None = None, environment: str = "local") -> dg.Definitions:
    """The code location. `overrides` replaces resources by key, as a test does with the clock."""
    # Pinned to one version of Dagster and tested on it, so its notices of what may change say nothing to a user.
    for notice in (dg.BetaWarning, dg.PreviewWarning):
        warnings.filterwarnings("ignore", category=notice)
    workplace, clock = Workplace(), Clock()
    if overrides:
        workplace, clock = overrides.get("workplace", workplace), overrides.get("clock", clock)  # type: ignore[assignment]
    resources: dict[str, object] = {
        "workplace": workplace,
        "clock": clock,
        "tables": Tables(workplace=workplace, clock=clock),
        # Assets write their own tables; nothing is ever pickled beside them.
        "io_manager": dg.mem_io_manager,
    }
    domains = [import_module(f"assets.{name}.definitions").definitions() for name in DOMAINS]
    assets = [_linked(asset) for domain in domains for asset in domain.assets or ()]
    return dg.Definitions(
        assets=[
            asset.map_asset_specs(with_policy) if isinstance(asset, dg.AssetsDefinition) else asset for asset in assets
        ],
        asset_checks=[check for domain in domains for check in domain.asset_checks or ()],
        jobs=[*JOBS, housekeeping],
        schedules=schedules_of(environment),
        sensors=[
            landing_sensor,
            rerun_sensor,
            dg.AutomationConditionSensorDefinition(
                "automation",
                target=dg.AssetSelection.all(),
                default_status=dg.DefaultSensorStatus.RUNNING,
                minimum_interval_seconds=30,
                description="Carries changes on: a table follows its upstream tables while its store-day is open.",
            ),
        ],
        executor=watched_executor,
        resources={**resources, **{k: v for k, v in (overrides or {}).items() if k not in resources}},
    )


def _linked(asset: Asset) -> Asset:
    """The asset with links to its code, where its domain has not set them."""
    if not isinstance(asset, dg.AssetsDefinition):
        return asset
    if all("dagster/code_references" in spec.metadata for spec in asset.specs):
        return asset
    linked = dg.with_source_code_references([asset])[0]
    assert isinstance(linked, dg.AssetsDefinition)
    return linked


def with_policy(spec: dg.AssetSpec) -> dg.AssetSpec:
    """One asset's spec with everything that is the same for all of its kind."""
    domain = spec.key.path[0]
    if domain == "analytics":
        spec = spec.replace_attributes(automation_condition=marts_behind())
    elif spec.partitions_def is not None and spec.key not in ROOTS:
        of_all_stores = [dep.asset_key for dep in spec.deps if dep.asset_key not in STORE_DAY_ASSETS]
        spec = spec.replace_attributes(automation_condition=evidence_changed(of_all_stores))
    if policy := LATE.get(spec.key):
        spec = spec.replace_attributes(freshness_policy=policy)
    return spec.replace_attributes(owners=[OWNERS[domain]])
