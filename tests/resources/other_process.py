"""Another process that does something and then stays, for tests of what one process sees of another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
_STAYS = "\nprint('done', flush=True)\nimport signal\nwhile True:\n    signal.pause()\n"
HOLDS_LOCK = """
import sys
from pathlib import Path
from resources.lock_file import alone
held = alone(Path(sys.argv[1]))
held.__enter__()
"""
"""Takes the lock file that it is given, and keeps it."""


@contextmanager
def other_process(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Runs Python code, which reads `arguments` from sys.argv, and yields once it has run through. The process stays
    until the block ends, then it is killed."""
    command = [sys.executable, "-c", code + _STAYS, *map(str, arguments)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        yield process
    finally:
        process.kill()
        process.communicate()
