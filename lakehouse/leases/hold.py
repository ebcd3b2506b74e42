"""One holder at a time per table: who writes, drops or vacuums holds the table's lease.

Why writers hold it too: a vacuum beside a running writer deletes its uncommitted files, and tombstones must
be checked and the commit made under one lock. On a local disk the lease is a kernel file lock, which dies
with its holder. In a bucket it is an object that the holder keeps rewriting; whoever sees it unchanged for a
whole `TAKEOVER_S` takes it over, and moves the table's log on, so that the holder before
cannot commit any more. That needs no clock that two machines share, and no process that cleans up.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lakehouse.contract import TableContract
from lakehouse.lake import ENGINE_FOLDER, Lake
from lakehouse.leases.attempts import Lease
from lakehouse.leases.disk import hold_file

WAIT_S = 120.0
TAKEOVER_S = 15.0


@contextmanager
def hold_lease(
    lake: Lake, contract: TableContract, *, wait_s: float = WAIT_S, takeover_s: float = TAKEOVER_S
) -> Iterator[Lease]:
    """Holds the table's lease. Raises LeaseUnavailable after `wait_s` seconds."""
    key = f"{ENGINE_FOLDER}/leases/{contract.path}"
    if lake.is_local:
        with hold_file(Path(lake.root) / key, contract.path, wait_s) as held:
            yield held
    else:
        from lakehouse.leases.bucket import hold_object
        from lakehouse.leases.fence import fence

        with hold_object(lake.objects, key, contract.path, wait_s, takeover_s) as held:
            if held.took_over:
                fence(lake, contract)
            yield held
