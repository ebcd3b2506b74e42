"""`python -m assets.analytics` writes dbt_graph.json anew, after a change to the dbt project."""

from __future__ import annotations

from assets.analytics.marts.dbt import manifest
from assets.analytics.marts.dbt_graph import GRAPH_FILE, reduce_manifest, to_json

GRAPH_FILE.write_text(to_json(reduce_manifest(manifest())), encoding="utf-8")
