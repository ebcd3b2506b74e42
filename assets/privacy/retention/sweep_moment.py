"""The moment that a sweep judges by, and the heartbeat that it leaves for the next. What makes a clock believed is in
resources/believed_time.py."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from assets.privacy.places import FilePlace
from assets.privacy.retention.due import known_days, see_everything
from lakehouse.contracts import CONTRACTS
from lakehouse.contracts.retention import DROP_MARGIN
from lakehouse.lake import ENGINE_FOLDER, Lake
from lakehouse.life import expiry, seals
from lakehouse.tables.snapshot import take_snapshot
from resources.believed_time import (
    HEARTBEAT,
    HIGH_WATER,
    BelievedTime,
    Doubt,
    Heartbeat,
    Known,
    judge,
    proved,
    read_known,
)
from resources.clock_reading import ClockReading

_CONFIRMATIONS = f"{ENGINE_FOLDER}/time_confirmations"
_SET_ASIDE = ".damaged"


def find_moment(lake: Lake, places: tuple[FilePlace, ...], now: ClockReading) -> BelievedTime:
    """The moment that this sweep may judge by; leaves the heartbeat of it. What cannot be read is set aside, and what
    cannot be written stops no sweep: it is an alarm."""
    known = read_known(lake)
    found = judge(known, now, lambda: _is_anything_due(lake, places, now.wall_at))
    try:
        _set_aside(lake, known)
        if found.at is not None:
            _keep(lake, max(found.at, known.mark or found.at), found.heartbeat)
    except Exception:  # noqa: BLE001 - of whatever kind: deletion does not wait for a note
        return found if found.doubt else replace(found, doubt=Doubt.DAMAGED)
    return found


def look(lake: Lake, places: tuple[FilePlace, ...], now: ClockReading) -> tuple[Known, BelievedTime]:
    """What is known, and what a sweep would make of it now. Changes nothing."""
    known = read_known(lake)
    return known, judge(known, now, lambda: _is_anything_due(lake, places, now.wall_at))


def confirm(lake: Lake, now: ClockReading, by: str) -> None:
    """A person vouches for the clock: the next sweep goes on by it, and a mark in the future is set back. Who and when
    is kept."""
    before = read_known(lake)
    record = {
        "confirmed_at": now.wall_at.isoformat(),
        "confirmed_by": by,
        "heartbeat_before": before.heartbeat.at.isoformat() if before.heartbeat else None,
        "latest_moment_before": before.mark.isoformat() if before.mark else None,
    }
    key = f"{_CONFIRMATIONS}/{now.wall_at.strftime('%Y%m%dT%H%M%S.%fZ')}.json"
    lake.objects.put_bytes(json.dumps(record, indent=1).encode(), key)
    _set_aside(lake, before)
    _keep(lake, now.wall_at, proved(now))


def _keep(lake: Lake, mark: datetime, heartbeat: Heartbeat | None) -> None:
    # The mark first: a heartbeat that is later than every moment judged by is taken for damaged.
    lake.objects.put_bytes(mark.isoformat().encode(), HIGH_WATER)
    if heartbeat is not None:
        record = {
            "at": heartbeat.at.isoformat(),
            "boot_id": heartbeat.boot_id,
            "up_s": heartbeat.up.total_seconds(),
            "is_proved": heartbeat.is_proved,
        }
        lake.objects.put_bytes(json.dumps(record).encode(), HEARTBEAT)


def _set_aside(lake: Lake, known: Known) -> None:
    if not known.is_damaged:
        return
    for key, found in ((HEARTBEAT, known.heartbeat), (HIGH_WATER, known.mark)):
        raw = lake.objects.read_bytes(key) if found is None else None
        if raw is not None:
            lake.objects.put_bytes(raw, key + _SET_ASIDE)
            lake.objects.delete(key)


def _is_anything_due(lake: Lake, places: tuple[FilePlace, ...], now: datetime) -> bool:
    """Whether a sweep at that moment would delete or seal anything. What cannot be looked at may hold something."""
    try:
        days = set().union(
            *(known_days(table, take_snapshot(lake, table, any_version=True).cells) for table in CONTRACTS.values())
        )
        return any(
            look.contents is None or look.past(now, DROP_MARGIN) for look in see_everything(lake, places, {})
        ) or any(now >= expiry.seals_at(day) for day in days - {*seals.sealed_days(lake)})
    except Exception:  # noqa: BLE001 - of whatever kind: unknown is not nothing
        return True
