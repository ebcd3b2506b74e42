"""Materializations as Dagster's record has them: which came before which, what they told, what their step had seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.definitions.data_version import get_input_event_pointer_tag


@dataclass(frozen=True)
class Materialization:
    """`number`: its place in the event log, 0 for none; `told`: values of its metadata; `tags`: what Dagster notes of
    its step."""

    number: int = 0
    told: Mapping[str, object] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    def saw(self, parent: dg.AssetKey) -> int:
        """Number of the newest materialization of a parent when the step began: what came while it worked, it may not
        have read."""
        pointer = self.tags.get(get_input_event_pointer_tag(parent))
        if pointer is None:
            return self.number
        return int(pointer) if pointer.isdigit() else 0


def newest(
    instance: dg.DagsterInstance, key: dg.AssetKey, partition: str | None = None, up_to: int | None = None
) -> Materialization:
    """The newest of an asset (None: of any partition), or the newest up to a number of the event log."""
    wanted = dg.AssetRecordsFilter(
        key,
        asset_partitions=None if partition is None else [partition],
        before_storage_id=None if up_to is None else up_to + 1,
    )
    for record in instance.fetch_materializations(wanted, limit=1).records:
        if event := record.asset_materialization:
            told = {name: entry.value for name, entry in event.metadata.items()}
            return Materialization(record.storage_id, told, event.tags or {})
    return Materialization()
