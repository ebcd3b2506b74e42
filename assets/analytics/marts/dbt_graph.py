"""What the dbt project declares, reduced to what Dagster shows of it: marts, their columns and sources, and
tests.

The reduction is committed as `dbt_graph.json` (written by `python -m assets.analytics`, held fresh by a
test), so that loading the definitions runs no dbt: a mistake in a model must not take the deletion schedule
down with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

GRAPH_FILE = Path(__file__).with_name("dbt_graph.json")
MARTS_FOLDER = "marts"


@dataclass(frozen=True)
class MartColumn:
    """A column. `unit` is empty for what has none."""

    name: str
    data_type: str
    description: str
    unit: str


@dataclass(frozen=True)
class Mart:
    """A table that analysts read. `sources`: (domain, table) of every lakehouse table behind it."""

    name: str
    schema: str
    path: str
    description: str
    columns: tuple[MartColumn, ...]
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DbtTest:
    """A data test or a unit test. `unique_id` is dbt's; `mart`: the mart that it judges, directly or
    through a staging model."""

    unique_id: str
    name: str
    mart: str
    description: str
    is_blocking: bool


@dataclass(frozen=True)
class DbtGraph:
    """Everything, in order of names."""

    marts: tuple[Mart, ...]
    tests: tuple[DbtTest, ...]


def reduce_manifest(manifest: Mapping[str, Any]) -> DbtGraph:
    """The graph of a dbt manifest. Raises ValueError for a test that judges no mart: nobody would see its
    result."""
    nodes: Mapping[str, Mapping[str, Any]] = manifest["nodes"]
    marts = {uid: node for uid, node in nodes.items() if _is_mart(node)}
    upstream = {uid: _upstream(uid, manifest) for uid in marts}
    tests = []
    for unique_id, node in (*nodes.items(), *manifest["unit_tests"].items()):
        if node["resource_type"] not in ("test", "unit_test"):
            continue
        parents = {parent for parent in node["depends_on"]["nodes"] if parent in nodes}
        judged = sorted(parents & marts.keys()) or sorted(uid for uid, above in upstream.items() if parents & above)
        if not judged:
            raise ValueError(f"dbt test {node['name']} judges no mart")
        tests.append(_test(unique_id, node, nodes[judged[0]]["name"]))
    return DbtGraph(
        tuple(sorted((_mart(node, upstream[uid], manifest) for uid, node in marts.items()), key=lambda m: m.name)),
        tuple(sorted(tests, key=lambda test: (test.mart, test.name))),
    )


def to_json(graph: DbtGraph) -> str:
    """The graph as the committed file holds it: the same project gives the same text on every machine."""
    return json.dumps(asdict(graph), indent=1, sort_keys=True) + "\n"


def from_json(text: str) -> DbtGraph:
    """The inverse of `to_json`."""
    raw = json.loads(text)
    marts = tuple(
        Mart(
            **mart
            | {
                "columns": tuple(MartColumn(**column) for column in mart["columns"]),
                "sources": tuple((domain, table) for domain, table in mart["sources"]),
            }
        )
        for mart in raw["marts"]
    )
    return DbtGraph(marts, tuple(DbtTest(**test) for test in raw["tests"]))


def load_graph() -> DbtGraph:
    """The committed graph."""
    return from_json(GRAPH_FILE.read_text(encoding="utf-8"))


def _is_mart(node: Mapping[str, Any]) -> bool:
    return node["resource_type"] == "model" and MARTS_FOLDER in node["fqn"]


def _upstream(unique_id: str, manifest: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = [unique_id]
    while waiting:
        for parent in manifest["parent_map"].get(waiting.pop(), ()):
            if parent not in found:
                found.add(parent)
                waiting.append(parent)
    return found


def _mart(node: Mapping[str, Any], upstream: set[str], manifest: Mapping[str, Any]) -> Mart:
    sources = (manifest["sources"][uid] for uid in upstream if uid in manifest["sources"])
    return Mart(
        name=node["name"],
        schema=node["config"]["schema"],
        path=node["original_file_path"],
        description=" ".join(node["description"].split()),
        columns=tuple(_column(column) for column in node["columns"].values()),
        sources=tuple(sorted((source["source_name"], source["name"]) for source in sources)),
    )


def _column(column: Mapping[str, Any]) -> MartColumn:
    unit = column["config"]["meta"].get("unit", "")
    return MartColumn(column["name"], column["data_type"] or "", " ".join(column["description"].split()), unit)


def _test(unique_id: str, node: Mapping[str, Any], mart: str) -> DbtTest:
    severity = str(node["config"].get("severity") or "error").lower()
    words = " ".join((node.get("description") or "").split()) or _words(node)
    return DbtTest(unique_id, node["name"], mart, words, severity == "error")


def _words(node: Mapping[str, Any]) -> str:
    """What a generic test without a description says, from its name and arguments."""
    metadata = node.get("test_metadata")
    if not metadata:
        return str(node["name"]).replace("_", " ")
    arguments: Mapping[str, Any] = metadata["kwargs"]
    of: str | Sequence[str] = arguments.get("column_name") or arguments.get("columns") or ""
    subject = of if isinstance(of, str) else ", ".join(of)
    return f"{subject}: {metadata['name'].replace('_', ' ')}"
