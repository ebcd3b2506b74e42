"""Starts Dagster's web server and daemon over OPENAISLE_HOME, from the repository's workspace."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from orchestration.instance import REPOSITORY, prepare_dagster_home
from resources.settings import HOME_VARIABLE, Settings


def serve(settings: Settings, port: int) -> NoReturn:
    """Becomes `dagster dev`: one process group that ends with Ctrl-C."""
    prepare_dagster_home(settings)
    os.environ[HOME_VARIABLE] = str(settings.home)
    os.chdir(REPOSITORY)
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-p", str(port)]
    os.execv(sys.executable, command)
