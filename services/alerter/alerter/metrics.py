"""What the alerter measures; names and labels as in the design."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import Counter, Gauge, Histogram

from alerter.ingest.refusal import Reason
from hazardcast.contract.messages import Alert
from hazardcast.contract.reports import FIELDS
from hazardcast.service.metrics import LATENCY_BUCKETS_S

FINE_BUCKETS_S = (
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
)  # fmt: skip

INGESTED = Counter(
    "hazardcast_alerts_ingested_total", "Incidents taken, by what they led to", ["result"]
)
INGESTED_AS = {
    result: INGESTED.labels(result=result)
    for result in (
        "new", "update", "cancel", "unchanged", "pending", "shadow", "dropped", "withdrawn",
    )
}  # fmt: skip
REJECTED = Counter("hazardcast_alerts_rejected_total", "Incidents refused", ["reason"])
REPORT_WARNINGS = Counter(
    "hazardcast_report_warnings_total", "Parts of incidents that could not be used", ["kind"]
)
ACTIVE = Gauge("hazardcast_alerts_active", "Alerts in force")
EXPIRED = Counter("hazardcast_alerts_expired_total", "Alerts whose validity ran out")
WITHHELD = Counter(
    "hazardcast_incidents_withheld_total",
    "Incidents of cameras that were not broadcast at once, and what became of them",
    ["result"],
)
DECISIONS = Counter(
    "hazardcast_decisions_total", "Decisions of operators: done, or why refused", ["kind", "result"]
)
WAITING = Gauge("hazardcast_incidents_waiting", "Incidents that wait for a person's decision")
JOURNAL_LOST = Counter(
    "hazardcast_journal_entries_lost_total", "Entries of the journal that no disk took"
)
CLIPS_REQUESTED = Counter("hazardcast_clip_requests_total", "Clips asked for")

DATAGRAMS_SENT = Counter("hazardcast_datagrams_sent_total", "Datagrams sent", ["kind"])
SENT_AS = {kind: DATAGRAMS_SENT.labels(kind=kind) for kind in ("alert", "heartbeat")}
SEND_ERRORS = Counter(
    "hazardcast_datagram_send_errors_total", "Datagrams that the network refused", ["reason"]
)
TICKS_SENT = Counter("hazardcast_ticks_sent_total", "Transmission groups begun")
TICK_LATENESS = Histogram(
    "hazardcast_tick_lateness_seconds", "Planned → sent, of each copy", buckets=FINE_BUCKETS_S
)
TICK_COPIES = Gauge("hazardcast_tick_copies", "Copies in each tick, by the loss reported")
HEARTBEAT_SENT = Gauge(
    "hazardcast_heartbeat_last_sent_timestamp_seconds", "When the last heartbeat was sent"
)

SELF_TEST = Gauge(
    "hazardcast_self_test_passed",
    "1 while what the alerter says comes back: a nonce by the broker, its heartbeats by the air",
    ["stage"],
)
SECOND_PATH_SKIPPED = Counter(
    "hazardcast_second_path_skipped_total",
    "Datagrams not said over MQTT because the broker had not taken those before them",
)

LATENCY = Histogram(
    "hazardcast_alert_latency_seconds",
    "Incident confirmed → shown in the vehicle; rtt_bound: at most, needs no vehicle clock",
    ["method"],
    buckets=LATENCY_BUCKETS_S,
)
STAGE = Histogram(
    "hazardcast_alert_stage_seconds", "Parts of the latency", ["stage"], buckets=FINE_BUCKETS_S
)
CONFIRM_TO_INGEST = STAGE.labels(stage="confirm_to_ingest")
INGEST_TO_SEND = STAGE.labels(stage="ingest_to_send")
DEADLINE = Counter(
    "hazardcast_alert_deadline_total",
    "Alert versions per vehicle that was listening: shown within 0.5 s (met), later, or never",
    ["result"],
)
RECEIPTS = Counter("hazardcast_receipts_total", "Receipts from vehicles", ["result"])
TICKS_EXPECTED = Counter("hazardcast_ticks_expected_total", "Ticks that vehicles should have heard")
TICKS_DELIVERED = Counter(
    "hazardcast_ticks_delivered_total", "Ticks of which vehicles heard a copy"
)
DATAGRAMS_EXPECTED = Counter(
    "hazardcast_datagrams_expected_total", "Datagrams that vehicles should have heard"
)
DATAGRAMS_UNIQUE = Counter("hazardcast_datagrams_unique_total", "Datagrams that vehicles heard")
LOSS = Gauge("hazardcast_reported_loss_ratio", "Datagram loss that the worst vehicle reports")
VEHICLES = Gauge("hazardcast_vehicles_online", "Vehicles known to listen")
NAMES_GIVEN_TWICE = Gauge(
    "hazardcast_vehicle_names_given_twice", "Names that more than one vehicle goes by"
)
TOLD = Counter(
    "hazardcast_subscriber_messages_total",
    "Alert versions for subscribers, by format and what became of them",
    ["kind", "result"],
)
STATE_ERRORS = Counter("hazardcast_state_errors_total", "Changes that could not be put on disk")

LATITUDE = Gauge(
    "hazardcast_alert_latitude_degrees",
    "Where the newest alert in force of each camera and kind is",
    ["camera", "kind"],
)
LONGITUDE = Gauge(
    "hazardcast_alert_longitude_degrees",
    "Where the newest alert in force of each camera and kind is",
    ["camera", "kind"],
)
REPORT_PARTS = FIELDS | {"payload"}
_places: set[tuple[str, str]] = set()


def show_in_force(alerts: Iterable[Alert]) -> None:
    """Show how many alerts are in force, and where: the newest of each camera and kind."""
    alerts = sorted(alerts, key=lambda alert: alert.reference_time)
    newest = {(alert.camera or "", alert.type.value): alert for alert in alerts}
    ACTIVE.set(len(alerts))
    for camera, kind in _places - newest.keys():
        LATITUDE.remove(camera, kind)
        LONGITUDE.remove(camera, kind)
    for (camera, kind), alert in newest.items():
        LATITUDE.labels(camera=camera, kind=kind).set(alert.lat)
        LONGITUDE.labels(camera=camera, kind=kind).set(alert.lon)
    _places.clear()
    _places.update(newest)


def warned(field: str) -> None:
    """Count a part of a report; names that the contract does not know are `other`."""
    REPORT_WARNINGS.labels(kind=field if field in REPORT_PARTS else "other").inc()


def declare() -> None:
    """Show the series from the start, as zero: the first event is then seen as growth."""
    for reason in Reason:
        REJECTED.labels(reason=reason)
    for result in ("confirm", "shadow", "approved", "seconded", "rejected", "dropped", "expired"):
        WITHHELD.labels(result=result)
    WITHHELD.labels(result="timeout_broadcast")
    for result in ("met", "missed", "lost"):
        DEADLINE.labels(result=result)
    for result in ("displayed", "irrelevant"):
        RECEIPTS.labels(result=result)
    for stage in ("air", "broker"):
        SELF_TEST.labels(stage=stage)
    for method in ("rtt_bound", "synced"):
        LATENCY.labels(method=method)


declare()
