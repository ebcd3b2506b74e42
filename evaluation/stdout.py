"""Standard output belongs to the result: what libraries print on the way goes to standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def libraries_to_stderr() -> Iterator[None]:
    """Everything printed inside goes to standard error, from Python and from compiled libraries alike."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
