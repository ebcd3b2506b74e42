"""What `make` says on a machine that lacks something."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).resolve().parents[2] / "Makefile"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(MAKEFILE, tmp_path)
    return tmp_path


def old_python(folder: Path) -> str:
    script = folder / "python3.9"
    script.write_text("#!/bin/sh\necho 3.9\n")
    script.chmod(0o755)
    return str(script)


@pytest.mark.parametrize(
    ("python", "word"),
    [
        ("/nowhere/python", "is not a Python"),
        ("/bin/true", "is not a Python"),
        (old_python, "is 3.9"),
        ("", "no python3"),
    ],
)
def test_a_wrong_python_is_one_plain_sentence(folder: Path, python: object, word: str) -> None:
    chosen = python(folder) if callable(python) else python
    # As typed by a person: `make test`, which may run this, hands its own level and flags down.
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    done = subprocess.run(
        ["make", "setup", f"PYTHON={chosen}"], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )
    first, *rest = done.stderr.splitlines()
    assert done.returncode
    assert first.startswith("OpenAisle needs Python 3.11")
    assert word in first
    assert all(line.startswith("make: ***") for line in rest)
    assert not (folder / ".venv").exists()
