"""One process at a time: the lock goes with its holder, whatever ends it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.lock_file import Taken, alone
from tests.resources.other_process import HOLDS_LOCK, other_process


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    with other_process(HOLDS_LOCK, tmp_path / "lock") as process:
        yield process


def test_the_holder_is_named_and_its_death_frees_the_lock(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    with pytest.raises(Taken, match=f"process {holder.pid}"), alone(tmp_path / "lock"):
        pytest.fail("two at once")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with alone(tmp_path / "lock"):
        assert (tmp_path / "lock").read_text() == str(os.getpid())


def test_a_holder_that_cannot_be_named_holds_it_all_the_same(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    (tmp_path / "lock").write_text("nobody")
    with pytest.raises(Taken, match="another process"), alone(tmp_path / "lock"):
        pytest.fail(f"two at once: {holder.pid}")


def test_one_after_the_other(tmp_path: Path) -> None:
    for _ in range(2):
        with alone(tmp_path / "lock"), pytest.raises(Taken), alone(tmp_path / "lock"):
            pytest.fail("two at once")
