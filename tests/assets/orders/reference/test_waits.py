"""When a run has to look again at reference files that wait."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from assets.orders.reference.settings import ReferenceSettings
from assets.orders.reference.waits import waits_over
from resources.landing.file_access import landed_at

HOUR = ReferenceSettings(patience=timedelta(hours=1))


def test_it_goes_up_whenever_a_files_time_is_over_and_not_between(tmp_path: Path) -> None:
    file, gone = tmp_path / "prices.csv", tmp_path / "gone.csv"
    file.touch()
    put_there = landed_at(file)
    hours = (-1.0, 0.0, 0.99, 1.0, 1.5, 2.0)
    assert [waits_over([file, gone], put_there + timedelta(hours=n), HOUR) for n in hours] == [0, 0, 0, 1, 1, 2]


def test_files_count_each_for_itself(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("prices.csv", "planogram.csv")]
    for file in files:
        file.touch()
    late = max(map(landed_at, files)) + timedelta(hours=1)
    assert waits_over(files, late, HOUR) == 2
