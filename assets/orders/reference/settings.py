"""Settings of the reference data: how long a delivery may wait for another one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class ReferenceSettings:
    """How long reference files wait for what they name. Chosen by hand."""

    patience: timedelta = timedelta(hours=12)
    """Time, from when it was put there, for which a file that names a slot or product which nobody knows yet stays in
    landing. Longer than the deliveries of one night take, and shorter than from one night to the next: what waits is
    refused, and so kept, before the next file of its name takes its place."""
