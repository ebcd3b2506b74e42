"""Every delivery has a step that reads it, a job that it starts, and a class; whatever else lies in landing shows."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from assets.privacy.places import unclaimed
from orchestration import arrivals
from orchestration.definitions import defs
from orchestration.jobs import JOBS
from orchestration.sensors import landing_sensor
from resources.landing.deliveries import DELIVERIES, Delivery

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize("delivery", DELIVERIES.values(), ids=lambda delivery: delivery.category)
def test_every_delivery_is_handled(delivery: Delivery, tmp_path: Path) -> None:
    assert delivery.starts in {job.name for job in JOBS}
    assert delivery.starts in {job.name for job in landing_sensor.jobs}
    read = defs.resolve_job_def(delivery.starts).asset_layer.executable_asset_keys
    assert dg.AssetKey(delivery.consumer) in read
    path = tmp_path / delivery.category / "anything.else"
    path.parent.mkdir()
    path.touch()
    assert not arrivals.look(tmp_path, NOW).is_empty, "it starts a run, be it to be refused"


def test_a_folder_that_is_no_delivery_shows() -> None:
    assert unclaimed(["landing/surveys/2026-11-22.jsonl"]) == ["landing/surveys/2026-11-22.jsonl"]
    assert unclaimed([f"landing/{name}/x" for name in DELIVERIES]) == []
