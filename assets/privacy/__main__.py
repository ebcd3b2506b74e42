"""`python -m assets.privacy [--home HOME]` lists the files below the home that no place claims: exit status 1 if any.
`--document` writes docs/places.md anew instead."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from assets.privacy.places import PLACES, files_below, unclaimed
from resources.settings import load_settings

PAGE = Path(__file__).resolve().parents[2] / "docs" / "places.md"


def places_page() -> str:
    """The page as Markdown."""
    lines = [
        "# Where data lies, and who empties it",
        "",
        "Generated from assets/privacy/places.py by `python -m assets.privacy --document`; edit there.",
        "",
        "Paths are below `OPENAISLE_HOME`. A file that belongs to none of these places turns the check",
        "`every_file_is_claimed` of `privacy/sweeps` yellow; `python -m assets.privacy` lists such files. Classes and",
        "their limits: [data dictionary](data-dictionary.md#when-rows-die).",
        "",
        "| place | class | it goes | emptied by |",
        "|---|---|---|---|",
    ]
    for place in PLACES:
        kind = place.retention or "nothing about persons"
        lines.append(f"| {place.name} | {kind} | {place.why} | {f'`{place.emptied_by}`' if place.emptied_by else ''} |")
    return "\n".join(lines) + "\n"


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
