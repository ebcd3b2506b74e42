"""Why a delivery was refused: a closed list, so that nothing of its content can slip out."""

from __future__ import annotations

import re
from enum import StrEnum

_FIELD_NAME = re.compile(r"[a-z][a-z_]{0,39}")


class Reason(StrEnum):
    """Why a line or a file was refused. A closed list, so that nothing of the content can slip into it."""

    UNKNOWN_FIELD = "unknown_field"
    MISSING_FIELD = "missing_field"
    DUPLICATE_FIELD = "duplicate_field"
    WRONG_TYPE = "wrong_type"
    NOT_AN_INSTANT = "not_an_instant"
    NOT_A_DATE = "not_a_date"
    NOT_AN_ID = "not_an_id"
    NOT_ALLOWED = "not_allowed"
    OUT_OF_RANGE = "out_of_range"
    ARITHMETIC = "arithmetic"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_YAML = "not_yaml"
    NOT_CSV = "not_csv"
    FILE_NAME = "file_name"
    WRONG_STORE = "wrong_store"
    WRONG_CAMERA = "wrong_camera"
    DUPLICATE_KEY = "duplicate_key"
    UNKNOWN_REFERENCE = "unknown_reference"
    UNKNOWN_REVIEW = "unknown_review"
    ALREADY_DECIDED = "already_decided"
    EVIDENCE_EXPIRED = "evidence_expired"
    NOBODY_TO_BILL = "nobody_to_bill"


class Refused(Exception):
    """A value, line or file that the landing contract does not allow. Carries field name and reason, never
    a value."""

    def __init__(self, reason: Reason, field_name: str = "") -> None:
        super().__init__(f"{field_name}: {reason}" if field_name else str(reason))
        self.reason = reason
        self.field_name = field_name


def safe_field_name(name: str) -> str:
    """The name of a refused field if it looks like a name at all; a value misused as a name is not
    repeated."""
    return name if _FIELD_NAME.fullmatch(name) else "(unnamed)"
