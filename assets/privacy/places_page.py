"""docs/places.md: every place that may hold data, for whoever reviews what is kept."""

from __future__ import annotations

from pathlib import Path

from assets.privacy.places import PLACES

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
