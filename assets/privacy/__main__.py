"""`python -m assets.privacy [--home HOME]` lists the files below the home that no sink claims. Exit status 1 if any."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from assets.privacy.places import files_below, unclaimed
from resources.settings import load_settings


def main(argv: list[str] | None = None) -> int:
    """Prints one path a line, relative to the home."""
    parser = argparse.ArgumentParser(prog="python -m assets.privacy", description=__doc__)
    parser.add_argument("--home", type=Path, help="instead of OPENAISLE_HOME")
    home = load_settings(home=parser.parse_args(argv).home).home
    found = unclaimed(files_below(home))
    for path in found:
        print(path)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
