"""The table of services, the roll call, and what recordings lack."""

from __future__ import annotations

from pathlib import Path

from hazardcast_tools.stack import deployment
from hazardcast_tools.stack.deployment import Place
from hazardcast_tools.stack.presence_board import Expected, RollCall

from hazardcast.contract.messages import CameraStatus, ServiceStatus
from hazardcast.contract.service_names import SERVICES
from hazardcast.contract.vocabulary import RunCause
from hazardcast.media import coverage
from hazardcast.media.segments import Run, Segment

PLACE = Place(
    config=Path("cameras.yaml"), data_dir=Path("data"), mqtt_host="127.0.0.1", mqtt_port=18830,
    http_port=18080, camera_port=18090, console_port=18088,
)  # fmt: skip
T = 1_800_000_000.0


def status(service: str, instance: str = "host", **changes: object) -> ServiceStatus:
    fields = {"service": service, "instance": instance, "state": "online", "version": "1", "ts": T}
    return ServiceStatus.parse({**fields, **changes})


def segment(start_s: float, end_s: float) -> Segment:
    return Segment(round((T + start_s) * 1000), round((T + end_s) * 1000), Path("x.ts"))


def test_every_service_runs_once_and_every_vehicle_on_its_own_name() -> None:
    rows = deployment.table(PLACE, ["vehicle-1", "vehicle-2"], range(9100, 9120))

    assert [row.name for row in rows] == [*SERVICES, "vehicle-1", "vehicle-2"]
    vehicles = [row for row in rows if "vehicle" in row.settings]
    assert [row.settings["vehicle"] for row in vehicles] == ["vehicle-1", "vehicle-2"]
    assert [row.settings["instance"] for row in vehicles] == ["vehicle-1", "vehicle-2"]


def test_all_find_the_same_broker_and_camera_server() -> None:
    rows = deployment.table(PLACE, ["vehicle-1"], range(9100, 9120))

    assert {row.settings["mqtt_port"] for row in rows} == {"18830"}
    assert {row.settings["camera_server"] for row in rows} == {"http://127.0.0.1:18090"}


def test_no_two_share_a_metrics_port() -> None:
    rows = deployment.table(PLACE, ["vehicle-1", "vehicle-2"], range(9100, 9120))

    assert len({row.settings["metrics_port"] for row in rows}) == len(rows)


def test_who_is_not_online_is_missing() -> None:
    roll = RollCall([Expected("recorder"), Expected("vehicle-agent", "vehicle-2")], since=T)

    assert roll.missing == ["recorder", "vehicle-2"]
    roll.hear(status("recorder"))
    roll.hear(status("vehicle-agent", "vehicle-1"))
    assert roll.missing == ["vehicle-2"]
    roll.hear(status("vehicle-agent", "vehicle-2"))
    assert roll.missing == []
    roll.hear(status("recorder", state="offline"))
    assert roll.missing == ["recorder"]


def test_words_from_an_earlier_life_do_not_count() -> None:
    roll = RollCall([Expected("recorder")], since=T)

    roll.hear(status("recorder", ts=T - 100))

    assert roll.missing == ["recorder"]


def test_a_camera_is_what_the_asked_service_says_of_it() -> None:
    roll = RollCall([], since=T)
    roll.hear(status("camera", cameras=[{"camera": "north", "state": "live"}]))
    roll.hear(status("recorder", cameras=[{"camera": "north", "state": "stalled"}]))

    assert roll.camera("recorder", "north") == CameraStatus(camera="north", state="stalled")
    assert roll.camera("detector", "north") is None


def test_the_distance_of_two_frames_is_no_gap() -> None:
    assert coverage.gaps([segment(0, 9.96), segment(10, 19.96)]) == []


def test_a_gap_has_the_cause_with_which_its_run_ended() -> None:
    kept = [segment(0, 10), segment(30, 40), segment(60, 70)]
    runs = [Run(T, T + 10, RunCause.CAMERA_DOWN), Run(T + 30, None, None)]

    found = coverage.gaps(kept, runs)

    assert [(gap.start - T, gap.end - T, gap.cause) for gap in found] == [
        (10.0, 30.0, "camera_down"), (40.0, 60.0, "no_frames"),
    ]  # fmt: skip
