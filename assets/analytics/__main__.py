"""`python -m assets.analytics` writes dbt_graph.json anew, after a change to the dbt project."""

from __future__ import annotations

from assets.analytics.dbt_graph import GRAPH_FILE, reduce_manifest, to_json
from resources.dbt import manifest

GRAPH_FILE.write_text(to_json(reduce_manifest(manifest())), encoding="utf-8")
