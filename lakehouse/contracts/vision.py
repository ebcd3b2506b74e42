"""Tables of the vision domain: from footage to shelf events."""

from __future__ import annotations

import polars as pl

from lakehouse.contract import Column, Layer, Pii, ReplacePartition, RetentionClass, Severity, TableContract
from lakehouse.contracts.columns import (
    CAMERA_ID,
    CAPTURE_HOUR,
    CLIP_ID,
    SLOT_ID,
    STORE_ID,
    TRACK_ID,
    between,
    instant,
    one_of,
    present,
    unique,
)

SEGMENT_STATUSES = ("ok", "corrected", "truncated", "unreadable", "empty", "untimed", "duplicate", "misdated")
USABLE_STATUSES = ("ok", "corrected", "truncated")
"""Of clips that are looked at: whole, with facts from the container where the sidecar does not hold, or cut short."""
EPISODE_KINDS = ("change", "touch", "opening", "closing")
EVENT_TYPES = ("pick", "put_back", "swap", "touch", "restock")

_HOUR = ("store_id", "capture_hour")
_TRANSACTION = ("transaction", "security")


def _box(pii: Pii) -> tuple[Column, ...]:
    return (
        Column("left_px", pl.Float32, "Left edge of the box.", "px", pii),
        Column("top_px", pl.Float32, "Top edge of the box.", "px", pii),
        Column("width_px", pl.Float32, "Width of the box.", "px", pii),
        Column("height_px", pl.Float32, "Height of the box.", "px", pii),
    )


FOOTAGE_SEGMENTS = TableContract(
    domain="vision",
    name="footage_segments",
    layer=Layer.BRONZE,
    version=1,
    description="Catalogue of camera clips: what was recorded, when, and whether it can be used.",
    columns=(
        STORE_ID,
        CAPTURE_HOUR,
        CAMERA_ID,
        CLIP_ID,
        instant("captured_at", "Capture time of the first frame, by the store's clock."),
        instant("ended_at", "Capture time of the last frame; captured_at if nothing decodes or untimed."),
        Column("duration_ms", pl.Int64, "From the first to the end of the last frame.", "ms"),
        Column("frame_count", pl.Int32, "Frames that decode.", "frames"),
        Column("declared_frame_count", pl.Int32, "Frames the sidecar promises.", "frames"),
        Column("fps", pl.Float64, "True frame rate, from the sidecar; from the container if corrected.", "1/s"),
        Column("width_px", pl.Int32, "Width of a frame as it is shown.", "px"),
        Column("height_px", pl.Int32, "Height of a frame as it is shown.", "px"),
        Column("size_bytes", pl.Int64, "Size of the file.", "B"),
        Column("sha256", pl.String, "Hash of the file."),
        Column("status", pl.String, f"One of {', '.join(SEGMENT_STATUSES)}."),
        Column("reason", pl.String, "Why a clip is not ok; empty if it is."),
        Column("gap_before_ms", pl.Int64, "Time without footage before this clip, same camera and day.", "ms"),
        Column("skew_ms", pl.Int64, "Camera clock minus store clock, from the sidecar.", "ms"),
        Column("path", pl.String, "Place of the clip below the footage root."),
    ),
    key=("clip_id",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.FOOTAGE,
    purposes=_TRANSACTION,
    clauses=("C-13", "C-51"),
    partition_by=_HOUR,
    clock_column="captured_at",
    expectations=(
        unique("clip_id"),
        present("sha256"),
        one_of("status", SEGMENT_STATUSES),
        between("duration_ms", 0, 3_660_000),
        between("skew_ms", -2_000, 2_000, Severity.WARNING),
        between("gap_before_ms", 0, 1_000, Severity.WARNING),
    ),
)

DETECTIONS = TableContract(
    domain="vision",
    name="detections",
    layer=Layer.SILVER,
    version=1,
    description="People found in single frames, with what they look like, for linking only.",
    columns=(
        STORE_ID,
        CAPTURE_HOUR,
        CAMERA_ID,
        CLIP_ID,
        Column("frame_index", pl.Int32, "Frame within the clip, from 0.", "frames"),
        Column("detection_index", pl.Int16, "Box within the frame, by falling score."),
        instant("captured_at", "Capture time of the frame."),
        *_box(Pii.SENSITIVE),
        Column("score_prob", pl.Float32, "Detector's score, 0 to 1."),
        Column(
            "appearance",
            pl.List(pl.Float32),
            "Colour histogram of three stripes (HSV), for linking.",
            pii=Pii.SENSITIVE,
        ),
        Column("clothing_upper", pl.List(pl.Float32), "Colour histogram of the upper body.", pii=Pii.SENSITIVE),
        Column("clothing_lower", pl.List(pl.Float32), "Colour histogram of the lower body.", pii=Pii.SENSITIVE),
    ),
    key=("clip_id", "frame_index", "detection_index"),
    write_mode=ReplacePartition(),
    retention=RetentionClass.MOVEMENT,
    purposes=_TRANSACTION,
    clauses=("C-12", "C-50"),
    partition_by=_HOUR,
    clock_column="captured_at",
    expectations=(
        unique("clip_id", "frame_index", "detection_index"),
        between("score_prob", 0.0, 1.0),
        between("width_px", 1.0, 8192.0),
        between("height_px", 1.0, 8192.0),
        between("frame_index", 0, None),
    ),
)

SLOT_EPISODES = TableContract(
    domain="vision",
    name="slot_episodes",
    layer=Layer.SILVER,
    version=1,
    description="What one camera saw happen to a shelf slot: changes, touches, and its state at a clip's ends.",
    columns=(
        STORE_ID,
        CAPTURE_HOUR,
        CAMERA_ID,
        CLIP_ID,
        Column("episode_id", pl.String, "Episode: hash of clip, slot and start."),
        SLOT_ID,
        Column(
            "kind",
            pl.String,
            f"One of {', '.join(EPISODE_KINDS)}; opening and closing are the states at the clip's ends.",
        ),
        instant(
            "started_at",
            "Last frame that shows the slot as before (a change), or first in which something moves (a touch).",
        ),
        instant(
            "ended_at",
            "First frame that shows the slot as after (a change), or last in which something moves (a touch).",
        ),
        instant("changed_at", "The moment that best separates before from after."),
        Column(
            "presence_change", pl.Float32, "Log-ratio of the slot's presence after to before; positive: something came."
        ),
        Column("appearance_change", pl.Float32, "Share of the slot's area that changed, 0 to 1."),
        Column("facings_change", pl.Int16, "Products that came (positive) or went (negative).", "pieces"),
        Column("put_prob", pl.Float32, "Probability that something was put."),
        Column("pick_prob", pl.Float32, "Probability that something was taken."),
        Column("contact_x_px", pl.Float32, "Where the hand met the slot.", "px", Pii.FOOTAGE, nullable=True),
        Column("contact_y_px", pl.Float32, "Where the hand met the slot.", "px", Pii.FOOTAGE, nullable=True),
        Column("has_person", pl.Boolean, "Whether a person's box overlapped the slot during the episode."),
        Column(
            "patch",
            pl.Binary,
            "Small colour picture (24x26) of the slot and its sides after the episode, to join clips and name goods.",
            pii=Pii.FOOTAGE,
        ),
    ),
    key=("episode_id",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.FOOTAGE,
    purposes=_TRANSACTION,
    clauses=("C-13", "C-51"),
    partition_by=_HOUR,
    clock_column="started_at",
    expectations=(
        unique("episode_id"),
        one_of("kind", EPISODE_KINDS),
        between("put_prob", 0.0, 1.0),
        between("pick_prob", 0.0, 1.0),
    ),
)

SIGHTINGS = TableContract(
    domain="vision",
    name="sightings",
    layer=Layer.SILVER,
    version=1,
    description="Where each tracked person stands in each camera's picture, smoothed, gaps filled.",
    columns=(
        STORE_ID,
        CAPTURE_HOUR,
        CAMERA_ID,
        TRACK_ID,
        instant("captured_at", "Store time of the frame."),
        *_box(Pii.SENSITIVE),
        Column("x_m", pl.Float32, "Floor position by this camera alone.", "m", Pii.SENSITIVE),
        Column("y_m", pl.Float32, "Floor position by this camera alone.", "m", Pii.SENSITIVE),
        Column("is_filled", pl.Boolean, "True where the box was interpolated, not detected."),
    ),
    key=("track_id", "camera_id", "captured_at"),
    write_mode=ReplacePartition(),
    retention=RetentionClass.MOVEMENT,
    purposes=_TRANSACTION,
    clauses=("C-12", "C-50"),
    partition_by=_HOUR,
    clock_column="captured_at",
    expectations=(unique("track_id", "camera_id", "captured_at"), between("width_px", 1.0, 8192.0)),
)

TRACK_POINTS = TableContract(
    domain="vision",
    name="track_points",
    layer=Layer.SILVER,
    version=1,
    description="Trajectories on the floor: one point per person and tenth of a second, all cameras fused.",
    columns=(
        STORE_ID,
        CAPTURE_HOUR,
        TRACK_ID,
        instant("captured_at", "Store time."),
        Column("x_m", pl.Float32, "Position on the floor plan.", "m", Pii.SENSITIVE),
        Column("y_m", pl.Float32, "Position on the floor plan.", "m", Pii.SENSITIVE),
        Column("speed_m_s", pl.Float32, "Speed on the floor.", "m/s", Pii.SENSITIVE),
        Column("camera_count", pl.Int8, "Cameras that saw the person at this moment; 0 where filled."),
    ),
    key=("track_id", "captured_at"),
    write_mode=ReplacePartition(),
    retention=RetentionClass.MOVEMENT,
    purposes=_TRANSACTION,
    clauses=("C-12", "C-50"),
    partition_by=_HOUR,
    clock_column="captured_at",
    expectations=(
        unique("track_id", "captured_at"),
        between("speed_m_s", 0.0, 4.0, Severity.WARNING, mostly=0.995),
        between("x_m", -5.0, 500.0, Severity.WARNING),
        between("y_m", -5.0, 500.0, Severity.WARNING),
    ),
)

TRACKS = TableContract(
    domain="vision",
    name="tracks",
    layer=Layer.SILVER,
    version=1,
    description="One row per person's stay in view.",
    columns=(
        STORE_ID,
        CAPTURE_HOUR,
        TRACK_ID,
        instant("started_at", "First sight."),
        instant("ended_at", "Last sight."),
        Column("length_m", pl.Float32, "Way walked.", "m", Pii.SENSITIVE),
        Column("point_count", pl.Int32, "Rows in track_points."),
        Column("started_in_entrance", pl.Boolean, "Whether it begins in the entrance zone."),
        Column("ended_in_exit", pl.Boolean, "Whether it ends in the exit zone."),
        Column("continuity_prob", pl.Float32, "Confidence that it is one person from end to end."),
    ),
    key=("track_id",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.MOVEMENT,
    purposes=_TRANSACTION,
    clauses=("C-12", "C-50"),
    partition_by=_HOUR,
    clock_column="started_at",
    expectations=(unique("track_id"), between("continuity_prob", 0.0, 1.0), between("length_m", 0.0, 20_000.0)),
)

CLOTHING = TableContract(
    domain="vision",
    name="clothing",
    layer=Layer.SILVER,
    version=1,
    description="Colours that a tracked person wears.",
    columns=(
        STORE_ID,
        CAPTURE_HOUR,
        TRACK_ID,
        instant("started_at", "First sight of the track."),
        Column("upper_colour", pl.String, "Named colour of the upper body.", pii=Pii.SENSITIVE),
        Column("upper_prob", pl.Float32, "Share of the upper body in that colour."),
        Column("lower_colour", pl.String, "Named colour of the lower body.", pii=Pii.SENSITIVE),
        Column("lower_prob", pl.Float32, "Share of the lower body in that colour."),
    ),
    key=("track_id",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.MOVEMENT,
    purposes=_TRANSACTION,
    clauses=("C-12", "C-50"),
    partition_by=_HOUR,
    clock_column="started_at",
    expectations=(unique("track_id"), between("upper_prob", 0.0, 1.0), between("lower_prob", 0.0, 1.0)),
)

SHELF_EVENTS = TableContract(
    domain="vision",
    name="shelf_events",
    layer=Layer.SILVER,
    version=1,
    description="Picks, put-backs, touches and restocks, all cameras fused, with the person they are attributed to.",
    columns=(
        STORE_ID,
        CAPTURE_HOUR,
        Column("event_id", pl.String, "Event: hash of store, slot and moment."),
        instant("happened_at", "Moment of the change."),
        instant("started_at", "First frame in which a hand is in the slot."),
        instant("ended_at", "Last such frame."),
        SLOT_ID,
        Column("product_id", pl.String, "What was moved; empty where the planogram knows none.", nullable=True),
        Column("type", pl.String, f"One of {', '.join(EVENT_TYPES)}."),
        Column("quantity", pl.Int16, "Pieces moved; 0 for a touch.", "pieces"),
        Column(
            "track_id", pl.String, "Who did it; empty where nobody can be named.", pii=Pii.PSEUDONYMOUS, nullable=True
        ),
        Column("event_prob", pl.Float32, "Calibrated probability that type and slot are right."),
        Column("attribution_prob", pl.Float32, "Probability that the person is right; 0 without one."),
        Column("camera_count", pl.Int8, "Cameras that saw the change."),
    ),
    key=("event_id",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.MOVEMENT,
    purposes=_TRANSACTION,
    clauses=("C-12", "C-26", "C-50"),
    partition_by=_HOUR,
    clock_column="started_at",
    subject_column=None,
    expectations=(
        unique("event_id"),
        one_of("type", EVENT_TYPES),
        between("quantity", 0, 50),
        between("event_prob", 0.0, 1.0),
        between("attribution_prob", 0.0, 1.0),
    ),
)

TABLES = (FOOTAGE_SEGMENTS, DETECTIONS, SLOT_EPISODES, SIGHTINGS, TRACK_POINTS, TRACKS, CLOTHING, SHELF_EVENTS)
