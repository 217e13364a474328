from __future__ import annotations

from typing import Any

from alerter import metrics
from prometheus_client import REGISTRY

from hazardcast.contract.messages import Alert


def alert(**changes: Any) -> Alert:
    return Alert.parse(
        {
            "event_id": "1-1", "status": "new", "revision": 0, "detection_time": 100.0, "reference_time": 100.0,
            "confirmed_at": 100.0, "ts": 100.0, "validity_duration_s": 900, "awareness_distance_m": 5_000,
            "station_type": 15, "cause_code": 2, "sub_cause_code": 0, "information_quality": 6, "type": "collision",
            "severity": "high", "lat": 37.1, "lon": 127.1, "camera": "north", **changes,
        }
    )  # fmt: skip


def latitude(camera: str, kind: str) -> float | None:
    return REGISTRY.get_sample_value(
        "hazardcast_alert_latitude_degrees", {"camera": camera, "kind": kind}
    )


def test_the_map_shows_the_newest_alert_of_each_camera_and_kind() -> None:
    older, newer = alert(), alert(event_id="1-2", reference_time=200.0, lat=37.2)

    metrics.show_in_force([newer, older, alert(camera=None, type="fire", lat=37.3)])

    assert latitude("north", "collision") == 37.2
    assert latitude("", "fire") == 37.3
    assert REGISTRY.get_sample_value("hazardcast_alerts_active") == 3


def test_the_map_forgets_what_has_ended() -> None:
    metrics.show_in_force([alert()])

    metrics.show_in_force([])

    assert latitude("north", "collision") is None
    assert REGISTRY.get_sample_value("hazardcast_alerts_active") == 0


def test_a_first_miss_is_seen_as_growth() -> None:
    assert (
        REGISTRY.get_sample_value("hazardcast_alert_deadline_total", {"result": "lost"}) is not None
    )
