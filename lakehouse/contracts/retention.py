"""The retention schedule: for every class its limit, its legal basis and who approved it.

The limits are promises of the privacy policy; a statutory minimum above a promise must carry a recorded decision,
or the schedule does not load.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from lakehouse.contract import RetentionClass

DROP_MARGIN = timedelta(minutes=30)
"""An hour is dropped this much before its limit, so that the sweep's interval and run time fit."""

PATIENCE = timedelta(minutes=15)
"""For this much of the margin a drop waits for what it would rather have: a seal, a lease. One more sweep fits into
what is left; after that the hour goes without."""


@dataclass(frozen=True)
class RetentionRule:
    """One line of the schedule. `limit` counts from capture; None: no fixed age, the basis says what ends it."""

    retention: RetentionClass
    limit: timedelta | None
    basis: str
    clauses: tuple[str, ...]
    approver: str
    statutory_min: timedelta | None = None
    decision: str = ""

    def __post_init__(self) -> None:
        if self.limit and self.statutory_min and self.statutory_min > self.limit and not self.decision:
            raise ValueError(
                f"retention class {self.retention}: statutory minimum above the promise, no decision recorded"
            )


SCHEDULE: dict[RetentionClass, RetentionRule] = {
    rule.retention: rule
    for rule in (
        RetentionRule(
            RetentionClass.MOVEMENT,
            timedelta(hours=72),
            "privacy policy: movement trajectory and clothing data are deleted every 3 days; read strictly, "
            "no value older than 72 h from capture",
            ("C-12", "C-50"),
            "privacy officer",
        ),
        RetentionRule(
            RetentionClass.FOOTAGE,
            timedelta(hours=168),
            "privacy policy: monitor data are deleted every 7 days; read strictly, no value older than 168 h "
            "from capture",
            ("C-13", "C-51"),
            "privacy officer",
            statutory_min=timedelta(days=30),
            decision="a 30 day minimum is reported for public-safety video systems; whether shops fall under it is "
            "with counsel. Until counsel answers, the promise to the shopper stands.",
        ),
        RetentionRule(
            RetentionClass.ACCOUNT,
            None,
            "ends with the account: 6 months after its last activity, or on request within 15 days",
            ("C-52", "C-53"),
            "privacy officer",
        ),
        RetentionRule(
            RetentionClass.REFERENCE, None, "describes the store and its goods, no person", (), "data office"
        ),
        RetentionRule(
            RetentionClass.LEDGER,
            None,
            "proof that the rules were kept; holds no personal value",
            ("C-57",),
            "privacy officer",
        ),
    )
}
