"""Started by a test: works in two processes for long, after saying who they are."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from resources.compute.workers import work


def announce(folder: str) -> int:
    (Path(folder) / str(os.getpid())).touch()
    time.sleep(60)
    return 0


if __name__ == "__main__":
    work(announce, [sys.argv[1], sys.argv[1]], 2)
