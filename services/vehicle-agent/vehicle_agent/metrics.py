"""What a vehicle-agent measures."""

from __future__ import annotations

from typing import Literal, get_args

from prometheus_client import Counter, Gauge, Histogram

from hazardcast.contract.messages import ReceptionCounters
from hazardcast.receiving.datagram_verifier import Rejection
from hazardcast.service.metrics import LATENCY_BUCKETS_S
from vehicle_agent.announcement import Word
from vehicle_agent.known_alerts import Outcome
from vehicle_agent.sighting import Path

_PATHS: tuple[Path, ...] = ("multicast", "unicast", "mqtt")

_received = Counter(
    "hazardcast_datagrams_received_total", "Datagrams that arrived, by path", ["kind"]
)
RECEIVED = {path: _received.labels(kind=path) for path in _PATHS}
_rejected = Counter(
    "hazardcast_datagrams_rejected_total", "Datagrams not believed, by reason", ["reason"]
)
REJECTED = {reason: _rejected.labels(reason=reason.value) for reason in Rejection}
DROPPED = Counter(
    "hazardcast_datagrams_dropped_total",
    "Datagrams dropped by the kernel: no room in the buffer, or garbage in a flood",
)
EXPECTED = Counter(
    "hazardcast_vehicle_datagrams_expected_total",
    "Datagrams the station sent since it was heard",
    ["sender"],
)
UNIQUE = Counter(
    "hazardcast_vehicle_datagrams_unique_total",
    "Of those, received by multicast or unicast",
    ["sender"],
)
TICKS_EXPECTED = Counter(
    "hazardcast_vehicle_ticks_expected_total",
    "Transmission groups since the station was heard",
    ["sender"],
)
TICKS_DELIVERED = Counter(
    "hazardcast_vehicle_ticks_delivered_total",
    "Of those, with at least one copy received",
    ["sender"],
)
_versions = Counter(
    "hazardcast_alert_versions_total", "Authentic alert datagrams, by what they meant", ["result"]
)
VERSIONS = {outcome: _versions.labels(result=outcome.value) for outcome in Outcome}
_announced = Counter(
    "hazardcast_alerts_shown_total",
    "Alert versions that at least one output (console, CSV, ROS 2) has told",
    ["kind"],
)
SHOWN = {word: _announced.labels(kind=word.value.lower()) for word in Word}
IRRELEVANT = Counter(
    "hazardcast_alerts_irrelevant_total", "Alert versions that do not concern this vehicle"
)
Part = Literal[
    "console", "csv", "ros2", "cmd_vel", "receipts", "state", "position", "clock", "trust",
    "metrics", "look", "house",
]  # fmt: skip
"""What may fail without taking anything else along: outputs first, then the rest."""
_dropped = Counter(
    "hazardcast_announcements_dropped_total",
    "What an output did not take in time and that gave way to something more important",
    ["kind"],
)
UNANNOUNCED = {part: _dropped.labels(kind=part) for part in get_args(Part)[:5]}
_failures = Counter(
    "hazardcast_part_failures_total",
    "Failures of an output or another part that the vehicle can do without",
    ["kind"],
)
PART_FAILURES = {part: _failures.labels(kind=part) for part in get_args(Part)}
_failing = Gauge(
    "hazardcast_part_failing",
    "1 while an output, or another part that the vehicle can do without, fails or takes nothing",
    ["kind"],
)
PART_FAILING = {part: _failing.labels(kind=part) for part in get_args(Part)}
IN_FORCE = Gauge("hazardcast_vehicle_alerts_active", "Alerts in force that concern this vehicle")
VERIFY_S = Histogram(
    "hazardcast_verify_duration_seconds",
    "Judging one datagram that was believed",
    buckets=(1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 0.05),
)
STAGE_S = Histogram(
    "hazardcast_stage_duration_seconds",
    "Stages of the alert path in the vehicle",
    ["stage"],
    buckets=(1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, *LATENCY_BUCKETS_S),
)
RECEIVE_TO_DISPLAY_S = STAGE_S.labels(stage="receive_to_display")
END_TO_END_S = Histogram(
    "hazardcast_vehicle_alert_latency_seconds",
    "Confirmed to shown, by clocks known to agree",
    ["method"],
    buckets=LATENCY_BUCKETS_S,
)
SYNCED_LATENCY_S = END_TO_END_S.labels(method="synced")
LINK_AGE_S = Gauge("hazardcast_link_age_seconds", "Since any station was heard")
LINK_LOST = Gauge("hazardcast_link_lost", "1 while no station has been heard for 35 s")
SPEED_TARGET_MPS = Gauge(
    "hazardcast_speed_target_mps", "Speed the policy asks for; cruising if none"
)
CLOCK_OFFSET_S = Gauge("hazardcast_clock_offset_seconds", "Last difference to a station's clock")
CLOCK_TRUSTED = Gauge("hazardcast_clock_synchronized", "1 while the clock may judge freshness")


class CounterFeed:
    """Turns running counts into Prometheus counters, which only grow."""

    def __init__(self) -> None:
        self._before: dict[int, ReceptionCounters] = {}

    def feed(self, counters: tuple[ReceptionCounters, ...]) -> None:
        """Add what was gained since the last call; a new epoch counts from 0."""
        for present in counters:
            before = self._before.get(present.station)
            same = before if before and before.epoch == present.epoch else None
            for name, counter in _FEEDS.items():
                gained = getattr(present, name) - (getattr(same, name) if same else 0)
                counter.labels(sender=str(present.station)).inc(max(0, gained))
            self._before[present.station] = present


_FEEDS = {
    "datagrams_expected": EXPECTED,
    "datagrams_unique": UNIQUE,
    "ticks_expected": TICKS_EXPECTED,
    "ticks_delivered": TICKS_DELIVERED,
}
