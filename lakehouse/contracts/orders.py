"""Tables of the orders domain: gate scans, visits, baskets, orders, review."""

from __future__ import annotations

import polars as pl

from lakehouse.contract import (
    AppendOnce,
    Column,
    Layer,
    Pii,
    ReplacePartition,
    RetentionClass,
    Severity,
    TableContract,
)
from lakehouse.contracts.columns import (
    ACCOUNT_ID,
    BUSINESS_DATE,
    CAPTURE_HOUR,
    IS_SIMULATED,
    PRODUCT_ID,
    STORE_ID,
    TRACK_ID,
    VISIT_ID,
    between,
    instant,
    one_of,
    unique,
)

DIRECTIONS = ("entry", "exit")
PAYMENT_METHODS = ("alipay", "wechat", "icbc", "staff")
VISIT_STATES = ("closed", "open", "staff", "no_account")
REVIEW_REASONS = (
    "no_account",
    "low_confidence",
    "unattributed_events",
    "no_track",
    "no_exit",
    "unknown_product",
)
REVIEW_STATES = ("none", "waiting", "accepted", "amended", "rejected", "unbilled")
DECISIONS = ("accept", "amend", "reject", "unbilled")

_SELL = ("transaction",)
_DAY = ("store_id", "business_date")

_QUANTITY = Column("quantity", pl.Int32, "Pieces.", "pieces")
_UNIT_PRICE = Column("unit_price_fen", pl.Int64, "Price of one piece on that day.", "fen")
_LINE_AMOUNT = Column("amount_fen", pl.Int64, "quantity times unit_price_fen.", "fen")
_ORDER_NO = Column("order_no", pl.String, "Order number; the same on every rerun.", pii=Pii.PSEUDONYMOUS)
_AMOUNT = Column("amount_fen", pl.Int64, "Sum of the order's lines.", "fen")
_PAYMENT = Column("payment_method", pl.String, f"One of {', '.join(PAYMENT_METHODS)}.")
_REVIEW_ID = Column("review_id", pl.String, "Review item: hash of its visit, or of its unattributed event.")


GATE_EVENTS = TableContract(
    domain="orders",
    name="gate_events",
    layer=Layer.BRONZE,
    version=1,
    description="Account scans at the gate.",
    columns=(
        STORE_ID,
        BUSINESS_DATE,
        Column("gate_event_id", pl.String, "Hash of gate, account, direction and time."),
        Column("account_id", pl.String, "Account that was scanned.", pii=Pii.PSEUDONYMOUS),
        Column("gate_id", pl.String, "Gate."),
        instant("scanned_at", "Moment of the scan."),
        Column("direction", pl.String, "entry or exit."),
        _PAYMENT,
    ),
    key=("gate_event_id",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.ACCOUNT,
    purposes=_SELL,
    clauses=("C-25", "C-52"),
    partition_by=_DAY,
    clock_column="scanned_at",
    subject_column="account_id",
    expectations=(
        unique("gate_event_id"),
        one_of("direction", DIRECTIONS),
        one_of("payment_method", PAYMENT_METHODS),
    ),
)

VISITS = TableContract(
    domain="orders",
    name="visits",
    layer=Layer.SILVER,
    version=1,
    description="Stays of shoppers: from the entry scan (or first sight, without a scan) to the exit.",
    columns=(
        STORE_ID,
        BUSINESS_DATE,
        VISIT_ID,
        ACCOUNT_ID,
        instant("entered_at", "Entry scan, or first sight."),
        instant("exited_at", "Exit scan, or last sight; empty while inside.", nullable=True),
        Column("payment_method", pl.String, "As scanned; empty without an account.", nullable=True),
        Column("state", pl.String, f"One of {', '.join(VISIT_STATES)}."),
        Column("has_track", pl.Boolean, "Whether the cameras followed this visit."),
        Column(
            "binding_prob",
            pl.Float32,
            "Probability that scan and trajectory belong together; 0 without a track.",
        ),
    ),
    key=("visit_id",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.ACCOUNT,
    purposes=_SELL,
    clauses=("C-25", "C-52"),
    partition_by=_DAY,
    clock_column="entered_at",
    subject_column="account_id",
    expectations=(unique("visit_id"), one_of("state", VISIT_STATES), between("binding_prob", 0.0, 1.0)),
)

VISIT_TRACKS = TableContract(
    domain="orders",
    name="visit_tracks",
    layer=Layer.SILVER,
    version=1,
    description="Which track belongs to which visit; dies with it.",
    columns=(
        STORE_ID,
        CAPTURE_HOUR,
        TRACK_ID,
        VISIT_ID,
        instant("started_at", "First sight of the track."),
        Column("binding_prob", pl.Float32, "Probability that they belong together."),
    ),
    key=("track_id",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.MOVEMENT,
    purposes=_SELL,
    clauses=("C-12", "C-26", "C-50"),
    partition_by=("store_id", "capture_hour"),
    clock_column="started_at",
    expectations=(unique("track_id"), between("binding_prob", 0.0, 1.0)),
)

BASKETS = TableContract(
    domain="orders",
    name="baskets",
    layer=Layer.SILVER,
    version=1,
    description="What each visit carried out, by the events of its trajectory; the evidence behind an order.",
    columns=(
        STORE_ID,
        CAPTURE_HOUR,
        VISIT_ID,
        PRODUCT_ID,
        instant("entered_at", "Entry of the visit."),
        _QUANTITY,
        Column("confidence_prob", pl.Float32, "Probability that product and quantity are right."),
        Column("event_ids", pl.List(pl.String), "Shelf events behind the line."),
    ),
    key=("visit_id", "product_id"),
    write_mode=ReplacePartition(),
    retention=RetentionClass.MOVEMENT,
    purposes=_SELL,
    clauses=("C-26", "C-50"),
    partition_by=("store_id", "capture_hour"),
    clock_column="entered_at",
    expectations=(
        unique("visit_id", "product_id"),
        between("quantity", 1, 100),
        between("confidence_prob", 0.0, 1.0),
    ),
)

ORDERS = TableContract(
    domain="orders",
    name="orders",
    layer=Layer.GOLD,
    version=1,
    description="Orders: what a shopper owes for a visit.",
    columns=(
        STORE_ID,
        BUSINESS_DATE,
        _ORDER_NO,
        Column("visit_id", pl.String, "Visit that it bills.", pii=Pii.PSEUDONYMOUS),
        Column("account_id", pl.String, "Account that pays.", pii=Pii.PSEUDONYMOUS),
        instant("created_at", "When the basket closed."),
        _AMOUNT,
        _PAYMENT,
        Column("confidence_prob", pl.Float32, "Probability that the whole order is right."),
        Column("review_state", pl.String, f"One of {', '.join(REVIEW_STATES)}."),
    ),
    key=("order_no",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.ACCOUNT,
    purposes=_SELL,
    clauses=("C-25", "C-52"),
    partition_by=_DAY,
    clock_column="created_at",
    subject_column="account_id",
    expectations=(
        unique("order_no"),
        unique("visit_id"),
        between("amount_fen", 0, 10_000_000),
        between("confidence_prob", 0.0, 1.0),
        one_of("payment_method", PAYMENT_METHODS[:3]),
        one_of("review_state", ("none", "accepted", "amended")),
    ),
)

ORDER_LINES = TableContract(
    domain="orders",
    name="order_lines",
    layer=Layer.GOLD,
    version=1,
    description="Lines of orders.",
    columns=(
        STORE_ID,
        BUSINESS_DATE,
        _ORDER_NO,
        PRODUCT_ID,
        _QUANTITY,
        _UNIT_PRICE,
        _LINE_AMOUNT,
        Column("confidence_prob", pl.Float32, "Probability that product and quantity are right."),
    ),
    key=("order_no", "product_id"),
    write_mode=ReplacePartition(),
    retention=RetentionClass.ACCOUNT,
    purposes=_SELL,
    clauses=("C-25", "C-52"),
    partition_by=_DAY,
    expectations=(
        unique("order_no", "product_id"),
        between("quantity", 1, 100),
        between("unit_price_fen", 1, 1_000_000),
        between("amount_fen", 1, 10_000_000),
    ),
)

REVIEW_ITEMS = TableContract(
    domain="orders",
    name="review_items",
    layer=Layer.GOLD,
    version=1,
    description="Visits and events that a person must judge before anything is billed.",
    columns=(
        STORE_ID,
        BUSINESS_DATE,
        _REVIEW_ID,
        Column(
            "visit_id",
            pl.String,
            "Visit in doubt; empty for an event nobody could be named for.",
            pii=Pii.PSEUDONYMOUS,
            nullable=True,
        ),
        instant("raised_at", "When the visit closed or the event happened."),
        instant("evidence_expires_at", "Until when it can be decided; soon after, the evidence is deleted."),
        Column("reason", pl.String, f"One of {', '.join(REVIEW_REASONS)}."),
        Column("confidence_prob", pl.Float32, "Confidence of the proposed lines."),
        Column("product_ids", pl.List(pl.String), "Products of the proposed lines."),
        Column("quantities", pl.List(pl.Int32), "Quantities of the proposed lines.", "pieces"),
        Column("amount_fen", pl.Int64, "Value of the proposed lines.", "fen"),
        Column("state", pl.String, f"One of {', '.join(REVIEW_STATES[1:])}."),
    ),
    key=("review_id",),
    write_mode=ReplacePartition(),
    retention=RetentionClass.ACCOUNT,
    purposes=_SELL,
    clauses=("C-26", "C-27", "C-52"),
    partition_by=_DAY,
    clock_column="raised_at",
    expectations=(
        unique("review_id"),
        one_of("reason", REVIEW_REASONS),
        one_of("state", REVIEW_STATES[1:]),
        between("confidence_prob", 0.0, 1.0),
    ),
)

REVIEW_DECISIONS = TableContract(
    domain="orders",
    name="review_decisions",
    layer=Layer.GOLD,
    version=1,
    description="What reviewers decided, and what closed undecided when its time was up: the audit trail.",
    columns=(
        STORE_ID,
        BUSINESS_DATE,
        _REVIEW_ID,
        instant("decided_at", "When."),
        Column("decision", pl.String, f"One of {', '.join(DECISIONS)}."),
        Column("product_ids", pl.List(pl.String), "Products of the amended lines; empty unless amended."),
        Column("quantities", pl.List(pl.Int32), "Quantities of the amended lines.", "pieces"),
        Column("reviewer_id", pl.String, "Who decided; system for what expired.", pii=Pii.PERSONAL),
        Column("reason", pl.String, "Why.", pii=Pii.PERSONAL),
    ),
    key=("review_id", "decided_at"),
    write_mode=AppendOnce(),
    retention=RetentionClass.ACCOUNT,
    purposes=_SELL,
    clauses=("C-27",),
    partition_by=_DAY,
    clock_column="decided_at",
    expectations=(unique("review_id", "decided_at"), one_of("decision", DECISIONS)),
)

HISTORICAL_ORDERS = TableContract(
    domain="orders",
    name="historical_orders",
    layer=Layer.GOLD,
    version=1,
    description="Orders from before the platform, as delivered by the system that made them.",
    columns=(
        STORE_ID,
        BUSINESS_DATE,
        _ORDER_NO,
        Column("account_id", pl.String, "Account that paid.", pii=Pii.PSEUDONYMOUS),
        instant("created_at", "When the order was made."),
        _AMOUNT,
        _PAYMENT,
        IS_SIMULATED,
    ),
    key=("order_no",),
    write_mode=AppendOnce(),
    retention=RetentionClass.ACCOUNT,
    purposes=_SELL,
    clauses=("C-25", "C-52"),
    partition_by=("store_id",),
    clock_column="created_at",
    subject_column="account_id",
    expectations=(
        unique("order_no"),
        between("amount_fen", 0, 10_000_000),
        one_of("payment_method", PAYMENT_METHODS[:3]),
    ),
)

HISTORICAL_ORDER_LINES = TableContract(
    domain="orders",
    name="historical_order_lines",
    layer=Layer.GOLD,
    version=1,
    description="Lines of orders from before the platform.",
    columns=(STORE_ID, BUSINESS_DATE, _ORDER_NO, PRODUCT_ID, _QUANTITY, _UNIT_PRICE, _LINE_AMOUNT),
    key=("order_no", "product_id"),
    write_mode=AppendOnce(),
    retention=RetentionClass.ACCOUNT,
    purposes=_SELL,
    clauses=("C-25", "C-52"),
    partition_by=("store_id",),
    expectations=(
        unique("order_no", "product_id"),
        between("quantity", 1, 100),
        between("amount_fen", 1, 10_000_000, Severity.BLOCKING),
    ),
)

TABLES = (
    GATE_EVENTS,
    VISITS,
    VISIT_TRACKS,
    BASKETS,
    ORDERS,
    ORDER_LINES,
    REVIEW_ITEMS,
    REVIEW_DECISIONS,
    HISTORICAL_ORDERS,
    HISTORICAL_ORDER_LINES,
)
