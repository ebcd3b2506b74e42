"""When a landed file of gate scans is done with: a file may hold scans of more than one business date, and
each date is committed by its own run."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from lakehouse.store_day import business_date_of
from resources.landing.folder import SOURCE_FILE, SOURCE_LINE, Batch, Rejection
from resources.landing.refusals import Reason

_SCAN = ("store_id", "gate_id", "account_id", "direction", "scanned_at")


def finished(batch: Batch, held: pl.DataFrame, sealed_dates: Collection[str]) -> tuple[Batch, list[Rejection]]:
    """The part of the batch whose every line is in the table (`held`, rows of gate_events of the same
    store) or came too late, because its date is sealed; and those late lines, which are refused."""
    lines = batch.frame.with_columns(business_date_of("scanned_at").is_in(list(sealed_dates)).alias("is_late")).join(
        held.select(_SCAN).unique().with_columns(pl.lit(True).alias("is_held")),
        on=list(_SCAN),
        how="left",
    )
    missing = lines.filter(pl.col("is_held").is_null())
    unfinished = set(missing.filter(~pl.col("is_late"))[SOURCE_FILE])
    late = [
        Rejection(file, line, "scanned_at", Reason.EVIDENCE_EXPIRED)
        for file, line in missing.filter("is_late").select(SOURCE_FILE, SOURCE_LINE).iter_rows()
        if file not in unfinished
    ]
    files = tuple(file for file in batch.files if file.name not in unfinished)
    names = {file.name for file in files}
    rejections = tuple(rejection for rejection in batch.rejections if rejection.file in names)
    return Batch(batch.category, batch.frame, files, rejections), late
