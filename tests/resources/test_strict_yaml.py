"""YAML of stores and operators: what JSON could say too, or one error that repeats nothing."""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from resources import strict_yaml
from resources.strict_yaml import NotPlainYaml

SECRET = "13812345678"
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
"""Thirty lines that are a thousand million values."""


@pytest.mark.parametrize(
    "text",
    [
        "[" * 3_000,
        "{a: " * 3_000 + "1" + "}" * 3_000,
        "- " * 3_000 + "1",
        "a: &a [*a]",
        BOMB,
        f"!!python/object/apply:os.system [{SECRET}]",
        f"a: !!timestamp 2026-02-30 {SECRET}",
        f"a: !!int {SECRET}x",
        "a: 0x_",
        f"a: '{SECRET}",
        f"? [{SECRET}]\n: 1",
        f"a: 1\na: {SECRET}",
        f"{SECRET}: 1\n---\n{SECRET}: 2",
        f"a: \x00{SECRET}",
        "a: " + "9" * 5_000,
    ],
)
def test_what_is_not_plain_is_one_error_that_repeats_nothing(text: str) -> None:
    with pytest.raises(NotPlainYaml) as caught:
        strict_yaml.load(text)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("2026-02-30", "2026-02-30"),
        (date(2026, 11, 22).isoformat(), "2026-11-22"),
        ("<<: 1", {"<<": 1}),
        ("[1, 2.5, true, null, a]", [1, 2.5, True, None, "a"]),
        ("9" * 400, int("9" * 400)),
    ],
)
def test_what_is_plain_is_read(text: str, value: object) -> None:
    assert strict_yaml.load(text) == value


def is_plain(value: object) -> bool:
    if isinstance(value, dict):
        return all(map(is_plain, value.values()))
    if isinstance(value, list):
        return all(map(is_plain, value))
    return value is None or isinstance(value, str | int | float | bool)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(["a", ":", " ", "\n", "- ", "&a ", "*a", "!!", "!!int ", '"', "'", "\\x", "[", "{", "0x"]),
            max_size=20,
        ).map("".join),
    )
)
def test_any_text_is_plain_values_or_one_error(text: str) -> None:
    with suppress(NotPlainYaml):
        assert is_plain(strict_yaml.load(text))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(values)
def test_what_the_library_writes_is_read_as_it_was(value: object) -> None:
    try:
        assert strict_yaml.load(yaml.safe_dump(value, allow_unicode=False)) == value
    except NotPlainYaml:
        # Half a surrogate pair, which the library writes and no reader takes.
        assert "\\ud" in yaml.safe_dump(value).lower()
