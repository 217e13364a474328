"""The tables, as they are after the newest migration.

Times are epoch seconds (UTC). What has more to it than columns keeps it as JSON text, which every
database stores alike. `site` is in every key: one database may hold several sites.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Double,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeEngine

Number = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only what it calls INTEGER."""
Json: TypeEngine[str] = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
Blob: TypeEngine[bytes] = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
KEY_LENGTH = 191
SUMMARY_LENGTH = 300
WORD_LENGTH = 64
NOTE_LENGTH = 1000

OPTIONS: dict[str, object] = {
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",  # names differ by case, as everywhere else
    "mysql_engine": "InnoDB",
}
COUNTED: dict[str, object] = {**OPTIONS, "sqlite_autoincrement": True}
"""A number that retention freed is never given again."""


class Base(DeclarativeBase):
    """All tables."""


def _word(length: int = WORD_LENGTH) -> Mapped[str]:
    return mapped_column(String(length))


def _maybe(length: int = WORD_LENGTH) -> Mapped[str | None]:
    return mapped_column(String(length))


class RealtimeEvent(Base):
    """What was said, once each; `id` is the sequence number by which readers go on."""

    __tablename__ = "realtime_event"
    __table_args__ = (
        Index("ix_realtime_event_site", "site", "ts", "id"),
        Index("ix_realtime_event_site_camera", "site", "camera", "ts", "id"),
        Index("ix_realtime_event_site_kind", "site", "kind", "ts", "id"),
        Index("ix_realtime_event_site_camera_kind", "site", "camera", "kind", "ts", "id"),
        Index("ix_realtime_event_site_event", "site", "event_id", "ts", "id"),
        COUNTED,
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    dedup: Mapped[str] = mapped_column(String(KEY_LENGTH), unique=True)
    ts: Mapped[float] = mapped_column(Double)
    site: Mapped[str] = _word()
    source: Mapped[str] = _word()
    category: Mapped[str] = _word(16)
    level: Mapped[str] = _word(16)
    kind: Mapped[str] = _word(16)
    camera: Mapped[str | None] = _maybe()
    event_id: Mapped[str | None] = _maybe()
    revision: Mapped[int | None] = mapped_column(Integer)
    type: Mapped[str | None] = _maybe(32)
    severity: Mapped[str | None] = _maybe(16)
    status: Mapped[str | None] = _maybe(32)
    confidence: Mapped[float | None] = mapped_column(Double)
    lat: Mapped[float | None] = mapped_column(Double)
    lon: Mapped[float | None] = mapped_column(Double)
    summary: Mapped[str] = _word(SUMMARY_LENGTH)
    body: Mapped[str] = mapped_column(Json)


class SegmentAnalysis(Base):
    """Ten minutes of one camera, as one provider judges them."""

    __tablename__ = "segment_analysis"
    __table_args__ = (
        UniqueConstraint("site", "camera", "start", "provider", name="uq_segment_analysis"),
        COUNTED,
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    site: Mapped[str] = _word()
    camera: Mapped[str] = _word()
    start: Mapped[int] = mapped_column(BigInteger)
    provider: Mapped[str] = _word(32)
    end: Mapped[int] = mapped_column(BigInteger)
    safety_score: Mapped[float | None] = mapped_column(Double)
    incident_count: Mapped[int] = mapped_column(Integer)
    analysis_result: Mapped[str] = mapped_column(Json)
    updated_at: Mapped[float] = mapped_column(Double)


class AlertState(Base):
    """How an alert stands, by its highest revision."""

    __tablename__ = "alert"
    __table_args__ = (
        Index("ix_alert_site", "site", "detected_at", "event_id"),
        Index("ix_alert_site_camera", "site", "camera", "detected_at", "event_id"),
        Index("ix_alert_site_state", "site", "state", "detected_at", "event_id"),
        OPTIONS,
    )

    site: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer)
    camera: Mapped[str | None] = _maybe()
    type: Mapped[str] = _word(32)
    severity: Mapped[str] = _word(16)
    status: Mapped[str] = _word(16)
    state: Mapped[str] = _word(16)
    disposition: Mapped[str] = _word(16)
    verdict: Mapped[str | None] = _maybe(16)
    confidence: Mapped[float | None] = mapped_column(Double)
    detected_at: Mapped[float] = mapped_column(Double)
    updated_at: Mapped[float] = mapped_column(Double)
    valid_until: Mapped[float] = mapped_column(Double)
    ended_at: Mapped[float | None] = mapped_column(Double)
    lat: Mapped[float | None] = mapped_column(Double)
    lon: Mapped[float | None] = mapped_column(Double)
    test: Mapped[int] = mapped_column(Integer)
    decided_by: Mapped[str | None] = _maybe()
    reason: Mapped[str | None] = _maybe(SUMMARY_LENGTH)
    note: Mapped[str | None] = _maybe(NOTE_LENGTH)
    body: Mapped[str] = mapped_column(Json)


class Reached(Base):
    """A vehicle that dealt with an alert."""

    __tablename__ = "reached"
    __table_args__ = (OPTIONS,)

    site: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    vehicle: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer)
    result: Mapped[str] = _word(16)
    received_at: Mapped[float] = mapped_column(Double)


class Pending(Base):
    """An incident that waits for a person."""

    __tablename__ = "pending"
    __table_args__ = (OPTIONS,)

    site: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    camera: Mapped[str | None] = _maybe()
    ts: Mapped[float] = mapped_column(Double)
    body: Mapped[str] = mapped_column(Json)


class OperatorDecision(Base):
    """What a person did; rows are only added, and each holds the one before it by its hash."""

    __tablename__ = "operator_decision"
    __table_args__ = (Index("ix_operator_decision_event", "event_id", "id"), COUNTED)

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    dedup: Mapped[str] = mapped_column(String(KEY_LENGTH), unique=True)
    ts: Mapped[float] = mapped_column(Double)
    site: Mapped[str] = _word()
    by: Mapped[str] = _word()
    action: Mapped[str] = _word(32)
    event_id: Mapped[str | None] = _maybe()
    camera: Mapped[str | None] = _maybe()
    if_revision: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str | None] = _maybe(SUMMARY_LENGTH)
    note: Mapped[str | None] = _maybe(NOTE_LENGTH)
    outcome: Mapped[str] = _word(32)
    body: Mapped[str] = mapped_column(Json)
    previous: Mapped[str] = _word()
    hash: Mapped[str] = _word()


class Clip(Base):
    """The video kept of an event by one camera, and how far it is."""

    __tablename__ = "clip"
    __table_args__ = (
        UniqueConstraint("site", "event_id", "camera", "start_ms", name="uq_clip"),
        Index("ix_clip_site", "site", "start_ms", "id"),
        Index("ix_clip_site_camera", "site", "camera", "start_ms", "id"),
        Index("ix_clip_site_event", "site", "event_id", "start_ms", "id"),
        COUNTED,
    )

    id: Mapped[int] = mapped_column(Number, primary_key=True, autoincrement=True)
    site: Mapped[str] = _word()
    event_id: Mapped[str] = _word()
    camera: Mapped[str] = _word()
    start_ms: Mapped[int] = mapped_column(BigInteger)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = _word(16)
    coverage: Mapped[float] = mapped_column(Double)
    file: Mapped[str | None] = _maybe(KEY_LENGTH)
    updated_at: Mapped[float] = mapped_column(Double)
    body: Mapped[str] = mapped_column(Json)


class EvidencePicture(Base):
    """The picture that decided, under the name that the detector gave the incident."""

    __tablename__ = "evidence"
    __table_args__ = (Index("ix_evidence_camera", "camera", "ts"), OPTIONS)

    site: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    event_id: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    camera: Mapped[str] = _word()
    ts: Mapped[float] = mapped_column(Double)
    confidence: Mapped[float] = mapped_column(Double)
    body: Mapped[str] = mapped_column(Json)
    picture: Mapped[bytes] = mapped_column(Blob)
    sha256: Mapped[str] = _word()


class TrackBlock(Base):
    """What was seen by one camera in ten seconds: JSON, deflated."""

    __tablename__ = "track_block"
    __table_args__ = (Index("ix_track_block_start", "start"), OPTIONS)

    site: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    camera: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    frames: Mapped[bytes] = mapped_column(Blob)


class HourCount(Base):
    """How many events of a kind and type an hour of one camera has; counted as they are stored."""

    __tablename__ = "rollup_hour"
    __table_args__ = (Index("ix_rollup_hour", "hour"), OPTIONS)

    site: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    camera: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    hour: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    type: Mapped[str] = mapped_column(String(32), primary_key=True)
    events: Mapped[int] = mapped_column(BigInteger)


class LastWord(Base):
    """What was heard last under a key, to know after a restart what is news."""

    __tablename__ = "last_word"
    __table_args__ = (OPTIONS,)

    site: Mapped[str] = mapped_column(String(WORD_LENGTH), primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    value: Mapped[str] = mapped_column(Json)
    ts: Mapped[float] = mapped_column(Double)
