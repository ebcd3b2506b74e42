"""What Dagster is told of a store-day's checks: by the table that was written, and by the store-day that failed."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus as Recorded

from lakehouse.contracts.orders import GATE_EVENTS
from lakehouse.errors import LakehouseError
from resources.steps.partitions import partition_key
from resources.steps.specs import CONTRACT_CHECK, asset_key
from tests.resources.steps.scans_step import DAYS, run, written


def recorded(instance: dg.DagsterInstance, store_id: str) -> dict[str, tuple[Recorded, bool]]:
    """By check what the UI's list of partitions is made of: the result, and whether it is of the table as it is."""
    infos = instance.event_log_storage.get_asset_check_partition_info(
        list(written.check_keys), partition_keys=[partition_key(DAYS[store_id])]
    )
    return {info.check_key.name: (info.latest_execution_status, info.is_current) for info in infos}


def test_passed_checks_are_of_the_table_that_was_written(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(2):
            assert run(instance, tmp_path, "good").success
            found = recorded(instance, "good")
            assert len(found) == len(GATE_EVENTS.expectations) + 1
            assert set(found.values()) == {(Recorded.SUCCEEDED, True)}


def test_a_store_that_failed_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run(instance, tmp_path, "good")
        assert not run(instance, tmp_path, "bad").success
        assert not run(instance, tmp_path, "unread").success
        assert set(recorded(instance, "good").values()) == {(Recorded.SUCCEEDED, True)}
        bad = {name for name, found in recorded(instance, "bad").items() if found != (Recorded.SUCCEEDED, True)}
        assert len(bad) == 1
        assert "direction" in bad.pop()
        assert {status for status, _ in recorded(instance, "unread").values()} == {Recorded.PLANNED}


def test_checks_of_a_table_that_could_not_be_written_are_told_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object, **__: object) -> object:
        raise LakehouseError(GATE_EVENTS.path, "no room")

    monkeypatch.setattr("lakehouse.tables.writer.replace_partition", no_room)
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(instance, tmp_path, "good")
        assert not result.success
        assert instance.get_latest_materialization_event(asset_key(GATE_EVENTS)) is None
        assert recorded(instance, "good")[CONTRACT_CHECK] == (Recorded.SUCCEEDED, True)
