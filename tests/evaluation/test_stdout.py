"""Standard output of every `--json` is JSON and nothing else, whatever libraries print on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from evaluation.stdout import libraries_to_stderr

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of ten grey frames, and the smallest files that each command accepts with it."""
    folder = tmp_path_factory.mktemp("inputs")
    writer = cv2.VideoWriter(str(folder / "v.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (320, 240))
    for _ in range(10):
        writer.write(np.full((240, 320, 3), 90, np.uint8))
    writer.release()
    (folder / "boxes.txt").write_text("".join(f"{frame},1,50,50,40,90,1\n" for frame in range(1, 11)))
    (folder / "slots.yaml").write_text("slots:\n- {id: a, polygon: [[10, 10], [60, 10], [60, 60], [10, 60]]}\n")
    (folder / "events.csv").write_text("time_s,slot_id,type\n")
    return folder


def output_of(command: str, *arguments: str) -> object:
    done = subprocess.run(
        [sys.executable, "-m", "evaluation", command, *arguments, "--json"],
        cwd=REPOSITORY,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_tracking(inputs: Path) -> None:
    boxes = str(inputs / "boxes.txt")
    output_of("tracking", "--video", str(inputs / "v.avi"), "--truth", boxes, "--detections", boxes)


def test_events(inputs: Path) -> None:
    files = ("--slots", str(inputs / "slots.yaml"), "--truth", str(inputs / "events.csv"))
    output_of("events", "--video", str(inputs / "v.avi"), *files)


def test_what_a_compiled_library_prints_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    with libraries_to_stderr():
        print("from Python")  # noqa: T201 - this is what is tested
        os.write(1, b"from below\n")
    print("result")  # noqa: T201
    out, error = capfd.readouterr()
    assert out == "result\n"
    assert {"from Python", "from below"} <= set(error.splitlines())
