"""The contract's expectations, run on rows before they are written. Results are counts and shares, never a
value.

Great Expectations is loaded on first use (2 s) and keeps one context in memory: nothing on disk, no
telemetry, no progress bars. It sees only the columns that an expectation names.
"""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from lakehouse.contract import Expectation, Severity, TableContract

_RESULT_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": 0, "include_unexpected_rows": False}
_KIND_OF_ERROR = re.compile(r"^(?:\w+\.)*(\w+)(?::|$)")
# The context is shared; validating in two threads at once would mix its caches.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class ExpectationResult:
    """One check's outcome, fit for metadata.

    observed: share of rows that hold (0 to 1), or the aggregate that was measured. threshold: what
    `observed` must reach; None where `limits` says it in words. unexpected_count: rows that break it. error:
    kind of exception if the check itself raised; then `success` is False and nothing is known about the
    data.
    """

    name: str
    column: str
    severity: Severity
    success: bool
    observed: float | None = None
    threshold: float | None = None
    unexpected_count: int | None = None
    limits: str = ""
    error: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the write must not happen: a blocking check failed, or any check raised."""
        return bool(self.error) or (not self.success and self.severity is Severity.BLOCKING)

    @property
    def words(self) -> str:
        """The outcome for a reader: the check's name, how often it was broken or what was measured, and what is
        allowed."""
        if self.error:
            return f"{self.name} raised {self.error}"
        found = []
        if self.unexpected_count is not None:
            found.append(f"{self.unexpected_count} break it")
        if self.observed is not None and self.threshold is not None and self.threshold < 1.0:
            found.append(f"{self.observed:.1%} hold and {self.threshold:.1%} have to")
        elif self.observed is not None and self.unexpected_count is None:
            found.append(f"measured {self.observed:g}")
        if self.limits:
            found.append(f"allowed is {self.limits}")
        return f"{self.name} ({', '.join(found)})" if found else self.name


def identity_check(
    name: str, violations: int, total: int, *, column: str = "", severity: Severity = Severity.BLOCKING
) -> ExpectationResult:
    """The result of a check that a domain counted itself (over two tables, say): no row may violate it."""
    return ExpectationResult(
        name, column, severity, violations == 0, 1.0 - violations / total if total else 1.0, 1.0, violations
    )


def no_strangers(
    name: str,
    rows: pl.DataFrame,
    known: pl.DataFrame,
    key: str | tuple[str, ...],
    severity: Severity = Severity.BLOCKING,
) -> ExpectationResult:
    """The result of a check over two tables: every row's `key` (one column or several) is among those of `known`."""
    columns = [key] if isinstance(key, str) else list(key)
    strangers = rows.join(known.select(columns).unique(), columns, how="anti").height
    return identity_check(name, strangers, rows.height, column=columns[-1], severity=severity)


def run_expectations(
    contract: TableContract, frame: pl.DataFrame, expectations: tuple[Expectation, ...] | None = None
) -> list[ExpectationResult]:
    """Runs the contract's expectations (or the given ones) on the frame; one result each, in their order.

    An empty frame breaks no promise about values. What the contract asks of a column that the frame lacks is
    an error, not bad data.
    """
    asked = contract.expectations if expectations is None else expectations
    if not asked:
        return []
    wanted = sorted({name for expectation in asked for name in _columns_of(expectation)} & set(frame.columns))
    # With no column named (a check of the row count) any harmless column carries the rows.
    rows = frame.select(wanted or frame.columns[:1]).to_pandas()
    with _ONE_AT_A_TIME:
        found = _validate(rows, asked)
    return [_result(expectation, found.get(index)) for index, expectation in enumerate(asked)]


def _columns_of(expectation: Expectation) -> list[str]:
    listed = expectation.kwargs.get("column_list") or ()
    if not isinstance(listed, list | tuple):
        listed = ()
    pair = [expectation.kwargs.get("column_A"), expectation.kwargs.get("column_B")]
    return [name for name in (expectation.column, *listed, *pair) if isinstance(name, str) and name]


@cache
def _whole_frame() -> Any:
    """The one batch definition: a pandas frame in an in-memory context. Loads Great Expectations."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        # Its default would make a folder for HTML reports, in which values of rows would lie.
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
        analytics_enabled=False,
    )
    context = gx.get_context(project_config=config, mode="ephemeral")
    source = context.data_sources.add_pandas("rows")
    return source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("rows")


def _validate(rows: Any, asked: tuple[Expectation, ...]) -> dict[int, Any]:
    """Raw results by the expectation's place: failed metrics come back in another order than asked."""
    batch = _whole_frame().get_batch({"dataframe": rows})
    import great_expectations as gx
    from great_expectations.expectations.registry import get_expectation_impl

    suite = gx.ExpectationSuite(name="contract")
    for index, expectation in enumerate(asked):
        column = {"column": expectation.column} if expectation.column else {}
        kwargs: dict[str, Any] = {**column, **expectation.kwargs, "meta": {"index": index}}
        suite.expectations.append(get_expectation_impl(expectation.type)(**kwargs))
    outcome = batch.validate(suite, result_format=_RESULT_FORMAT)
    return {result.expectation_config.meta["index"]: result for result in outcome.results}


def _result(expectation: Expectation, raw: Any) -> ExpectationResult:
    limits = ", ".join(f"{name}={value}" for name, value in sorted(expectation.kwargs.items()) if value is not None)
    start = (expectation.name, expectation.column, expectation.severity)
    error = "NoResult" if raw is None else _error_of(raw.exception_info)
    if error:
        return ExpectationResult(*start, success=False, limits=limits, error=error)
    found = raw.result
    if "unexpected_count" in found:
        judged = found["element_count"] - found.get("missing_count", 0)
        unexpected = int(found["unexpected_count"])
        mostly = expectation.kwargs.get("mostly", 1.0)
        return ExpectationResult(
            *start,
            success=bool(raw.success),
            observed=1.0 - unexpected / judged if judged else 1.0,
            threshold=float(mostly) if isinstance(mostly, int | float) else None,
            unexpected_count=unexpected,
            limits=limits,
        )
    observed = _number(found.get("observed_value"))
    return ExpectationResult(*start, success=bool(raw.success), observed=observed, limits=limits)


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _error_of(info: Any) -> str:
    """Kind of the exception that a check raised, without its text; empty if none did."""
    nested = [info] if "raised_exception" in info else list(info.values())
    for one in nested:
        if one.get("raised_exception"):
            last = (one.get("exception_traceback") or "").strip().rsplit("\n", 1)[-1]
            match = _KIND_OF_ERROR.match(last)
            return match.group(1) if match else "Exception"
    return ""


def failed(results: Iterable[ExpectationResult]) -> list[str]:
    """Names of the checks that did not hold."""
    return [result.name for result in results if not result.success]
