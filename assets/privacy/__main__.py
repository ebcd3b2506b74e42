"""`python -m assets.privacy [--home HOME]` lists the files below the home that no place claims. Exit status 1 if any.
With `--document` it writes docs/places.md anew instead: what the registry of places says, for people.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from assets.privacy.places import PLACES, HomePlace, files_below, unclaimed
from lakehouse.contract import RetentionClass
from lakehouse.contracts import CONTRACTS
from lakehouse.documentation import REPOSITORY
from resources.settings import load_settings

PLACES_PAGE = REPOSITORY / "docs" / "places.md"
_ANCHORS = {f"lake/{table.path}": f"data-dictionary.md#{table.domain}{table.name}" for table in CONTRACTS.values()}


def places_page(places: Iterable[HomePlace]) -> str:
    """The page as Markdown: one row a place."""
    lines = [
        "# Places that may hold data",
        "",
        "Generated from assets/privacy/places.py by `python -m assets.privacy --document`; edit there.",
        "",
        "Every place below the home, what it holds, the class of that, how long it may lie there and who empties it.",
        "The lake and footage may lie elsewhere (`storage` in the settings): they are the same places. A file that",
        "belongs to none of these makes the check `every_file_is_claimed` warn; `python -m assets.privacy` lists such",
        "files. Which clause governs a class: [data dictionary](data-dictionary.md#when-rows-die) and",
        "[policy](policy.md).",
        "",
        "A limit counts from capture. Where a file's path tells no capture time, it counts from when a sweep first saw",
        "the file. Nothing of a place without a limit goes by its age.",
        "",
        "| place | what it holds | class | at most | emptied by | why |",
        "|---|---|---|---|---|---|",
    ]
    for place in places:
        cells = (_named(place), place.holds, _class(place.retention), _limit(place), _who(place), place.why)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _named(place: HomePlace) -> str:
    return f"[{place.name}]({_ANCHORS[place.name]})" if place.name in _ANCHORS else place.name


def _class(retention: RetentionClass | None) -> str:
    return f"[{retention}](data-dictionary.md#when-rows-die)" if retention else "about no person"


def _limit(place: HomePlace) -> str:
    return f"{int(place.limit.total_seconds() // 3600)} h" if place.limit else "none by age"


def _who(place: HomePlace) -> str:
    if place.emptied_by is None:
        return "nobody"
    module = place.emptied_by.partition(":")[0]
    return f"[`{place.emptied_by}`](../{module.replace('.', '/')}.py)"


def main(argv: list[str] | None = None) -> int:
    """Prints one path a line, relative to the home."""
    parser = argparse.ArgumentParser(prog="python -m assets.privacy", description=__doc__)
    parser.add_argument("--home", type=Path, help="instead of OPENAISLE_HOME")
    parser.add_argument("--document", action="store_true", help="write docs/places.md anew")
    given = parser.parse_args(argv)
    if given.document:
        PLACES_PAGE.write_text(places_page(PLACES), encoding="utf-8")
        return 0
    found = unclaimed(files_below(load_settings(home=given.home).home))
    for path in found:
        print(path)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
