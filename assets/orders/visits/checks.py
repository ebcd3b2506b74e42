"""Promises of gate scans and visits that need more than one table. Results are counts, never a value."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from lakehouse.audit import ExpectationResult, identity_check, no_strangers
from resources.steps.specs import DomainCheck

DECLARED: Mapping[str, tuple[DomainCheck, ...]] = {
    "orders/gate_events": (DomainCheck("gates_known", "Every scan was made at a gate that the store has."),),
    "orders/visits": (
        DomainCheck("ends_after_it_began", "A visit ends after it began."),
        DomainCheck("account_or_marked", "A visit has an account, or is marked as one without."),
        DomainCheck("followed_visits_have_tracks", "A visit that the cameras followed has a track."),
    ),
    "orders/visit_tracks": (DomainCheck("visits_of_tracks_known", "Every link names a visit."),),
}


def check_gate_events(gate_events: pl.DataFrame, stores: pl.DataFrame) -> list[ExpectationResult]:
    """Every scan was made at a gate that the store has."""
    gates = stores.select("store_id", pl.col("gate_ids").alias("gate_id")).explode("gate_id")
    return [no_strangers("gates_known", gate_events, gates, ("store_id", "gate_id"))]


def check_visits(visits: pl.DataFrame, visit_tracks: pl.DataFrame) -> list[ExpectationResult]:
    """A visit ends after it began, has an account unless it is marked so, and a trajectory where it says
    so."""
    backwards = visits.filter(pl.col("exited_at") < pl.col("entered_at")).height
    unmarked = visits.filter((pl.col("state") == "no_account") != pl.col("account_id").is_null()).height
    followed = visits.filter("has_track")
    return [
        identity_check("ends_after_it_began", backwards, visits.height, column="exited_at"),
        identity_check("account_or_marked", unmarked, visits.height, column="account_id"),
        no_strangers("visits_of_tracks_known", visit_tracks, visits, "visit_id"),
        no_strangers("followed_visits_have_tracks", followed, visit_tracks, "visit_id"),
    ]
