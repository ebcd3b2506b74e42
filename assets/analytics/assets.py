"""The marts: dbt builds them beside the analysts' file, dbt's tests judge them, then the file is swapped in."""

# No postponed annotations here: Dagster reads the context's annotation when the decorator runs.
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets

from lakehouse.commit import CommitInfo, create_if_absent
from lakehouse.contracts import CONTRACTS
from lakehouse.documentation import DBT_TABLES
from resources.code_version import code_version
from resources.dbt_manifest import DBT_PROJECT, prepare_manifest
from resources.lake import Workplace
from resources.warehouse import building


class _Translator(DagsterDbtTranslator):
    """dbt's names as this platform's asset keys: a source is the table it reads, a model lies in analytics."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey([dbt_resource_props["source_name"], dbt_resource_props["name"]])
        return dg.AssetKey(["analytics", dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:  # noqa: ARG002 - of the base class
        return "analytics"

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:  # noqa: ARG002 - the same
        return {"layer": "gold", "retention": "none", "pii": "none"}


@dbt_assets(manifest=prepare_manifest(), dagster_dbt_translator=_Translator(), name="marts", pool="warehouse")
def marts(context: dg.AssetExecutionContext, workplace: Workplace) -> Iterator[Any]:
    """Every mart. A failed model or test leaves the old file in its place."""
    settings, lake = workplace.settings(), workplace.lake()
    for key in DBT_TABLES:
        create_if_absent(lake, CONTRACTS[key], CommitInfo(context.run_id, code_version()))
    settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
    scratch = settings.sinks["tmp"]
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as target:
        # Built and judged in whole before anything is reported: what is reported is what analysts can open.
        built: list[Any] = []
        try:
            with building(settings.warehouse, scratch, lake) as build:
                dbt = DbtCliResource(project_dir=str(DBT_PROJECT), profiles_dir=str(build.profiles))
                arguments = ["build", "--vars", json.dumps({"lake": lake.root}), "--log-path", target]
                stream = dbt.cli(arguments, context=context, target_path=Path(target)).stream()
                built.extend(stream.fetch_row_counts().fetch_column_metadata())
        except Exception as error:
            yield from (event for event in built if isinstance(event, dg.AssetCheckResult))
            raise dg.Failure(
                f"the marts were not built ({type(error).__name__}); the analysts' file is as it was",
                allow_retries=False,
            ) from None
    yield from built


ASSETS = [marts]
