"""Tables of the privacy domain: who has an account, and what was deleted when."""

from __future__ import annotations

import polars as pl

from lakehouse.contract import (
    AppendOnce,
    Column,
    Layer,
    Pii,
    ReplacePartition,
    RetentionClass,
    TableContract,
    Upsert,
)
from lakehouse.contracts.columns import IS_SIMULATED, STORE_ID, between, instant, one_of, unique

ACCOUNT_STATUSES = ("active", "temporarily_frozen", "permanently_frozen", "cancelled", "erased")
PLACE_KINDS = ("table", "footage")

ACCOUNTS = TableContract(
    domain="privacy",
    name="accounts",
    layer=Layer.BRONZE,
    version=1,
    description="Accounts that may enter; no name, phone or address is among the fields.",
    columns=(
        Column("account_id", pl.String, "Account.", pii=Pii.PSEUDONYMOUS),
        instant("created_at", "When it was opened."),
        Column("status", pl.String, f"One of {', '.join(ACCOUNT_STATUSES)}."),
        IS_SIMULATED,
    ),
    key=("account_id",),
    write_mode=Upsert(),
    retention=RetentionClass.ACCOUNT,
    purposes=("transaction",),
    clauses=("C-06", "C-52"),
    clock_column="created_at",
    subject_column="account_id",
    expectations=(unique("account_id"), one_of("status", ACCOUNT_STATUSES)),
)

SWEEPS = TableContract(
    domain="privacy",
    name="sweeps",
    layer=Layer.GOLD,
    version=1,
    description="Ledger of deletions on time: one row per expired place, with what was removed.",
    columns=(
        Column("sweep_id", pl.String, "Hash of kind of place, place and moment."),
        instant("swept_at", "When it was removed."),
        Column("sink", pl.String, f"One of {', '.join(PLACE_KINDS)}."),
        Column("place", pl.String, "Table or footage folder."),
        Column("store_id", pl.String, "Store."),
        Column("capture_hour", pl.String, "UTC hour of capture that was removed."),
        Column("retention", pl.String, "Retention class whose limit was reached."),
        instant("expires_at", "Moment at which the oldest possible value would reach its limit."),
        Column("rows_removed", pl.Int64, "Rows removed from the table; 0 for footage.", "rows"),
        Column("files_removed", pl.Int64, "Files unlinked.", "files"),
        Column("bytes_removed", pl.Int64, "Bytes unlinked.", "B"),
        Column("rows_left", pl.Int64, "Rows still found in that hour after the sweep.", "rows"),
        Column("files_left", pl.Int64, "Files still found in that place after the sweep.", "files"),
    ),
    key=("sweep_id",),
    write_mode=AppendOnce(),
    retention=RetentionClass.LEDGER,
    purposes=("compliance",),
    clauses=("C-50", "C-51", "C-57"),
    clock_column="swept_at",
    expectations=(
        unique("sweep_id"),
        one_of("sink", PLACE_KINDS),
        between("rows_left", 0, 0),
        between("files_left", 0, 0),
        between("bytes_removed", 0, None),
    ),
)

DELIVERY_STATES = ("refused", "stuck")

REFUSED_DELIVERIES = TableContract(
    domain="privacy",
    name="refused_deliveries",
    layer=Layer.GOLD,
    version=1,
    description=(
        "What was refused of deliveries and what waits for what does not come, as it lies in the landing folder now: "
        "made anew each time, so a row lives no longer than the file it counts."
    ),
    columns=(
        Column("delivery", pl.String, "Folder of landing that it was delivered into, as gate_events."),
        Column("store_id", pl.String, "Store in whose folder it lies; empty where there is none."),
        Column("file_key", pl.String, "Keyed hash of the file's place and name: a name may say anything."),
        Column("file_name", pl.String, "Its name, if it is one that the delivery has to have; else empty."),
        Column("state", pl.String, f"One of {', '.join(DELIVERY_STATES)}."),
        Column("field", pl.String, "Field that was refused; empty for a whole line or file."),
        Column("reason", pl.String, "Why it was refused; unknown where the note of it cannot be read; empty if stuck."),
        Column("lines", pl.Int64, "Lines refused for that field and reason; 1 for a whole file.", "lines"),
        instant("since", "When it was refused, or last written while it waits."),
    ),
    key=("file_key", "state", "field", "reason"),
    write_mode=ReplacePartition(),
    retention=RetentionClass.LEDGER,
    purposes=("compliance",),
    clauses=("C-21",),
    clock_column="since",
    expectations=(one_of("state", DELIVERY_STATES), between("lines", 1, None)),
)

FRESHNESS_OF = ("footage", "gate_events", "orders")
FRESHNESS_STATES = ("fresh", "silent", "never", "not_computed", "unknown", "simulated")

STORE_FRESHNESS = TableContract(
    domain="privacy",
    name="store_freshness",
    layer=Layer.GOLD,
    version=1,
    description=(
        "When each known camera last sent footage and each known store scans, by its opening hours, and which business "
        "dates are computed. Made anew each time."
    ),
    columns=(
        STORE_ID,
        Column("delivery", pl.String, f"One of {', '.join(FRESHNESS_OF)}; orders: what was computed."),
        Column("camera_id", pl.String, "Camera within the store; empty for scans and orders."),
        Column("business_date", pl.String, "Store-local date, for orders; else empty."),
        Column(
            "state",
            pl.String,
            f"One of {', '.join(FRESHNESS_STATES)}; unknown: could not be read; simulated: of a store that falls "
            "silent without fault.",
        ),
        instant("last_at", "End of the last usable clip, last scan, or when the orders were made.", nullable=True),
    ),
    key=("store_id", "delivery", "camera_id", "business_date"),
    write_mode=ReplacePartition(),
    retention=RetentionClass.LEDGER,
    purposes=("compliance",),
    expectations=(one_of("delivery", FRESHNESS_OF), one_of("state", FRESHNESS_STATES)),
)

TABLES = (ACCOUNTS, SWEEPS, REFUSED_DELIVERIES, STORE_FRESHNESS)
