"""The code location that workspace.yaml names. Loads with an empty environment and opens nothing."""

from __future__ import annotations

import dagster as dg

from orchestration.build import build_defs
from resources.settings import load_settings

# Only which schedules exist depends on the settings; every place is looked up when a step runs.
defs: dg.Definitions = build_defs(environment=load_settings().file.environment)
