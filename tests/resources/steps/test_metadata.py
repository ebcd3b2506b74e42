"""The metadata gateway lets numbers, closed words, hashes and small plots through, and nothing else."""

from __future__ import annotations

from enum import StrEnum

import pytest

from resources.steps.metadata import Digest, ExceptionKind, MetadataRefused, Picture, as_metadata

PNG = b"\x89PNG\r\n\x1a\n"


class Word(StrEnum):
    OK = "ok"


def test_what_may_pass() -> None:
    found = as_metadata(
        {
            "rows": 3,
            "share": 0.5,
            "is_new": True,
            "state": Word.OK,
            "model": Digest("abc123"),
            "plan": Picture(PNG),
        }
    )
    assert {name: value.value for name, value in found.items() if name != "plan"} == {
        "rows": 3, "share": 0.5, "is_new": True, "state": "ok", "model": "abc123",
    }  # fmt: skip


@pytest.mark.parametrize(
    "fact",
    [
        "acct-17",
        ["acct-17"],
        {"a": 1},
        None,
        float("nan"),
        b"bytes",
        Digest("acct-17"),
        ExceptionKind("no such account: acct-17"),
        Picture(b"acct-17"),
        Picture(PNG + bytes(64 * 1024)),
    ],
)
def test_what_may_not(fact: object) -> None:
    with pytest.raises(MetadataRefused) as raised:
        as_metadata({"fact": fact})  # type: ignore[dict-item]
    assert "acct-17" not in str(raised.value)


def test_names_are_checked_too() -> None:
    with pytest.raises(MetadataRefused) as raised:
        as_metadata({"Acct 17": 1})
    assert "17" not in str(raised.value)
