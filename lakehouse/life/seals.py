"""A sealed store-day's totals are frozen: nothing of it is written again, so nothing is recomputed from half
its sources and an erasure never changes what was published."""

from __future__ import annotations

import json
import re
from contextlib import ExitStack, suppress
from datetime import date, datetime

from lakehouse.contract import TableContract
from lakehouse.lake import ENGINE_FOLDER, Lake
from lakehouse.leases.hold import WAIT_S, hold_lease
from lakehouse.store_day import StoreDay

_FOLDER = f"{ENGINE_FOLDER}/seals"
_SEAL = re.compile(r"([^/]+)/(\d{4}-\d{2}-\d{2})\.json")
_DAY_COLUMNS = frozenset({"business_date", "capture_hour"})


def is_sealable(contract: TableContract) -> bool:
    """Whether a table's partitions belong to store-days."""
    return bool(_DAY_COLUMNS & set(contract.partition_by))


def _key(store_day: StoreDay) -> str:
    return f"{_FOLDER}/{store_day.store_id}/{store_day.business_date.isoformat()}.json"


def seal(
    lake: Lake,
    store_day: StoreDay,
    contracts: list[TableContract],
    *,
    run_id: str,
    now: datetime,
    wait_s: float = WAIT_S,
) -> bool:
    """Seals the day, once and for ever, and notes the version of every given table at that moment.

    `contracts`: the tables that have partitions of this day (others are ignored). Their leases are held
    meanwhile, so no write that began before the seal commits after it; each is waited for `wait_s` seconds. Returns
    False if the day was sealed already.
    """
    tables = sorted((c for c in contracts if is_sealable(c)), key=lambda c: c.path)
    with ExitStack() as leases:
        held = [leases.enter_context(hold_lease(lake, contract, wait_s=wait_s)) for contract in tables]
        versions = {contract.path: _version(lake, contract) for contract in tables}
        record = {
            "store_id": store_day.store_id,
            "business_date": store_day.business_date.isoformat(),
            "sealed_at": now.isoformat(),
            "run_id": run_id,
            "table_versions": {path: version for path, version in versions.items() if version is not None},
        }
        # Whoever slept for so long that a lease was taken over must not seal what its next holder is writing.
        for lease in held:
            lease.check()
        return lake.objects.create_bytes(json.dumps(record, sort_keys=True, indent=1).encode(), _key(store_day))


def _version(lake: Lake, contract: TableContract) -> int | None:
    """None while the table does not exist, or if its log cannot be read: deletion waits for the seal, and the seal
    for no repair."""
    try:
        table = lake.open(contract)
    except Exception:  # noqa: BLE001 - damaged, closed, no log at all: the sweep names the table
        return None
    return None if table is None else table.version()


def is_sealed(lake: Lake, store_day: StoreDay) -> bool:
    """Whether the day is sealed."""
    return lake.objects.exists(_key(store_day))


def sealed_days(lake: Lake) -> list[StoreDay]:
    """All sealed days, in order. What lies beside the seals and is none is passed over."""
    found = []
    for item in lake.objects.list(_FOLDER):
        match = _SEAL.fullmatch(item.key.removeprefix(f"{_FOLDER}/"))
        # A seal is written as its day says; another spelling of a date is no seal that anything would look for.
        with suppress(ValueError):
            if match:
                found.append(StoreDay(match[1], date.fromisoformat(match[2])))
    return sorted(found)
