"""Score trajectories on the floor against true positions: who was where, whatever camera saw it.

IDF1 as in Ristani et al. 2016: one global assignment of tracks to people that gets the most moments right, a moment
being right within `REACH_M` of the person. Pure: what makes the tracks is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

REACH_M = 0.5
STEP_S = 0.1


@dataclass(frozen=True)
class FloorScore:
    """`idf1`, `idp`, `idr` in percent; `median_error_m` of the moments that are right (NaN if none is)."""

    idf1: float
    idp: float
    idr: float
    people: int
    tracks: int
    median_error_m: float


def score_floor(truth: pl.DataFrame, tracks: pl.DataFrame) -> FloorScore:
    """`truth`: person_id, time_s, x_m, y_m; `tracks`: track_id, time_s, x_m, y_m; both about every tenth of a second.

    Raises ValueError for a truth without rows: nothing can be scored against it.
    """
    if truth.is_empty():
        raise ValueError("truth: no positions")
    step = (pl.col("time_s") / STEP_S).round().cast(pl.Int64).alias("step")
    true = truth.select(step, "person_id", pl.col("x_m", "y_m").name.prefix("true_")).unique(["step", "person_id"])
    found = tracks.select(step, "track_id", "x_m", "y_m").unique(["step", "track_id"])
    error = ((pl.col("x_m") - pl.col("true_x_m")) ** 2 + (pl.col("y_m") - pl.col("true_y_m")) ** 2).sqrt()
    near = true.join(found, on="step").with_columns(error_m=error).filter(pl.col("error_m") < REACH_M)
    people, names = (sorted(table[name].unique()) for table, name in ((true, "person_id"), (found, "track_id")))
    moments = np.zeros((len(people), len(names)))
    for person, track, count in near.group_by("person_id", "track_id").len().iter_rows():
        moments[people.index(person), names.index(track)] = count
    rows, columns = linear_sum_assignment(-moments)
    right = float(moments[rows, columns].sum())
    pairs = pl.DataFrame(
        {"person_id": [people[row] for row in rows], "track_id": [names[column] for column in columns]},
        schema={"person_id": true.schema["person_id"], "track_id": found.schema["track_id"]},
    )
    errors = near.join(pairs, on=["person_id", "track_id"])["error_m"].to_numpy()
    return FloorScore(
        idf1=200.0 * right / (true.height + found.height),
        idp=100.0 * right / max(1, found.height),
        idr=100.0 * right / true.height,
        people=len(people),
        tracks=len(names),
        median_error_m=float(np.median(errors)) if len(errors) else float("nan"),
    )
