"""What a step that failed may say: our own sentences whole, of anything else its kind and place only."""

# No postponed annotations here: Dagster reads those of `context` when the decorator runs.

from collections.abc import Iterator

import dagster as dg
import pytest

from lakehouse.contracts.privacy import ACCOUNTS
from lakehouse.errors import TableDamaged
from resources.preflight import NotReady
from resources.steps.declare import table_assets
from resources.steps.write_path import Report


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (NotReady("the network is damaged: put it back"), "the network is damaged: put it back"),
        (TableDamaged("a/b", "its log is gone"), "a/b: its log is gone; what to do: docs/runbooks/damaged-table.md"),
        (ValueError("a value of a row"), "ValueError at test_declare.py:"),
    ],
)
def test_a_failure_says_what_it_may(raised: Exception, said: str) -> None:
    @table_assets("accounts", [(ACCOUNTS, ())])
    def accounts(context: dg.AssetExecutionContext) -> Iterator[Report]:
        context.log.info("begun")
        raise raised
        yield

    result = dg.materialize([accounts], raise_on_error=False)
    (failure,) = [event.step_failure_data for event in result.all_events if event.is_step_failure]
    assert failure.user_failure_data
    assert str(failure.user_failure_data.description).startswith(said)
    assert "a value of a row" not in str(failure)
