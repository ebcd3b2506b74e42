"""Every tuned number says what it is: a settings' field with words below it, or a literal with a comment beside it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
# Dagster's files hold no rule, models/build.py makes a network once, by hand; the catalogue's limits are a sidecar's.
NOT_PURE = {"assets.py", "checks.py", "definitions.py", "__main__.py", "build.py", "catalogue.py"}
# Identities, halves and doubles of geometry; units (milli, micro); and powers of ten small enough to be a guard.
PLAIN = {0.0, 1.0, 0.5, 2.0, 1000.0, 1e6, 1e-3, 1e-6, 1e-9}


def modules() -> list[Path]:
    return sorted((REPOSITORY / "assets").rglob("*.py"))


def settings_classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """Dataclasses of tuned numbers, by their names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Settings", "Policy")) and node.decorator_list:
            yield node


def fields_without_words(source: str) -> list[str]:
    """`Class.field` of every settings' field that no string follows."""
    found = []
    for settings in settings_classes(ast.parse(source)):
        for node, below in zip(settings.body, [*settings.body[1:], None], strict=True):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not is_text(below):
                found.append(f"{settings.name}.{node.target.id}")
    return found


def is_text(node: ast.stmt | None) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and bool(node.value.value.strip())
    )


def bare_numbers(source: str) -> list[str]:
    """`line: number` of every float in a function's body that is neither plain nor beside or below a comment."""
    tree, said = ast.parse(source), comment_lines(source)
    found = set()
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for statement in function.body:
            for node, lines in with_lines(statement):
                is_number = isinstance(node, ast.Constant) and isinstance(node.value, float)
                if is_number and node.value not in PLAIN and said.isdisjoint(lines):
                    found.add((node.lineno, node.value))
    return [f"{line}: {value}" for line, value in sorted(found)]


def with_lines(statement: ast.AST) -> Iterator[tuple[ast.AST, range]]:
    """Every node below a statement, with the lines in which a comment speaks for it: those of the innermost statement
    (of a block only its head), and the line above."""
    first = getattr(statement, "lineno", 0)
    children = list(ast.iter_child_nodes(statement))
    inner = [child for child in children if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case)]
    head = [child for child in children if child not in inner]
    last = max([getattr(child, "end_lineno", None) or first for child in head], default=first)
    lines = range(first - 1, (last if inner else statement.end_lineno or first) + 1)
    yield from ((node, lines) for child in head for node in ast.walk(child))
    for child in inner:
        yield from with_lines(child)


def comment_lines(source: str) -> set[int]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0] for token in tokens if token.type == tokenize.COMMENT}


def test_every_field_of_every_settings_has_words() -> None:
    silent = {path.relative_to(REPOSITORY).as_posix(): fields_without_words(path.read_text()) for path in modules()}
    assert not {name: fields for name, fields in silent.items() if fields}


def test_there_are_settings_to_look_at() -> None:
    names = {node.name for path in modules() for node in settings_classes(ast.parse(path.read_text()))}
    assert {"SlotSettings", "MergeSettings", "NettingSettings", "BindingSettings", "BillingPolicy"} <= names


def test_no_number_in_a_body_goes_without_a_word() -> None:
    bare = {
        path.relative_to(REPOSITORY).as_posix(): bare_numbers(path.read_text())
        for path in modules()
        if path.name not in NOT_PURE
    }
    assert not {name: numbers for name, numbers in bare.items() if numbers}


@pytest.mark.parametrize(
    ("body", "silent"),
    [
        ("    one: float = 1.5", ["ASettings.one"]),
        ("    one: float = 1.5\n    # a comment is no docstring", ["ASettings.one"]),
        ('    one: float = 1.5\n    """Seconds."""\n    two: int = 3', ["ASettings.two"]),
        ('    one: float = 1.5\n    """ """', ["ASettings.one"]),
        ('    """Words above belong to the class."""\n    one: float\n    """Seconds."""', []),
    ],
)
def test_a_field_without_words_is_found(body: str, silent: list[str]) -> None:
    assert fields_without_words(f"@dataclass(frozen=True)\nclass ASettings:\n{body}\n") == silent


@pytest.mark.parametrize(
    ("body", "bare"),
    [
        ("    return 1.7 * x", ["2: 1.7"]),
        ("    if x > 1.7:\n        # says nothing of the head\n        return 2.5", ["2: 1.7"]),
        ("    return 1.7 * x  # a guard", []),
        ("    # a guard\n    return max(\n        1.7,\n        x,\n    )", []),
        ("    for y in x:\n        z = 0.3 * y\n    return z", ["3: 0.3"]),
        ("    return 0.5 * x + 1.0", []),
    ],
)
def test_a_number_without_a_word_is_found(body: str, bare: list[str]) -> None:
    assert bare_numbers(f"def f(x):\n{body}\n") == bare
