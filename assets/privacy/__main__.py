"""`python -m assets.privacy [--home HOME]` lists the files below the home that no place claims: exit status 1 if any.
`--document` writes docs/places.md anew instead."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from assets.privacy.places import files_below, unclaimed
from assets.privacy.places_page import PAGE, places_page
from resources.settings import load_settings


def main(argv: list[str] | None = None) -> int:
    """Prints one path a line, relative to the home."""
    parser = argparse.ArgumentParser(prog="python -m assets.privacy", description=__doc__)
    parser.add_argument("--home", type=Path, help="instead of OPENAISLE_HOME")
    parser.add_argument("--document", action="store_true", help="write docs/places.md")
    given = parser.parse_args(argv)
    if given.document:
        PAGE.write_text(places_page(), encoding="utf-8")
        return 0
    found = unclaimed(files_below(load_settings(home=given.home).home))
    for path in found:
        print(path)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
