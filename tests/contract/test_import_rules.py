"""Who may import whom, read from the source: nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
LAYERS = ("lakehouse", "resources", "assets", "orchestration")
DOMAINS = ("vision", "orders", "analytics", "privacy")
DAGSTER_FILES = {"definitions.py", "assets.py", "checks.py"}
DAGSTER_RESOURCES = {"resources/clock.py", "resources/workplace.py"}
PURE = ("lakehouse", "assets")
BESIDE = ("simulation", "evaluation", "onboarding", "benchmarks", "tests")
# The lease is the one place where the storage engine lives by the clock: it must know when another process gave up. Its
# command lines and the processor-time measure of a clip are not part of any result.
READS_CLOCK = {
    "lakehouse/leases/attempts.py",
    "assets/vision/clip_analysis/decode_pass.py",
    "assets/orders/review/__main__.py",
}


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports anywhere, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def calls(path: Path) -> Iterator[str]:
    """Dotted names that a file calls or reads, as `datetime.now`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield f"{node.value.id}.{node.attr}"


def is_pure(path: Path) -> bool:
    parts = path.relative_to(REPOSITORY).parts
    return parts[0] == "lakehouse" or (parts[0] == "assets" and parts[-1] not in DAGSTER_FILES)


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_point_down_only(layer: str) -> None:
    higher = {*LAYERS[LAYERS.index(layer) + 1 :], *BESIDE}
    found = {f"{name_of(p)} imports {m}" for p in sources(layer) for m in imports(p) if m.split(".")[0] in higher}
    assert not found


def test_a_domain_reads_another_only_through_its_tables() -> None:
    found = set()
    for domain in DOMAINS:
        others = {f"assets.{other}" for other in DOMAINS if other != domain}
        for path in sources(f"assets/{domain}"):
            found |= {f"{name_of(path)} imports {m}" for m in imports(path) if ".".join(m.split(".")[:2]) in others}
    assert not found


def test_dagster_is_imported_only_where_it_may_be() -> None:
    found = {
        name_of(path)
        for path in sources(*LAYERS, "simulation", "evaluation", "benchmarks", "onboarding")
        for module in imports(path)
        if module.split(".")[0] in ("dagster", "dagster_dbt")
        and not name_of(path).startswith(("orchestration/", "resources/steps/"))
        and name_of(path) not in DAGSTER_RESOURCES
        and not (path.relative_to(REPOSITORY).parts[0] == "assets" and path.name in DAGSTER_FILES)
    }
    assert not found


def test_pure_modules_take_clock_environment_and_randomness_as_arguments() -> None:
    forbidden = {
        "datetime.now", "datetime.utcnow", "date.today", "time.time", "os.environ", "os.getenv", "random.random",
        "random.choice", "uuid.uuid4", "secrets.token_hex",
    }  # fmt: skip
    found = {
        f"{name_of(path)} uses {name}"
        for path in sources(*PURE)
        if is_pure(path) and name_of(path) not in READS_CLOCK
        for name in calls(path)
        if name in forbidden
    }
    assert not found


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        name_of(path) for path in sources(*LAYERS) for name in calls(path) if name in ("os.getenv", "environ.get")
    }
    found = {
        name_of(path)
        for path in sources(*LAYERS)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        # Writing a variable for a child process is no reading.
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) == ("os", "environ")
        and not _is_written(path, node)
    }
    assert (found | readers) <= {"resources/settings.py"}


def _is_written(path: Path, wanted: ast.Attribute) -> bool:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store)
        and (node.value.lineno, node.value.col_offset) == (wanted.lineno, wanted.col_offset)
        for node in ast.walk(tree)
    )


def test_the_simulator_knows_no_algorithm() -> None:
    found = {
        f"{name_of(path)} imports {module}"
        for path in sources("simulation")
        for module in imports(path)
        if module.split(".")[0] in ("assets", "orchestration", "evaluation")
    }
    assert not found


def test_scorers_know_no_algorithm() -> None:
    found = {
        f"{name_of(path)} imports {module}"
        for path in sources("evaluation")
        for module in imports(path)
        if path.name != "__main__.py" and module.split(".")[0] in ("assets", "orchestration", "simulation")
    }
    assert not found


def test_no_module_is_called_after_nothing() -> None:
    assert not [
        name_of(p)
        for p in sources(*LAYERS, "simulation", "evaluation")
        if p.stem in ("utils", "helpers", "common", "manager")
    ]
