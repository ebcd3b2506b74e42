from __future__ import annotations

import threading
from pathlib import Path

import pytest
from deltalake import DeltaTable

from lakehouse.lake import Lake
from lakehouse.leases.hold import hold_lease
from lakehouse.tables.reader import scan
from lakehouse.tables.writer import replace_partition
from lakehouse.upkeep.log_trimming import trim_logs
from tests.lakehouse.small_tables import DAY, INFO, NOW, SIGHTS, TOTALS, data_files, file_contents, sights, totals

HOURS = list(DAY.capture_hours[:2])


def write(lake: Lake, seed: int) -> None:
    replace_partition(lake, SIGHTS, sights(HOURS, seed=seed), DAY.partition(SIGHTS), commit=INFO, now=NOW)


def test_what_the_latest_version_does_not_need_goes_and_the_rest_stays(lake: Lake) -> None:
    for seed in range(4):
        write(lake, seed)
    folder = Path(lake.uri(SIGHTS))
    (folder / f"store_id=s001/capture_hour={HOURS[0]}/left-by-a-crash.parquet.1.unfinished").write_bytes(b"x")
    rows = scan(lake, SIGHTS).collect()
    live = {name: data for name, data in file_contents(folder).items() if name in _live(lake)}
    (report,) = trim_logs(lake, [SIGHTS, TOTALS])
    assert (report.table, report.data_files_removed) == ("probe/sights", 7)
    assert report.log_files_removed >= 4
    assert {n: d for n, d in file_contents(folder).items() if not n.startswith("_delta_log/")} == live
    log = {name for name in file_contents(folder) if name.startswith("_delta_log/")}
    assert len(log) == 3  # the last entry, its checkpoint, and the pointer to it
    assert scan(lake, SIGHTS).collect().equals(rows)


def _live(lake: Lake) -> set[str]:
    table = lake.open(SIGHTS)
    assert table is not None
    return {uri.removeprefix(f"{lake.uri(SIGHTS)}/") for uri in table.file_uris()}


def test_a_table_works_on_after_a_trim_and_trims_again_to_nothing(lake: Lake) -> None:
    write(lake, 0)
    trim_logs(lake, [SIGHTS])
    before = file_contents(Path(lake.uri(SIGHTS)))
    (again,) = trim_logs(lake, [SIGHTS])
    assert (again.data_files_removed, again.log_files_removed) == (0, 0)
    assert file_contents(Path(lake.uri(SIGHTS))) == before
    write(lake, 1)
    assert scan(lake, SIGHTS).collect().sort("row_id").equals(sights(HOURS, seed=1))
    assert len(data_files(Path(lake.uri(SIGHTS)))) == 4


def test_a_trim_waits_for_the_writer(lake: Lake) -> None:
    """Beside a running writer a full vacuum deletes files that are about to be committed."""
    write(lake, 0)
    folder = Path(lake.uri(SIGHTS))
    trimmed = threading.Event()

    def trim() -> None:
        trim_logs(lake, [SIGHTS], pause_s=0.0)
        trimmed.set()

    seen: list[threading.Thread] = []

    def steps(step: str) -> None:
        if step == "file written" and not seen:
            thread = threading.Thread(target=trim)
            seen.append(thread)
            thread.start()
            assert not trimmed.wait(0.3)

    replace_partition(lake, SIGHTS, sights(HOURS, seed=1), DAY.partition(SIGHTS), commit=INFO, now=NOW, steps=steps)
    seen[0].join(10)
    assert trimmed.is_set()
    assert scan(lake, SIGHTS).collect().sort("row_id").equals(sights(HOURS, seed=1))
    assert len(data_files(folder)) == 2


def test_no_table_has_deletion_vectors(lake: Lake) -> None:
    write(lake, 0)
    replace_partition(lake, TOTALS, totals({1: 1}), DAY.partition(TOTALS), commit=INFO, now=NOW)
    for table in (SIGHTS, TOTALS):
        protocol = DeltaTable(lake.uri(table)).protocol()
        assert (protocol.min_reader_version, protocol.min_writer_version) == (1, 2)
        assert not protocol.writer_features


def test_trimming_nothing_is_nothing(lake: Lake) -> None:
    with pytest.raises(StopIteration):
        next(iter(trim_logs(lake, [SIGHTS])))
    with hold_lease(lake, SIGHTS):
        pass
