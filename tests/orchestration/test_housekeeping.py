"""Old runs go, but for those that `stale` still has to ask about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration.housekeeping import KEEP, forget_old_runs
from resources.clock import Clock


def test_a_run_that_made_a_table_as_it_is_stays_and_older_ones_go() -> None:
    @dg.asset
    def stores() -> None: ...

    @dg.asset
    def sweeps() -> None: ...

    later = Clock(fixed_at=(datetime.now(UTC) + KEEP + timedelta(hours=1)).isoformat())
    with dg.DagsterInstance.ephemeral() as instance:
        runs = [dg.materialize(assets, instance=instance) for assets in ([stores, sweeps], [sweeps], [sweeps])]
        assert forget_old_runs(instance, Clock()) == 0
        assert forget_old_runs(instance, later) == 1
        assert {run.run_id for run in instance.get_runs()} == {runs[0].run_id, runs[2].run_id}
        for asset in (stores, sweeps):
            assert len(instance.fetch_materializations(asset.key, limit=1).records) == 1
        assert forget_old_runs(instance, later) == 0
