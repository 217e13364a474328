from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
import pytest
from detector.__main__ import ground_of
from detector.incidents import Report
from detector.pipeline import Areas, Pipeline
from detector.view.ground import GroundPoints
from detector.worker import Worker, detections, event_id, incident_of

from hazardcast.config.site import Camera, Position
from hazardcast.contract.errors import ConfigError
from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.contract.messages import Incident
from hazardcast.contract.topics import DETECTIONS, EVIDENCE, INCIDENTS
from hazardcast.testing import ManualClock, MemoryBroker, eventually
from hazardcast.vision.geometry.boxes import Label, empty, make
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image

CAMERA = Camera(url="rtsp://camera/main", road="segment_A", distance_m=500.0)
RNG = np.random.default_rng(2)
STREET = np.clip(RNG.normal(100, 30, (360, 640, 3)), 0, 255).astype(np.uint8)


CARS = np.clip(RNG.normal(120, 60, (2, 5, 6, 3)), 0, 255).astype(np.uint8)


def cars_at(t: float) -> list[list[float]]:
    """Boxes of two cars that meet at 4 s and stay."""
    s = min(t, 4.0)
    return [[60 * s, 170, 60 * s + 60, 210], [270, -10 + 45 * s, 330, 30 + 45 * s]]


def street_at(t: float) -> Image:
    """What a camera sees of them."""
    picture = STREET.copy()
    for car, box in zip(CARS, cars_at(t), strict=True):
        x1, y1, x2, y2 = (max(0, round(side)) for side in box)
        look = cv2.resize(car, (60, 40), interpolation=cv2.INTER_CUBIC)
        picture[y1:y2, x1:x2] = look[40 - (y2 - y1) :]
    return picture


@dataclass
class ScriptedModel:
    """Finds the two cars, as far as it is asked."""

    name: str = "scripted"
    start_t: float = 0.0

    def detect(self, frame: Frame):
        if frame.t < self.start_t:
            return empty()
        return make(cars_at(frame.t - self.start_t), [0.9, 0.9], [Label.CAR, Label.CAR])


@dataclass
class ScriptedFrames:
    """Frames handed out as fast as they are asked for."""

    pending: list[Frame]
    state: str = "live"
    last_frame_at: float | None = None
    trouble: str | None = None
    closed: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None: ...

    def close(self) -> None:
        self.closed.set()

    def take(self, timeout_s: float) -> Frame | None:
        if self.pending:
            frame = self.pending.pop(0)
            self.last_frame_at = frame.t
            return frame
        self.closed.wait(0.01)
        return None


def frames(until_s: float, start_t: float, fps: int = 8) -> list[Frame]:
    return [Frame(street_at(k / fps), start_t + k / fps, k) for k in range(int(until_s * fps))]


@pytest.fixture
def run():
    """Run a worker over frames; gives the broker when all were analysed."""
    workers: list[Worker] = []

    def run_(
        pending: list[Frame],
        model: ScriptedModel,
        areas: Areas | None = None,
        camera: Camera = CAMERA,
    ):
        broker, script = MemoryBroker(), ScriptedFrames(pending)
        count = len(pending)
        clock = ManualClock(pending[-1].t)  # all frames lie before it, as those of a camera do
        worker = Worker(
            "north", camera, frames=script, open_pipeline=lambda: Pipeline(model, areas=areas),
            bus=broker.bus(clock), clock=clock,
        )  # fmt: skip
        workers.append(worker)
        worker.start()
        eventually(lambda: len(broker.payloads(DETECTIONS)) == count, within_s=20)
        return broker, worker

    yield run_
    for worker in workers:
        worker.close()


def test_every_analysed_frame_is_told_with_its_capture_time(run) -> None:
    start_t = 1_700_000_000.0
    broker, worker = run(frames(2.0, start_t), ScriptedModel(start_t=start_t))

    told = broker.messages(DETECTIONS)

    assert [one.ts for one in told] == [start_t + k / 8 for k in range(16)]
    assert {(one.width, one.height, one.model) for one in told} == {(640, 360, "scripted")}
    assert len(told[-1].objects) == 2
    assert told[-1].objects[0].label == "car"
    assert worker.status().last_frame_at == told[-1].ts


@pytest.mark.parametrize(("url", "goes_on"), [("push://", False), (CAMERA.url, True)])
def test_the_next_client_of_a_pushed_camera_is_another_view(run, url: str, goes_on: bool) -> None:
    """Of a network camera the next connection shows the same road, and who drove there drives on."""
    pending = [replace(frame, run=1 + (frame.index >= 12)) for frame in frames(2.5, 1_000.0)]
    broker, _ = run(pending, ScriptedModel(start_t=1_000.0), camera=Camera(url=url))

    told = [{one.track_id for one in message.objects} for message in broker.messages(DETECTIONS)]
    before, first, last = told[11], told[12], told[-1]
    assert len(before) == len(last) == 2
    assert (first == before) == goes_on
    assert (last == before) == goes_on


def test_a_collision_is_reported_once_with_its_onset_and_where(run) -> None:
    start_t = 1_700_000_000.0
    broker, _ = run(frames(9.0, start_t), ScriptedModel(start_t=start_t))

    incidents = broker.messages(INCIDENTS)

    assert [(one.type, one.status) for one in incidents] == [(IncidentType.COLLISION, "new")]
    incident = incidents[0]
    assert abs(incident.ts - start_t - 4.0) <= 0.7
    assert incident.camera == "north"
    assert (incident.road, incident.distance_m) == ("segment_A", 500.0)
    assert incident.severity is Severity.HIGH
    assert incident.confirmed_at >= incident.ts
    assert len(broker.payloads(INCIDENTS)[0]) < 8192
    shown = broker.messages(EVIDENCE)
    assert [(one.event_id, one.type) for one in shown] == [(incident.event_id, incident.type)]
    assert shown[0].reasons.keys() >= incident.evidence.keys() - {"box"}


def test_what_still_lies_there_is_said_again_when_reports_may_have_been_lost(run) -> None:
    start_t = 1_700_000_000.0
    pending, more = frames(9.0, start_t), frames(9.5, start_t)[-4:]
    broker, worker = run(pending, ScriptedModel(start_t=start_t))

    worker.say_again()
    pending += more
    eventually(lambda: len(broker.payloads(DETECTIONS)) == 76)

    first, again = broker.messages(INCIDENTS)
    assert (again.status, again.event_id, again.type) == ("update", first.event_id, first.type)
    assert again.ts == more[0].t
    assert len(broker.messages(EVIDENCE)) == 1  # of the picture that decided


def test_where_the_site_says_ignore_nothing_is_detected(run) -> None:
    start_t = 1_700_000_000.0
    everywhere = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    broker, _ = run(
        frames(9.0, start_t), ScriptedModel(start_t=start_t), Areas(ignore=(everywhere,))
    )

    assert broker.messages(INCIDENTS) == []
    assert all(not one.objects for one in broker.messages(DETECTIONS))


def report(status="new", key_t=1_700_000_004.25, **changes) -> Report:
    fields = {
        "status": status, "key_t": key_t, "type": IncidentType.COLLISION,
        "severity": Severity.HIGH, "onset_t": key_t, "t": key_t + 2, "confidence": 0.8,
        "place": np.array([1.0, 2.0, 3.0, 4.0]), "evidence": {"gap_bl": 0.1},
    }  # fmt: skip
    return Report(**{**fields, **changes})


def test_update_and_cancel_refer_to_the_incident_by_its_first_onset() -> None:
    first = incident_of("north", CAMERA, report(), now=1_700_000_006.5)
    later = incident_of(
        "north", CAMERA, report("update", onset_t=1_700_000_009.0), now=1_700_000_010.0
    )

    assert first.event_id == later.event_id == "north-1700000004250"
    assert (first.status, later.status) == ("new", "update")


def test_the_message_survives_the_wire() -> None:
    located = Camera(url="demo://normal", position=Position(lat_deg=37.1, lon_deg=127.1))
    incident = incident_of("north", located, report(), now=1_700_000_006.5)

    again = Incident.decode(incident.encode())

    assert again == incident
    assert (again.lat, again.lon) == (37.1, 127.1)
    assert json.loads(incident.encode())["evidence"]["box"] == [1.0, 2.0, 3.0, 4.0]


def test_an_event_id_fits_whatever_the_camera_is_called() -> None:
    name = event_id("a" * 40, 1_700_000_004.25)

    assert len(name) <= 48
    assert Incident(type="collision", event_id=name).event_id == name
    assert name.endswith("-1700000004250")


def test_a_clock_set_back_does_not_silence_the_camera() -> None:
    model = ScriptedModel(start_t=5000.0)
    pipeline = Pipeline(model)
    for frame in frames(9.0, 5000.0):
        pipeline.process(frame)
    assert pipeline.book.active == 1

    model.start_t = 1000.0
    outcomes = [pipeline.process(frame) for frame in frames(9.0, 1000.0)]

    assert len(outcomes[-1].tracks) == 2
    assert [one.status for outcome in outcomes for one in outcome.reports] == []
    assert pipeline.book.active == 1


def test_a_covered_lens_is_a_state_of_the_camera_and_no_incident(run) -> None:
    start_t = 1_700_000_000.0
    pending = frames(12.0, start_t)
    for number, frame in enumerate(pending):
        if frame.t >= start_t + 3:
            grey = np.full_like(STREET, 60 + number % 2)
            pending[number] = Frame(grey, frame.t, frame.index)

    broker, worker = run(pending, ScriptedModel(start_t=start_t))

    assert worker.status().detail == "picture: covered"
    assert broker.messages(INCIDENTS) == []


def test_a_scene_cut_is_a_state_of_the_camera_and_no_incident(run) -> None:
    start_t = 1_700_000_000.0
    other = np.clip(np.random.default_rng(9).normal(120, 60, (18, 32, 3)), 0, 255).astype(np.uint8)
    other = np.kron(other, np.ones((20, 20, 1), np.uint8))
    pending = [
        Frame(other if one.t >= start_t + 4 else STREET, one.t, one.index)
        for one in frames(8.0, start_t)
    ]

    broker, worker = run(pending, ScriptedModel(start_t=start_t))

    assert worker.status().detail == "picture: cut"
    assert broker.messages(INCIDENTS) == []


def test_speeds_over_the_road_are_told_where_the_ground_is_known() -> None:
    ground = GroundPoints(
        [(0, 0.2), (1, 0.2), (1, 1), (0, 1)], [(0, 0), (64, 0), (64, 36), (0, 36)]
    )
    pipeline, start_t = Pipeline(ScriptedModel(), ground=ground), 0.0
    for frame in frames(3.0, start_t):
        outcome = pipeline.process(frame)

    told = detections("north", frame, outcome, model="scripted", inference_s=0.01)

    assert len(told.objects) == 2
    assert told.objects[0].speed_mps == pytest.approx(6.0, abs=1.0)  # 60 px/s, ten px a metre
    unknown = Pipeline(ScriptedModel())
    for frame in frames(3.0, start_t):
        outcome = unknown.process(frame)
    assert all(one.speed_mps is None for one in detections("north", frame, outcome, model="scripted", inference_s=0.01).objects)  # fmt: skip


def test_points_of_the_ground_that_give_no_plane_are_refused_with_the_camera() -> None:
    line = {
        "picture": [[0, 0], [1, 1], [0.5, 0.5], [1, 0]],
        "metres": [[0, 0], [1, 0], [1, 1], [0, 1]],
    }
    camera = Camera(url="rtsp://camera/main", ground=line)

    with pytest.raises(ConfigError, match=r"cameras\.north\.ground: three of the four"):
        ground_of("north", camera)


class RefusedModel:
    """A network that turns out to be another than it looked like."""

    name = "own"

    def detect(self, frame: Frame):
        raise ConfigError("HAZARDCAST_MODEL: own.onnx: read as yolov8, its scores reach 3")


def test_a_model_that_turns_out_wrong_is_told_in_the_cameras_status() -> None:
    clock = ManualClock(10.0)
    worker = Worker(
        "north", CAMERA, frames=ScriptedFrames(frames(0.5, 0.0)),
        open_pipeline=lambda: Pipeline(RefusedModel()), bus=MemoryBroker().bus(clock), clock=clock,
    )  # fmt: skip
    worker.start()

    eventually(lambda: "its scores reach 3" in (worker.status().detail or ""))

    assert worker.idle_s == float("inf")
    worker.close()
