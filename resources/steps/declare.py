"""How a step of this platform is declared: its tables, their checks, its partitions, and errors that quote nothing."""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

import dagster as dg

from lakehouse.contract import TableContract
from lakehouse.errors import CommitConflict, LakehouseError, LeaseUnavailable
from resources.preflight import NotReady
from resources.steps.specs import DomainCheck, check_specs, table_spec
from resources.steps.write_path import Report

Body = Callable[..., Iterator[Report]]

# Another writer's lease or commit passes by itself; anything else would fail again.
_PASSING = (CommitConflict, LeaseUnavailable)
RETRIES = dg.RetryPolicy(max_retries=2, delay=5.0)


def table_assets(
    name: str,
    pairs: Sequence[tuple[TableContract, Sequence[TableContract]]],
    *,
    checks: Mapping[str, Sequence[DomainCheck]] | None = None,
    partitions_def: dg.PartitionsDefinition | None = None,
    pool: str | None = None,
    kinds: Sequence[str] = (),
) -> Callable[[Body], dg.AssetsDefinition]:
    """Decorates the one step that writes some tables; `pairs` are a table and the tables it is made from.

    `checks`: per table path the domain's own checks. The body is a generator that ends in `Tables.write`. A store-day
    backfills as one run per partition: in a run over a range Dagster would evaluate partitioned checks once, for none.
    """
    own = checks or {}
    inside = {contract.path for contract, _ in pairs}
    if strangers := sorted(set(own) - inside):
        raise ValueError(f"{name}: checks of other tables: {', '.join(strangers)}")

    def decorate(body: Body) -> dg.AssetsDefinition:
        return dg.multi_asset(
            name=name,
            specs=[
                table_spec(table, deps, partitions_def=partitions_def, kinds=kinds, made_by=body)
                for table, deps in pairs
            ],
            check_specs=[
                spec
                for contract, _ in pairs
                for spec in check_specs(contract, own.get(contract.path, ()), partitions_def=partitions_def)
            ],
            backfill_policy=dg.BackfillPolicy.multi_run(1) if partitions_def else None,
            retry_policy=RETRIES,
            pool=pool,
        )(_concealing(body))

    return decorate


def kind_and_place(error: Exception) -> str:
    """What may be said of a foreign exception, whose text could quote a row: its kind, and where it was raised."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno} in {place.name}"


def _concealing(body: Body) -> Body:
    """The body, with every foreign exception replaced by its kind and place: its text could quote a row, and the event
    log outlives the rows."""

    def step(*args: Any, **kwargs: Any) -> Iterator[Report]:
        try:
            yield from body(*args, **kwargs)
            return
        except dg.Failure:
            raise
        except NotReady as error:
            failure = dg.Failure(description=str(error), allow_retries=False)
        except LakehouseError as error:
            failure = dg.Failure(description=str(error), allow_retries=isinstance(error, _PASSING))
        except Exception as error:  # noqa: BLE001 - whatever it is, its text stays here
            failure = dg.Failure(description=kind_and_place(error), allow_retries=False)
        raise failure

    # Dagster reads resources and the context from true types, not from the text that postponed annotations leave.
    hints = get_type_hints(body)
    signature = inspect.signature(body)
    parameters = [p.replace(annotation=hints[p.name]) for p in signature.parameters.values()]
    functools.update_wrapper(step, body)
    del step.__wrapped__  # type: ignore[attr-defined]
    step.__annotations__ = hints
    step.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=parameters, return_annotation=hints.get("return", inspect.Signature.empty)
    )
    return step
