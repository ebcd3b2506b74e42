"""A run that waits says what for, and who holds it."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from lakehouse.contracts.store_reference import STORES
from lakehouse.lake import Lake
from lakehouse.leases.hold import hold_lease
from lakehouse.leases.holder import THIS_PROCESS
from orchestration.runs.dead_runs import locks_of
from orchestration.runs.locks import hold
from orchestration.runs.waits import waits_for


@dg.job
def decoding() -> None: ...


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as found:
        yield found


def started(instance: dg.DagsterInstance) -> str:
    return instance.create_run_for_job(decoding, status=dg.DagsterRunStatus.STARTED).run_id


def test_a_run_that_waits_for_a_pool_names_the_run_that_has_its_place(instance: dg.DagsterInstance) -> None:
    holder, waiter, other = started(instance), started(instance), started(instance)
    storage = instance.event_log_storage
    storage.set_concurrency_slots("footage", 1)
    storage.set_concurrency_slots("warehouse", 1)
    storage.claim_concurrency_slot("footage", holder, "clip_analysis")
    assert not storage.claim_concurrency_slot("footage", waiter, "clip_analysis").is_claimed
    with hold(locks_of(instance), holder):
        said = waits_for(instance, waiter)
    who = rf"run {holder[:8]} \(decoding, process {os.getpid()}\) since \d\d:\d\d:\d\d UTC"
    assert re.fullmatch(f"waits for the pool footage, held by {who}", said or "")
    assert waits_for(instance, holder) is None
    assert waits_for(instance, other) is None


def test_a_run_that_waits_for_a_lease_names_the_run_that_holds_it(
    instance: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    holder, waiter = started(instance), started(instance)
    monkeypatch.setattr(THIS_PROCESS, "run_id", holder)
    lake = Lake(str(tmp_path / "lake"))
    with hold(locks_of(instance), holder), hold_lease(lake, STORES):
        thread = threading.Thread(target=lambda: hold_lease(lake, STORES).__enter__())
        thread.start()
        while (said := waits_for(instance, waiter)) is None:
            assert thread.is_alive()
    thread.join()
    who = rf"run {holder[:8]} \(decoding, process {os.getpid()}\) since \d\d:\d\d:\d\d UTC"
    assert re.fullmatch(f"waits for the lease of orders/stores, held by {who}", said)
    assert waits_for(instance, waiter) is None
