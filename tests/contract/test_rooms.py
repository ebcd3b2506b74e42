"""The rules of the house that can be read from the tree: who imports whom between rooms, what lies where, what it is
called. Who may import whom between layers is in test_import_rules.py."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LAYERS = ("lakehouse", "resources", "assets", "orchestration")
ENGINE = ("files", "leases", "life", "tables", "upkeep")
"""The engine's rooms, each of which reads only those before it."""

# What is not counted as a room's own module: what Dagster reads, its numbers, its command.
BESIDE_PURE = {"__init__", "__main__", "assets", "checks", "definitions", "settings"}
MOST_MODULES = 8
"""About eight."""

NO_SOURCE_FOLDER = {"contract", "e2e"}


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in files(*LAYERS)}
TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in MODULES.items()}


def imported(module: str) -> Iterator[str]:
    """Modules of the four layers that a module imports anywhere: in functions and for annotations only, too."""
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                name = f"{node.module}.{alias.name}"
                if (found := name if name in MODULES else node.module) in MODULES:
                    yield found


def room_of(module: str) -> str:
    """The folder in which a module lies, as `assets.vision.slots`; of what lies in a hall, the module itself."""
    parts = module.split(".")
    depth = 3 if parts[0] == "assets" else 2
    if len(parts) > depth or MODULES[module].name == "__init__.py":
        return ".".join(parts[:depth])
    return module


def circle(graph: dict[str, set[str]]) -> str:
    """One way round in circles; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return " <- ".join(error.args[1])
    return ""


def rooms() -> dict[str, list[str]]:
    """Every room with the names of its modules."""
    found: dict[str, list[str]] = defaultdict(list)
    for module, path in MODULES.items():
        parts = module.split(".")
        if len(parts) > (3 if parts[0] == "assets" else 2) or (
            path.name == "__init__.py" and len(parts) == len(room_of(module).split("."))
        ):
            found[room_of(module)].append(path.stem)
    return {room: names for room, names in found.items() if room.count(".") == (2 if room.startswith("assets.") else 1)}


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) == ""
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != ""


def test_no_two_files_import_each_other() -> None:
    assert circle({module: set(imported(module)) - {module} for module in MODULES}) == ""


@pytest.mark.parametrize("layer", LAYERS)
def test_rooms_form_a_ladder(layer: str) -> None:
    graph: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        if module.split(".")[0] == layer:
            graph[room_of(module)] |= {room_of(other) for other in imported(module)} - {room_of(module)}
    assert circle(graph) == ""


def test_the_engine_is_built_upwards() -> None:
    found = {
        f"{module} imports {other}"
        for module in MODULES
        for other in imported(module)
        if module.split(".")[0] == other.split(".")[0] == "lakehouse"
        and (mine := module.split(".")[1]) in ENGINE
        and (theirs := other.split(".")[1]) in ENGINE
        and ENGINE.index(theirs) > ENGINE.index(mine)
    }
    assert not found


def test_a_room_has_few_modules_and_none_is_empty() -> None:
    pure = {room: sorted(set(names) - BESIDE_PURE) for room, names in rooms().items()}
    assert {room: names for room, names in pure.items() if len(names) > MOST_MODULES} == {}
    assert [room for room, names in rooms().items() if set(names) == {"__init__"}] == []


def test_every_room_says_what_it_is() -> None:
    assert [room for room in rooms() if not (room in TREES and ast.get_docstring(TREES[room]))] == []


def test_steps_and_checks_lie_in_their_rooms() -> None:
    """A step's decorator stands in a room's assets.py, a check is declared in a room's checks.py and nowhere else."""
    found = set()
    for module, path in MODULES.items():
        if not module.startswith("assets."):
            continue
        for node in ast.walk(TREES[module]):
            name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
            if (name == "table_assets" and path.name != "assets.py") or (
                name == "DomainCheck" and path.name != "checks.py"
            ):
                found.add(f"{name} in {path.relative_to(REPOSITORY)}")
        if path.name in ("assets.py", "checks.py") and len(module.split(".")) != 4:
            found.add(f"{path.relative_to(REPOSITORY)} lies in no room")
    assert not found


def test_tuned_numbers_lie_in_settings() -> None:
    found = {
        f"{module}.{node.name}"
        for module, path in MODULES.items()
        if module.startswith("assets.") and path.name != "settings.py"
        for node in TREES[module].body
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Settings", "Policy"))
    }
    assert not found


def test_what_several_rooms_share_is_shared_by_several() -> None:
    """A module in a domain's hall that one room alone uses belongs into that room."""
    users: dict[str, set[str]] = defaultdict(set)
    for module in MODULES:
        for other in imported(module):
            users[other].add(room_of(module))
    lonely = {
        module
        for module, path in MODULES.items()
        if module.startswith("assets.") and len(module.split(".")) == 3 and path.stem not in BESIDE_PURE
        if path.name != "__init__.py" and len(users[module]) < 2
    }
    assert not lonely


def test_nobody_has_to_rename_a_module() -> None:
    found = {
        f"{module} calls {node.module}.{alias.name} {alias.asname}"
        for module in MODULES
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname and f"{node.module}.{alias.name}" in MODULES
    }
    assert not found


WITH_DETECTOR = {"detection", "tracking", "clip_analysis", "single_video", "trajectories"}


def names_in(tree: ast.Module) -> Iterator[str]:
    """Everything that a module calls by a name: variables, fields, parameters, functions, classes, keywords."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg | ast.keyword):
            yield node.arg or ""
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name


def test_a_look_is_a_pass_of_the_detector() -> None:
    """And nothing else: what goods look like are colours, what a person looks like is appearance."""
    found = {
        f"{module}: {name}"
        for module in MODULES
        if module.startswith("assets.vision.") and module.split(".")[2] not in WITH_DETECTOR
        for name in names_in(TREES[module])
        if {"look", "looks"} & set(name.lower().split("_"))
    }
    assert not found


def test_nothing_private_is_imported() -> None:
    found = {
        f"{module} imports {node.module}.{alias.name}"
        for module in MODULES
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in LAYERS
        for alias in node.names
        if alias.name.startswith("_")
    }
    assert not found


def test_tests_have_the_same_folders() -> None:
    root = REPOSITORY / "tests"
    shared = root / "conftest.py"
    folders = {path.parent.relative_to(root) for path in files("tests") if path != shared}
    strangers = {
        str(folder)
        for folder in folders
        if not folder.parts or (folder.parts[0] not in NO_SOURCE_FOLDER and not (REPOSITORY / folder).is_dir())
    }
    assert not strangers
