"""The marts: dbt builds them beside the analysts' file, its tests judge them, then the file is swapped in."""

# No postponed annotations here: Dagster reads the annotation of `context` when the decorator runs.

from collections.abc import Iterator, Mapping

import dagster as dg

from assets.analytics.marts import dbt, warehouse
from assets.analytics.marts.checks import FIT_CHECK, check_specs, mart_key, mart_specs
from assets.analytics.marts.dbt import DBT_PROJECT, NodeResult
from assets.analytics.marts.dbt_graph import DbtGraph, DbtTest, load_graph
from lakehouse.contracts import contract
from lakehouse.errors import LakehouseError
from lakehouse.tables.commit import CommitInfo, create_if_absent
from resources.code_version import code_version
from resources.steps.metadata import ExceptionKind, Fact, as_metadata
from resources.steps.write_path import Report
from resources.workplace import Workplace

GRAPH = load_graph()


class _NotFit(Exception):
    """A model or a blocking test failed."""


@dg.multi_asset(name="marts", specs=mart_specs(GRAPH), check_specs=check_specs(GRAPH), pool="warehouse")
def marts(context: dg.AssetExecutionContext, workplace: Workplace) -> Iterator[Report]:
    """Every mart, and every dbt test as a check. If anything fails, the old file stays in its place."""
    settings, lake = workplace.settings(), workplace.lake()
    names = [mart.name for mart in GRAPH.marts]
    results: Mapping[str, NodeResult] = {}
    refused, error = False, ""
    try:
        # DuckDB reads a table through its log: before the first history there is none.
        for domain, table in sorted({source for mart in GRAPH.marts for source in mart.sources}):
            create_if_absent(lake, contract(domain, table), CommitInfo(context.run_id, code_version()))
        with warehouse.building(settings.warehouse, lake, names) as build:
            results = dbt.build(DBT_PROJECT, build.profiles, build.scratch, {"lake": lake.root.rstrip("/")})
            if failed := failures(GRAPH, results):
                raise _NotFit(f"{len(failed)} models or tests failed: {', '.join(failed)}")
    except warehouse.WarehouseRefused as known:
        refused, error = True, str(known)
    except (_NotFit, warehouse.WarehouseBusy, warehouse.ExtensionMissing, dbt.DbtStopped, LakehouseError) as known:
        error = str(known)
    except Exception as unknown:  # noqa: BLE001 - its text could quote a row, so its kind stands for it
        error = type(unknown).__name__
    reports = [check_report(test, results[test.unique_id]) for test in GRAPH.tests if test.unique_id in results]
    if refused or not error:
        reports += [
            dg.AssetCheckResult(asset_key=mart_key(name), check_name=FIT_CHECK, passed=not refused) for name in names
        ]
    if error:
        yield from reports
        raise dg.Failure(f"{error}; the analysts' file is as it was", allow_retries=False)
    rows = warehouse.row_counts(settings.warehouse, names)
    for mart in GRAPH.marts:
        yield dg.MaterializeResult(
            asset_key=mart_key(mart.name),
            metadata=as_metadata(
                {
                    "dagster/row_count": rows[mart.name],
                    "build_seconds": round(results[f"model.openaisle.{mart.name}"].seconds, 3),
                    "tests_run": sum(test.mart == mart.name for test in GRAPH.tests),
                    "file_bytes": settings.warehouse.stat().st_size,
                }
            ),
        )
    # As in the write path: a check that is told before its table counts for the table before.
    yield from reports


def failures(graph: DbtGraph, results: Mapping[str, NodeResult]) -> list[str]:
    """Names of models that were not built, and of blocking tests that failed, raised or did not run."""
    blocking = [test.unique_id for test in graph.tests if test.is_blocking]
    wanted = [*(f"model.openaisle.{mart.name}" for mart in graph.marts), *blocking]
    bad = {uid for uid in wanted if uid not in results or not results[uid].is_good}
    bad |= {uid for uid, result in results.items() if result.found_nothing_out}
    return sorted(uid.split(".")[-1] if uid.count(".") == 2 else uid.split(".")[2] for uid in bad)


def check_report(test: DbtTest, result: NodeResult) -> dg.AssetCheckResult:
    """A test's result. One that raised or was skipped is an error and says nothing about the data."""
    facts: dict[str, Fact] = {"seconds": round(result.seconds, 3)}
    if result.failures is not None:
        facts["count"] = result.failures
    if result.error_kind:
        facts["raised"] = ExceptionKind(result.error_kind)
    hard = test.is_blocking or result.found_nothing_out
    return dg.AssetCheckResult(
        asset_key=mart_key(test.mart),
        check_name=test.name,
        passed=result.status == "pass",
        severity=dg.AssetCheckSeverity.ERROR if hard else dg.AssetCheckSeverity.WARN,
        description="the test did not run to its end" if result.found_nothing_out else None,
        metadata=as_metadata(facts),
    )
