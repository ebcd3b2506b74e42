"""A person vouches for the machine's clock when a sweep doubts it: docs/runbooks/doubted-clock.md."""

from __future__ import annotations

import os
import pwd
import warnings
from collections.abc import Callable
from datetime import datetime

from rich.console import Console

from lakehouse.store_day import capture_hour
from resources.clock_reading import ClockReading
from resources.settings import Settings


def confirm_time(
    settings: Settings,
    console: Console,
    read_clock: Callable[[], ClockReading],
    *,
    hour: str = "",
    by: str = "",
    ask: Callable[[str], str] = input,
) -> int:
    """Shows what the clock is judged against and asks for the UTC hour by another clock (`hour` answers in advance).
    Returns the exit status: 0 confirmed or nothing to confirm, 1 not confirmed."""
    # Imported here: it brings Dagster along, which the other commands do without, and its notices of what may change.
    with warnings.catch_warnings(action="ignore"):
        from assets.privacy.places import file_places
    from assets.privacy.retention.sweep_moment import confirm, look

    lake, asked = settings.lake(), read_clock()
    known, judged = look(lake, file_places(settings), asked)
    kernel = "synchronised" if asked.is_synchronised else "unsynchronised"
    console.print(f"the machine's clock     {_shown(asked.wall_at)}, {kernel} by the kernel's word", highlight=False)
    console.print(f"last heartbeat          {_shown(known.heartbeat.at if known.heartbeat else None)}", highlight=False)
    console.print(f"latest moment judged by {_shown(known.mark)}", highlight=False)
    console.print(f"a sweep would judge by  {_shown(judged.at)}", highlight=False)
    if judged.doubt is None:
        console.print("the clock is believed: there is nothing to confirm")
        return 0
    console.print(f"{judged.doubt} ({judged.difference.total_seconds():+.0f} s)", highlight=False)
    console.print("By the machine's time the next sweep deletes for ever what is due, and seals days.")
    if not hour:
        try:
            hour = ask("Date and hour that ANOTHER clock shows, in UTC, as 2026-03-02T04Z (empty: stop): ").strip()
        except EOFError:
            console.print()
    now = read_clock()
    if hour not in {capture_hour(asked.wall_at), capture_hour(now.wall_at)}:
        console.print("[red]not confirmed[/red]: that is not the hour of the machine's clock.")
        console.print("If the machine's clock is wrong, set it (timedatectl, or the host's) and run this again.")
        return 1
    try:
        confirm(lake, now, by or _account())
    except Exception as error:  # noqa: BLE001 - a disk's or a bucket's
        console.print(f"[red]not confirmed[/red]: the lake's engine folder cannot be written ({type(error).__name__})")
        return 1
    console.print("confirmed: the next sweep goes on by the machine's clock (python -m orchestration run, or the UI)")
    return 0


def _shown(at: datetime | None) -> str:
    return "none" if at is None else at.strftime("%Y-%m-%d %H:%M:%S UTC")


def _account() -> str:
    """Who is logged in, by the system's own list."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
