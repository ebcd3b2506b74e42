"""A category of landing files with one JSON object a line. A field that is not listed is refused; no value is ever
repeated in a refusal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import polars as pl

from resources.landing.fields import Field, load_json, parse_object


@dataclass(frozen=True)
class LineFormat:
    """A category of landing files: one JSON object a line. `by_store`: a folder per store lies between.

    `check` sees the parsed line and raises `Refused` where fields contradict each other.
    """

    category: str
    fields: Mapping[str, Field]
    by_store: bool
    check: Callable[[dict[str, object]], None] = field(default=lambda _: None)

    @property
    def schema(self) -> pl.Schema:
        """Schema of the parsed lines, without the two columns that say where a line came from."""
        return pl.Schema({name: spec.dtype for name, spec in self.fields.items()})


def parse_line(raw: bytes, line_format: LineFormat) -> dict[str, object]:
    """One line of a landing file. Raises `Refused`."""
    row = parse_object(load_json(raw), line_format.fields)
    line_format.check(row)
    return row
