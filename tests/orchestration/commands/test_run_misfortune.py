"""`python -m orchestration run` against misfortune around it: what it says, its status, and what it leaves alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestration.__main__ import main
from tests.assets.analytics.marts.test_warehouse import FIT, make, writer
from tests.assets.vision.detection.test_networks import damage
from tests.e2e.tiny_store import land_clip, land_reference
from tests.resources.other_process import HOLDS_LOCK, other_process

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command names Dagster's folder to Dagster."""
    monkeypatch.setenv("DAGSTER_HOME", "")


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """Everything that was said, without the line breaks of the terminal."""
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return re.sub(r"\s+", " ", said.out + said.err)


@pytest.mark.parametrize("unusable_bucket", ["wrong keys", "nobody there"], indirect=True)
def test_a_bucket_that_cannot_be_worked_in_is_said_once(
    tmp_path: Path,
    unusable_bucket: tuple[Path, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file, why = unusable_bucket
    monkeypatch.setenv("OPENAISLE_SETTINGS", str(file))
    land_reference(tmp_path / "landing")
    assert main(["--home", str(tmp_path), "run"]) == 1
    said = told(capsys)
    assert said.count(f"the lake failed: the bucket of storage.lake in the settings {why}") == 1
    assert "reference data and history" not in said
    # Before it stops it has swept, and nothing that has landed was touched.
    assert "what has reached the end of its life" in said
    assert (tmp_path / "landing" / "reference" / "products.csv").is_file()


@contextmanager
def running(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that works on the home, as `run` does."""
    lock = home / "dagster" / "orchestration_run.lock"
    lock.parent.mkdir(parents=True)
    with other_process(HOLDS_LOCK, lock) as process:
        yield process


def test_the_second_of_two_runs_sweeps_and_leaves_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    land_reference(tmp_path / "landing")
    with running(tmp_path) as other:
        assert main(["--home", str(tmp_path), "run"]) == 1
    said = told(capsys)
    assert f"the run failed: process {other.pid} is running on this home, too: wait until it has ended" in said
    assert "what has reached the end of its life" in said
    # It counts no checks of tables that the other one is writing.
    assert "checks:" not in said
    assert (tmp_path / "landing" / "reference" / "products.csv").is_file()


def untouched() -> dict[str, str]:
    """The environment, without what a command in this process has set for its children."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("OPENCV_", "DAGSTER_"))}


def run(home: Path, folder: Path = REPOSITORY) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with the code of a folder."""
    return subprocess.run(
        [sys.executable, "-m", "orchestration", "--home", str(home), "run"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=untouched(),
    )


def test_a_damaged_network_stops_the_run_before_anything_is_computed(tmp_path: Path) -> None:
    code = tmp_path / "code"
    not_needed = shutil.ignore_patterns(".git", ".venv", "var", "tests", "simulation", ".*_cache")
    shutil.copytree(REPOSITORY, code, ignore=not_needed)
    network = code / "assets" / "vision" / "detection" / "models" / "nanodet_person_int8.onnx"
    damage(network)
    land_reference(tmp_path / "home" / "landing")
    done = run(tmp_path / "home", code)
    said = re.sub(r"\s+", " ", done.stdout)
    assert done.returncode == 1
    assert said.count("the detector's network failed: the detector's network ") == 1
    assert str(network) in re.sub(r"\s+", "", done.stdout)
    assert "put it back as it was shipped (git checkout -- " in said
    assert "Traceback" not in done.stdout + done.stderr
    assert (tmp_path / "home" / "landing" / "reference" / "products.csv").is_file()


def test_analysts_file_that_somebody_writes_into(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "warehouse").mkdir()
    file = make(tmp_path / "warehouse" / "analytics.duckdb", FIT)
    with writer(file) as held:
        assert main(["--home", str(tmp_path), "run"]) == 1
        said = told(capsys)
        busy = f"process {held.pid} has {file} open for writing: close it there"
        assert f"marts failed: marts: {busy}" in said
        assert "the analysts' file failed" in said


def land_damaged(landing: Path) -> list[Path]:
    """Two clips of which their sidecars speak the truth: one with noise in its middle, one that was cut short."""
    began = (datetime.now(UTC) - timedelta(hours=3)).replace(minute=10, second=0, microsecond=0)
    clips = [land_clip(landing, camera_id, began) for camera_id in ("c1", "c2")]
    for clip, has_noise in zip(clips, (True, False), strict=True):
        data = bytearray(clip.read_bytes())
        pictures = range(data.find(b"mdat") + 4, data.find(b"moov") - 8)
        if has_noise:
            for index in pictures[len(pictures) // 3 : -len(pictures) // 3 : 7]:
                data[index] ^= 0x5A
        else:
            del data[len(data) // 2 :]
        clip.write_bytes(data)
        sidecar = json.loads(clip.with_suffix(".json").read_text())
        digest = hashlib.sha256(data).hexdigest()
        clip.with_suffix(".json").write_text(json.dumps(sidecar | {"sha256": digest}))
    return clips


def test_decoders_of_damaged_clips_keep_quiet(tmp_path: Path) -> None:
    """What they print by themselves would tear the progress display."""
    clips = land_damaged(tmp_path / "landing")
    reads = "import cv2, sys; c = cv2.VideoCapture(sys.argv[1])\nwhile c.read()[0]: pass"
    for clip in clips:
        command = [sys.executable, "-c", reads, str(clip)]
        loud = subprocess.run(command, env=untouched(), capture_output=True, text=True, check=True)
        assert "@ 0x" in loud.stderr, "a clip of which no decoder complains shows nothing"
    land_reference(tmp_path / "landing")
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "@ 0x" not in done.stdout
    assert "clips_usable" in re.sub(r"\s+", "", done.stdout.replace("│", ""))
