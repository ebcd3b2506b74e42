"""Who holds a lease, as it writes into it for whoever waits: run, process and machine, nothing of a person."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from dataclasses import dataclass
from datetime import datetime


@dataclass
class ThisProcess:
    """What this process says of itself. `run_id`: the run that it works for at the moment; empty for none."""

    run_id: str = ""


THIS_PROCESS = ThisProcess()


@dataclass(frozen=True)
class Holder:
    """`run_id`: empty outside runs; `machine`: a hash, so that no name of anybody's computer gets out; `since`: UTC,
    None if unknown."""

    run_id: str
    process: int
    machine: str
    since: datetime | None = None

    @property
    def words(self) -> str:
        """As in "run 1f2e3d4c (process 123) since 07:01:29 UTC"."""
        found = f"process {self.process}" + ("" if self.machine == _machine() else " of another machine")
        if self.run_id:
            found = f"run {self.run_id[:8]} ({found})"
        return found + (f" since {self.since:%H:%M:%S} UTC" if self.since else "")


def signature(**more: str | int) -> bytes:
    """What this process writes into a lease that it holds."""
    said: dict[str, str | int] = {"run": THIS_PROCESS.run_id, "process": os.getpid(), "machine": _machine()}
    return json.dumps(said | more).encode("ascii")


def holder_of(content: bytes, since: datetime | None = None) -> Holder | None:
    """Who wrote this into a lease; None if it says nobody."""
    try:
        said = json.loads(content)
        return Holder(str(said["run"]), int(said["process"]), str(said["machine"]), since)
    except (ValueError, TypeError, KeyError):
        return None


def _machine() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:8]
