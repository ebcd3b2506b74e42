"""The one gateway into Dagster's metadata. What lies there outlives every retention rule, so nothing gets
in but numbers, words of closed lists, hashes and small plots: never a value of a row."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import dagster as dg

LARGEST_PICTURE_BYTES = 64 * 1024

_NAME = re.compile(r"(dagster/)?[a-z][a-z0-9_]{0,63}")
_HEX = re.compile(r"[0-9a-f]{6,64}")
_EXCEPTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_PNG_START = b"\x89PNG\r\n\x1a\n"


class MetadataRefused(Exception):
    """Something that is no number, closed word, hash or small plot. Names the entry, never its value."""


@dataclass(frozen=True)
class Digest:
    """A hash, in hexadecimal: of a model, a planogram, a set of inputs."""

    hex: str


@dataclass(frozen=True)
class ExceptionKind:
    """The kind of an exception: the name of its class, without its text."""

    name: str


@dataclass(frozen=True)
class Picture:
    """A plot as PNG, at most 64 kB; no person, no frame and nobody's way is in it."""

    png: bytes


Fact = bool | int | float | Enum | Digest | ExceptionKind | Picture


def as_metadata(facts: Mapping[str, Fact]) -> dict[str, dg.MetadataValue]:
    """Facts as Dagster shows them. Raises MetadataRefused."""
    return {_checked_name(name): _value(name, fact) for name, fact in facts.items()}


def _checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise MetadataRefused("an entry's name is not lower case letters, digits and _")
    return name


def _value(name: str, fact: Fact) -> dg.MetadataValue:  # noqa: PLR0911 - one per kind of fact
    match fact:
        case bool():
            return dg.MetadataValue.bool(fact)
        case Enum() if isinstance(fact.value, str | int):
            return dg.MetadataValue.text(str(fact.value))
        case int():
            return dg.MetadataValue.int(fact)
        case float() if math.isfinite(fact):
            return dg.MetadataValue.float(fact)
        case Digest(text) if _HEX.fullmatch(text):
            return dg.MetadataValue.text(text)
        case ExceptionKind(text) if _EXCEPTION.fullmatch(text):
            return dg.MetadataValue.text(text)
        case Picture(png) if png.startswith(_PNG_START) and len(png) <= LARGEST_PICTURE_BYTES:
            data = base64.b64encode(png).decode()
            return dg.MetadataValue.md(f"![{name}](data:image/png;base64,{data})")
    raise MetadataRefused(f"{name}: {type(fact).__name__} is no number, closed word, hash or plot of at most 64 kB")
