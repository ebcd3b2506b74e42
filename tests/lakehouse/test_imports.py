"""Every Dagster step imports the definitions anew: what only some steps need is loaded when they need it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("great_expectations", "pandas", "obstore", "dagster")


def test_reading_and_writing_on_disk_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from lakehouse import audit\n"
        "from lakehouse.files import objects\n"
        "from lakehouse.life import seals\n"
        "from lakehouse.tables import reader, writer\n"
        "from lakehouse.upkeep import expired_hours, migrations\n"
        f"sys.stdout.write(','.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    repository = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout == ""
