"""A process that sweeps a home as nobody in particular, for root sees no permission: `… HOME MOMENT` prints JSON.

It sweeps a copy of the home first, as whoever started it: afterwards it may not be allowed to read its own libraries.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from assets.privacy.places import file_places
from assets.privacy.retention.checks import nothing_past_its_limit
from assets.privacy.retention.sweep import Swept, sweep
from lakehouse.tables.commit import CommitInfo
from resources.settings import load_settings

NOBODY = 65534


def sweep_home(home: Path, now: datetime) -> Swept:
    settings = load_settings(home=home)
    return sweep(settings.lake(), file_places(settings), commit=CommitInfo("run", "code"), now=now)


def main() -> None:
    home, now = Path(sys.argv[1]), datetime.fromisoformat(sys.argv[2])
    with TemporaryDirectory() as scratch:
        sweep_home(Path(shutil.copytree(home, Path(scratch) / "home")), now)
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    swept = sweep_home(home, now)
    check = nothing_past_its_limit(swept.looks, now)
    found = {
        "failures": swept.failures,
        "places": sorted(swept.ledger["place"]),
        "check": [check.success, check.limits],
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
