"""Worker processes for footage: one thread each, gone when their parent goes, whatever ended it."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Generic, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_PR_SET_PDEATHSIG = 1
# A killed run leaves its semaphores to multiprocessing's tracker, which removes them: no news for whoever killed it.
_QUIET_TRACKER = "ignore:resource_tracker:UserWarning"
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(frozen=True)
class Worked(Generic[Result]):
    """Results in the order of the tasks; user and system seconds of all workers, start-up included; and the largest
    resident size that any child of this process has reached, in MB."""

    results: tuple[Result, ...]
    core_seconds: float
    peak_mb: float


def work(
    function: Callable[[Task], Result],
    tasks: Sequence[Task],
    workers: int,
    on_done: Callable[[int, Result], None] = lambda _index, _result: None,
) -> Worked[Result]:
    """Applies a module-level function to every task, in at most `workers` processes. `on_done` hears of each result as
    it comes, with its task's place. The first exception of a task ends the work and is raised here."""
    if not tasks:
        return Worked((), 0.0, 0.0)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    results: dict[int, Result] = {}
    if _QUIET_TRACKER not in sys.warnoptions:
        sys.warnoptions.append(_QUIET_TRACKER)
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(tasks)), context, _start, (os.getpid(),))
    try:
        # The longest first would be better still, but clips of a day are of one length.
        futures = {pool.submit(function, task): index for index, task in enumerate(tasks)}
        for future in as_completed(futures):
            index = futures[future]
            results[index] = future.result()
            on_done(index, results[index])
    except BaseException:
        # A task may take minutes: who failed or was interrupted does not wait for the rest.
        for process in multiprocessing.active_children():
            process.kill()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Worked(
        tuple(results[index] for index in range(len(tasks))),
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        after.ru_maxrss / 1024,
    )


def _start(parent: int) -> None:
    """First thing in a worker, before any numeric library is loaded."""
    # A keyboard interrupt reaches the whole group; the parent then shuts the pool down in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    for name in _ONE_THREAD:
        os.environ[name] = "1"
