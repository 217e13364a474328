"""The first layout."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
Json = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
Blob = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")


def upgrade() -> None:
    """Make every table."""
    _events()
    _alerts()
    _decisions()
    _video()
    _traffic()
    _memory()


def _table(name: str, *parts: sa.schema.SchemaItem, counted: bool = False) -> None:
    op.create_table(
        name,
        *parts,
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        **({"sqlite_autoincrement": True} if counted else {}),
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", Number, primary_key=True, autoincrement=True)


def _key(name: str, length: int = 64) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), primary_key=True)


def _word(name: str, length: int = 64, *, null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=null)


def _real(name: str, *, null: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double(), nullable=null)


def _whole(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=null)


def _long(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def _json(name: str) -> sa.Column[str]:
    return sa.Column(name, Json, nullable=False)


def _events() -> None:
    _table(
        "realtime_event",
        _id(),
        _word("dedup", 191),
        _real("ts"),
        _word("site"),
        _word("source"),
        _word("category", 16),
        _word("level", 16),
        _word("kind", 16),
        _word("camera", null=True),
        _word("event_id", null=True),
        _whole("revision", null=True),
        _word("type", 32, null=True),
        _word("severity", 16, null=True),
        _word("status", 32, null=True),
        _real("confidence", null=True),
        _real("lat", null=True),
        _real("lon", null=True),
        _word("summary", 300),
        _json("body"),
        sa.UniqueConstraint("dedup"),
        counted=True,
    )
    for name, first in (("ts", []), ("camera", ["camera"]), ("kind", ["kind"])):
        op.create_index(f"ix_realtime_event_{name}", "realtime_event", [*first, "ts", "id"])
    op.create_index("ix_realtime_event_event", "realtime_event", ["event_id", "id"])


def _alerts() -> None:
    _table(
        "alert",
        _key("site"),
        _key("event_id"),
        _whole("revision"),
        _word("camera", null=True),
        _word("type", 32),
        _word("severity", 16),
        _word("status", 16),
        _word("state", 16),
        _word("disposition", 16),
        _word("verdict", 16, null=True),
        _real("confidence", null=True),
        _real("detected_at"),
        _real("updated_at"),
        _real("valid_until"),
        _real("ended_at", null=True),
        _real("lat", null=True),
        _real("lon", null=True),
        _whole("test"),
        _word("decided_by", null=True),
        _word("reason", 300, null=True),
        _word("note", 1000, null=True),
        _json("body"),
    )
    op.create_index("ix_alert_detected", "alert", ["detected_at", "event_id"])
    op.create_index("ix_alert_camera", "alert", ["camera", "detected_at"])
    op.create_index("ix_alert_state", "alert", ["state", "detected_at"])
    _table(
        "reached",
        _key("site"),
        _key("event_id"),
        _key("vehicle"),
        _whole("revision"),
        _word("result", 16),
        _real("received_at"),
    )


def _decisions() -> None:
    _table(
        "pending",
        _key("site"),
        _key("event_id"),
        _word("camera", null=True),
        _real("ts"),
        _json("body"),
    )
    _table(
        "operator_decision",
        _id(),
        _word("dedup", 191),
        _real("ts"),
        _word("site"),
        _word("by"),
        _word("action", 32),
        _word("event_id", null=True),
        _word("camera", null=True),
        _whole("if_revision", null=True),
        _word("reason", 300, null=True),
        _word("note", 1000, null=True),
        _word("outcome", 32),
        _json("body"),
        _word("previous"),
        _word("hash"),
        sa.UniqueConstraint("dedup"),
        counted=True,
    )
    op.create_index("ix_operator_decision_event", "operator_decision", ["event_id", "id"])


def _video() -> None:
    _table(
        "clip",
        _id(),
        _word("site"),
        _word("event_id"),
        _word("camera"),
        _long("start_ms"),
        _long("end_ms"),
        _word("state", 16),
        _real("coverage"),
        _word("file", 191, null=True),
        _real("updated_at"),
        _json("body"),
        sa.UniqueConstraint("site", "event_id", "camera", "start_ms", name="uq_clip"),
        counted=True,
    )
    op.create_index("ix_clip_start", "clip", ["start_ms", "id"])
    _table(
        "evidence",
        _key("site"),
        _key("event_id"),
        _word("camera"),
        _real("ts"),
        _real("confidence"),
        _json("body"),
        sa.Column("picture", Blob, nullable=False),
        _word("sha256"),
    )
    op.create_index("ix_evidence_camera", "evidence", ["camera", "ts"])


def _traffic() -> None:
    _table(
        "segment_analysis",
        _id(),
        _word("site"),
        _word("camera"),
        _long("start"),
        _word("provider", 32),
        _long("end"),
        _real("safety_score", null=True),
        _whole("incident_count"),
        _json("analysis_result"),
        _real("updated_at"),
        sa.UniqueConstraint("site", "camera", "start", "provider", name="uq_segment_analysis"),
        counted=True,
    )
    _table(
        "track_block",
        _key("site"),
        _key("camera"),
        sa.Column("start", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("frames", Blob, nullable=False),
    )
    op.create_index("ix_track_block_start", "track_block", ["start"])
    _table(
        "rollup_hour",
        _key("site"),
        _key("camera"),
        sa.Column("hour", sa.BigInteger(), primary_key=True, autoincrement=False),
        _key("kind", 16),
        _key("type", 32),
        _long("events"),
    )
    op.create_index("ix_rollup_hour", "rollup_hour", ["hour"])


def _memory() -> None:
    _table("last_word", _key("site"), _key("key", 191), _json("value"), _real("ts"))
