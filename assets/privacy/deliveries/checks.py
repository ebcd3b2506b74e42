"""What deliveries ought to be: accepted, and taken."""

from __future__ import annotations

import polars as pl

from lakehouse.audit import ExpectationResult, identity_check
from lakehouse.contract import Severity
from resources.steps.specs import DomainCheck

NONE_REFUSED = "no_delivery_refused"
NONE_STUCK = "no_delivery_stuck"

DECLARED = (
    DomainCheck(
        NONE_REFUSED,
        "Nothing that a store delivered was refused. Count: files. The rows say why, docs/landing.md what is allowed; "
        "the files lie below landing/rejected until their time is up.",
        Severity.WARNING,
    ),
    DomainCheck(
        NONE_STUCK,
        "Nothing that a store delivered has waited for more than an hour: for its other half, for a slot or product "
        "that it names, for a run. Count: files.",
        Severity.WARNING,
    ),
)


def none_refused(found: pl.DataFrame) -> ExpectationResult:
    """How many files were refused, as a whole or in part."""
    return _count(NONE_REFUSED, found.filter(pl.col("state") == "refused"))


def none_stuck(found: pl.DataFrame) -> ExpectationResult:
    """How many files wait for what does not come."""
    return _count(NONE_STUCK, found.filter(pl.col("state") == "stuck"))


def _count(name: str, found: pl.DataFrame) -> ExpectationResult:
    files = found["file_key"].n_unique()
    return identity_check(name, files, files, severity=Severity.WARNING)
