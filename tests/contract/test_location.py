"""The code location: loads anywhere, says everything about its assets, and changes shape only on purpose."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from lakehouse.contracts import CONTRACTS
from orchestration.build import build_defs
from resources.steps.specs import asset_key

REPOSITORY = Path(__file__).resolve().parents[2]
SNAPSHOT = Path(__file__).parent / "asset_graph.json"
REFERENCE = {
    f"orders/{name}" for name in ("stores", "cameras", "slots", "slot_views", "planograms", "products", "prices")
}
"""Tables that describe the store and its goods: a group of their own, under the keys they always had."""
HEAVY = ("cv2", "openvino", "torch", "great_expectations", "onnxruntime", "pyspark")


@pytest.fixture(scope="module")
def graph() -> dg.AssetGraph:
    return build_defs().resolve_asset_graph()


def test_loads_in_a_fresh_interpreter_with_an_empty_environment() -> None:
    probe = (
        "import json, sys; from orchestration.definitions import defs; defs.resolve_all_job_defs();"
        f"print(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe],
        cwd=REPOSITORY,
        env={},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_every_contract_is_an_asset(graph: dg.AssetGraph) -> None:
    expected = {asset_key(contract) for contract in CONTRACTS.values()}
    assert expected <= set(graph.get_all_asset_keys())


def test_every_asset_says_what_it_is(graph: dg.AssetGraph) -> None:
    for key in sorted(graph.executable_asset_keys):
        node, name = graph.get(key), key.to_user_string()
        is_reference = name in REFERENCE
        assert node.group_name == ("reference" if is_reference else key.path[0]), name
        assert node.owners, name
        assert node.kinds, name
        assert node.description, name
        assert {"layer", "retention", "pii"} <= set(node.tags), name
        assert node.metadata.get("dagster/column_schema"), name
        assert node.metadata.get("dagster/code_references"), name
        assert node.check_keys, name


def test_columns_carry_units_and_privacy_labels(graph: dg.AssetGraph) -> None:
    schema = graph.get(dg.AssetKey(["vision", "track_points"])).metadata["dagster/column_schema"]
    columns = {column.name: column for column in getattr(schema, "value", schema).columns}
    clauses = {"clause/C-12": "", "clause/C-50": ""}
    assert columns["x_m"].tags == {"pii": "sensitive", "unit": "m", **clauses}
    assert columns["track_id"].tags == {"pii": "pseudonymous", **clauses}
    assert "[m/s]" in (columns["speed_m_s"].description or "")


def test_a_gating_check_is_partitioned_like_its_asset(graph: dg.AssetGraph) -> None:
    for key in graph.executable_asset_keys:
        node = graph.get(key)
        for check in node.check_keys:
            if key.path[0] != "analytics":
                assert graph.get(check).partitions_def == node.partitions_def, str(check)
        if node.partitions_def is not None:
            assert node.backfill_policy == dg.BackfillPolicy.multi_run(1), str(key)


def test_the_graph_is_the_committed_one(graph: dg.AssetGraph) -> None:
    """`OPENAISLE_SNAPSHOT=write pytest tests/contract/test_location.py` writes it anew; the change is then
    in the diff."""
    found = json.dumps(_shape(graph), indent=1, sort_keys=True) + "\n"
    if os.environ.get("OPENAISLE_SNAPSHOT") == "write":
        SNAPSHOT.write_text(found, encoding="utf-8")
    assert found == SNAPSHOT.read_text(encoding="utf-8")


def _shape(graph: dg.AssetGraph) -> dict[str, Any]:
    shape = {}
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        condition = node.automation_condition
        shape[key.to_user_string()] = {
            "from": sorted(parent.to_user_string() for parent in node.parent_keys),
            "checks": sorted(check.name for check in node.check_keys),
            "partitioned": node.partitions_def is not None,
            "owners": sorted(node.owners),
            "kinds": sorted(node.kinds),
            "automation": condition.get_label() if condition else None,
        }
    return shape
