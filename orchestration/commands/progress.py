"""Shows a Dagster run while it runs: which step, what it last said, how long, what it waits for. Reads Dagster's own
storage only."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import dagster as dg
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

_POLL_SECONDS = 0.25
_LOOK_AT_WAITS_SECONDS = 3.0
_MOST_RECORDS = 500


@dataclass
class _Followed:
    cursor: str | None = None
    done: int = 0
    running: list[str] = field(default_factory=list)
    said: str = ""

    def take(self, entry: dg.EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None:
            if int(entry.level) >= 20 and entry.step_key:
                self.said = entry.user_message
            return
        if event.step_key is None:
            return
        if event.event_type_value == "STEP_START":
            self.running.append(event.step_key)
            self.said = ""
        elif event.event_type_value in ("STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"):
            self.done += 1
            if event.step_key in self.running:
                self.running.remove(event.step_key)


def follow(
    console: Console,
    instance: dg.DagsterInstance,
    run_id: str,
    title: str,
    steps: int,
    work: Callable[[], None],
    waits: Callable[[bool], str | None] = lambda _: None,
) -> None:
    """Runs `work`, which executes the Dagster run `run_id` of `steps` steps, and draws its progress. Every few seconds
    `waits` is asked, and told whether a step runs; what it says is printed, once for each change.

    Raises whatever `work` raises.
    """
    raised: list[BaseException] = []

    def target() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread below
            raised.append(error)

    thread = threading.Thread(target=target, name="dagster-run", daemon=True)
    followed = _Followed()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[now]}"),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(title, total=steps, now="")
        thread.start()
        said, looked = None, time.monotonic()
        while thread.is_alive():
            thread.join(_POLL_SECONDS)
            _read(instance, run_id, followed)
            if time.monotonic() - looked > _LOOK_AT_WAITS_SECONDS:
                looked, waiting = time.monotonic(), waits(bool(followed.running))
                if waiting and waiting != said:
                    said = waiting
                    progress.console.print(f"{title} {waiting}", markup=False, highlight=False)
            progress.update(task, completed=followed.done, now=_now(followed))
        _read(instance, run_id, followed)
        progress.update(task, completed=followed.done, now="")
    if raised:
        raise raised[0]


def _read(instance: dg.DagsterInstance, run_id: str, followed: _Followed) -> None:
    while True:
        page = instance.get_records_for_run(run_id, cursor=followed.cursor, limit=_MOST_RECORDS)
        for record in page.records:
            followed.take(record.event_log_entry)
        followed.cursor = page.cursor
        if not page.has_more:
            return


def _now(followed: _Followed) -> str:
    names = ", ".join(followed.running)
    return f"{names}: {followed.said}" if followed.said and names else names
