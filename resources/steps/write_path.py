"""The one write path: audit, then commit, then report. Nothing is written before every check of the step has passed."""

# No postponed annotations here: Dagster reads the resources' annotations when the classes are made.
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

import dagster as dg
import polars as pl

from lakehouse import audit
from lakehouse.audit import ExpectationResult
from lakehouse.contract import AppendOnce, ReplacePartition, Severity, TableContract
from lakehouse.errors import LakehouseError
from lakehouse.store_day import StoreDay
from lakehouse.tables import admission, reader, writer
from resources.believed_time import believed_now
from resources.clock import Clock
from resources.code_version import code_version
from resources.steps.metadata import ExceptionKind, Fact, as_metadata
from resources.steps.specs import CONTRACT_CHECK, asset_key
from resources.workplace import Workplace

Report = dg.AssetCheckResult | dg.MaterializeResult  # type: ignore[type-arg]


@dataclass(frozen=True)
class TableWrite:
    """New content of one table. `checks`: results of the domain's own checks; `facts`: numbers to plot."""

    contract: TableContract
    frame: pl.DataFrame
    checks: Sequence[ExpectationResult] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    may_empty: bool = False


class Tables(dg.ConfigurableResource):  # type: ignore[type-arg]
    """Reads tables, and writes them by the one write path."""

    workplace: dg.ResourceDependency[Workplace]
    clock: dg.ResourceDependency[Clock]

    def now(self) -> datetime:
        """The time to refuse and to close by: a clock in doubt loses no delivery and no open item."""
        return believed_now(self.workplace.lake(), self.clock.reading())

    def read(self, contract: TableContract, store_day: StoreDay | None = None) -> pl.DataFrame:
        """Rows of a table, all or those of a store-day."""
        partition = store_day.partition(contract) if store_day else None
        lake = self.workplace.lake()
        return reader.collect(lake, contract, reader.scan(lake, contract, partition))

    def read_store(self, contract: TableContract, store_id: str) -> pl.DataFrame:
        """Rows of one store of an unpartitioned table."""
        return self.read_where(contract, "store_id", [store_id])

    def read_where(self, contract: TableContract, column: str, values: Collection[str]) -> pl.DataFrame:
        """Rows of a table whose column has one of some values."""
        if not values:
            return pl.DataFrame(schema=contract.schema)
        lake = self.workplace.lake()
        rows = reader.scan(lake, contract).filter(pl.col(column).is_in(list(values)))
        return reader.collect(lake, contract, rows)

    def last_digest(self, context: dg.AssetExecutionContext, contract: TableContract, name: str) -> str | None:
        """A hash that the last materialization of this partition reported; None if there was none."""
        partitions = [context.partition_key] if context.has_partition_key else None
        wanted = dg.AssetRecordsFilter(asset_key(contract), asset_partitions=partitions)
        records = context.instance.fetch_materializations(wanted, limit=1).records
        found = records[0].asset_materialization if records else None
        value = found.metadata.get(name) if found else None
        return None if value is None else str(value.value)

    def write(
        self,
        context: dg.AssetExecutionContext,
        writes: Sequence[TableWrite],
        *,
        store_day: StoreDay | None = None,
        model_version: str = "",
        planogram_version: str = "",
    ) -> Iterator[Report]:
        """Audits all tables of a step, commits them in order, and reports.

        If a blocking check fails or a check raised, yields the results of all checks and raises dagster.Failure with
        their names and counts; no table has changed then. Only the tables that the run selected are written.
        """
        started = time.monotonic()
        selected = [w for w in writes if asset_key(w.contract) in context.selected_asset_keys]
        results = {write.contract.path: self._audit(write, store_day) for write in selected}
        reports = {
            write.contract.path: [*_check_reports(context, write.contract, results[write.contract.path])]
            for write in selected
        }
        broken = [f"{path}: {result.words}" for path, found in results.items() for result in found if result.blocks]
        if broken:
            yield from chain.from_iterable(reports.values())
            raise dg.Failure(
                description=f"nothing was written: {'; '.join(broken)}. The asset's Checks tab says what each check "
                "means; what landed is still there, so the step can run again once the cause is mended",
                allow_retries=False,
            )
        audited = time.monotonic() - started
        for write in selected:
            try:
                report = self._commit(context, write, store_day, model_version, planogram_version)
            except Exception:
                # That a table could not be written says nothing against its rows.
                yield from chain.from_iterable(reports.values())
                raise
            if report.cells_healed:
                context.log.warning(
                    f"{report.table}: {report.cells_healed} data files were gone or damaged, and were written again"
                )
            yield dg.MaterializeResult(
                asset_key=asset_key(write.contract),
                metadata=as_metadata(
                    {
                        "dagster/partition_row_count" if store_day else "dagster/row_count": report.rows_kept,
                        "delta_version": report.version,
                        "has_changed": report.committed,
                        "cells_healed": report.cells_healed,
                        "rows_removed": report.rows_removed,
                        "rows_tombstoned": report.rows_tombstoned,
                        "rows_present_before": report.rows_present,
                        "bytes_written": report.bytes_written,
                        "audit_seconds": round(audited, 3),
                        **write.facts,
                    }
                ),
            )
            # Only now: Dagster takes a check that was reported before the table for one of the table before, and shows
            # the store-day as never checked.
            yield from reports.pop(write.contract.path)

    def _audit(self, write: TableWrite, store_day: StoreDay | None) -> list[ExpectationResult]:
        """Results of every check of a table. What only the schema check can judge is not asked of a broken frame."""
        own = _contract_result(write, store_day)
        if own.blocks:
            return [own]
        return [own, *audit.run_expectations(write.contract, write.frame), *write.checks]

    def _commit(
        self,
        context: dg.AssetExecutionContext,
        write: TableWrite,
        store_day: StoreDay | None,
        model_version: str,
        planogram_version: str,
    ) -> writer.WriteReport:
        lake, now = self.workplace.lake(), self.now()
        info = writer.CommitInfo(context.run_id, code_version(), model_version, planogram_version)
        match write.contract.write_mode:
            case ReplacePartition():
                partition = store_day.partition(write.contract) if store_day else {}
                return writer.replace_partition(
                    lake,
                    write.contract,
                    write.frame,
                    partition,
                    commit=info,
                    now=now,
                    may_empty=write.may_empty,
                )
            case AppendOnce():
                return writer.append_once(lake, write.contract, write.frame, commit=info, now=now)
            case _:
                return writer.upsert(lake, write.contract, write.frame, commit=info, now=now)


def checked(name: str, judge: Callable[[], ExpectationResult]) -> ExpectationResult:
    """The result of a domain's check. One that raises is an error and says nothing about the data."""
    try:
        return judge()
    except Exception as error:  # noqa: BLE001 - any kind; its text could quote a row
        return ExpectationResult(name, "", Severity.BLOCKING, success=False, error=type(error).__name__)


def _contract_result(write: TableWrite, store_day: StoreDay | None) -> ExpectationResult:
    try:
        admission.check_frame(write.contract, write.frame)
        if store_day is not None and isinstance(write.contract.write_mode, ReplacePartition):
            admission.check_partition(write.contract, write.frame, store_day.partition(write.contract))
    except LakehouseError as error:
        return ExpectationResult(
            CONTRACT_CHECK, error.column, Severity.BLOCKING, success=False, unexpected_count=error.count or 1
        )
    except Exception as error:  # noqa: BLE001 - a check that raised is an error, not bad data
        return ExpectationResult(CONTRACT_CHECK, "", Severity.BLOCKING, success=False, error=type(error).__name__)
    return ExpectationResult(CONTRACT_CHECK, "", Severity.BLOCKING, success=True, unexpected_count=0)


def _check_reports(
    context: dg.AssetExecutionContext, contract: TableContract, results: Sequence[ExpectationResult]
) -> Iterator[dg.AssetCheckResult]:
    """One report per declared check. A declared check without a result was not run, which is an error too, unless the
    schema was wrong and nothing else could be asked."""
    key = asset_key(contract)
    declared = {check.name for check in context.selected_asset_check_keys if check.asset_key == key}
    by_name = {result.name: result for result in results}
    if unknown := sorted(set(by_name) - {c.name for c in context.assets_def.check_keys if c.asset_key == key}):
        raise dg.Failure(f"{contract.path}: checks without a declaration: {', '.join(unknown)}", allow_retries=False)
    schema_is_wrong = any(result.name == CONTRACT_CHECK and result.blocks for result in results)
    for name in sorted(declared):
        result = by_name.get(name)
        if result is None and not schema_is_wrong:
            raise dg.Failure(f"{contract.path}: check {name} has no result", allow_retries=False)
        if result is not None:
            yield _check_report(contract, result)


def _check_report(contract: TableContract, result: ExpectationResult) -> dg.AssetCheckResult:
    facts: dict[str, Fact] = {}
    if result.observed is not None:
        facts["value"] = float(result.observed)
    if result.threshold is not None:
        facts["threshold"] = float(result.threshold)
    if result.unexpected_count is not None:
        facts["count"] = result.unexpected_count
    if result.error:
        facts["raised"] = ExceptionKind(result.error)
    hard = bool(result.error) or result.severity is Severity.BLOCKING
    words = "the check itself raised" if result.error else result.limits
    return dg.AssetCheckResult(
        asset_key=asset_key(contract),
        check_name=result.name,
        passed=result.success,
        severity=dg.AssetCheckSeverity.ERROR if hard else dg.AssetCheckSeverity.WARN,
        description=words or None,
        metadata=as_metadata(facts),
    )
