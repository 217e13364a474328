"""What an operator gets to see of every incident."""

from __future__ import annotations

import base64

import cv2
import numpy as np
import pytest
from detector.evidence.message import MOST_BYTES, evidence_of, lines, packed
from detector.incidents import Report
from detector.pipeline import Outcome, Pipeline
from detector.worker import event_id

from hazardcast.contract.incident_types import IncidentType, Severity
from hazardcast.contract.messages import MAX_MESSAGE_BYTES, Evidence
from hazardcast.vision.geometry.boxes import Label, make
from hazardcast.vision.pixels.frame import Frame

STREET = np.full((720, 1280, 3), 90, np.uint8)
PLACE = np.array([600.0, 300.0, 700.0, 380.0])


def report(**changes) -> Report:
    fields = {
        "status": "new", "key_t": 10.0, "type": IncidentType.FIRE, "severity": Severity.CRITICAL,
        "onset_t": 10.0, "t": 12.5, "confidence": 0.83, "place": PLACE,
        "evidence": {"seen": "flames", "presence": 0.8, "activity": 0.4},
    }  # fmt: skip
    return Report(**{**fields, **changes})


class OneCar:
    name = "one car"

    def detect(self, frame: Frame):
        x = 200 + 60 * frame.t
        return make([[x, 500, x + 120, 580]], [0.9], [Label.CAR])


@pytest.fixture
def seen() -> tuple[Frame, Outcome]:
    pipeline = Pipeline(OneCar())
    for number in range(17):
        frame = Frame(STREET, number / 8, number)
        outcome = pipeline.process(frame)
    return frame, outcome


def picture_of(evidence: Evidence) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(base64.b64decode(evidence.picture), np.uint8), 1)
    assert picture is not None
    return picture


def test_the_evidence_tells_the_rule_s_numbers_and_where(seen: tuple[Frame, Outcome]) -> None:
    evidence = evidence_of("north", event_id("north", 10.0), *seen, report())

    assert evidence.event_id == "north-10000"
    assert evidence.reasons["presence"] == 0.8
    assert evidence.reasons["onset"] == 10.0
    assert (evidence.box, evidence.width, evidence.height) == ((600, 300, 700, 380), 1280, 720)


def test_the_picture_shows_the_track_its_way_and_the_place_from_closer(
    seen: tuple[Frame, Outcome],
) -> None:
    picture = picture_of(evidence_of("north", "a", *seen, report())).astype(int)

    height, width = picture.shape[:2]
    assert width == 640 + 360
    assert height > 360  # the lines above
    panel = picture[height - 360 :, :640]
    green = (panel[..., 1] - panel[..., 2] > 40) & (panel[..., 1] - panel[..., 0] > 40)
    yellow = (panel[..., 2] - panel[..., 0] > 80) & (panel[..., 1] - panel[..., 0] > 60)
    assert green[230:300, 150:240].any()  # the car's box, at half the size
    assert yellow[285:295, 110:220].any()  # where it came from


def test_the_lines_say_what_it_is_how_sure_and_why() -> None:
    said = list(lines(report()))

    assert said[0] == "FIRE (critical), confidence 0.83, began 2.5 s before this frame"
    assert said[1] == "seen flames   presence 0.8   activity 0.4"


@pytest.mark.parametrize("shape", [(2160, 3840), (1280, 720), (120, 160)])
def test_evidence_of_any_picture_fits_into_a_message(shape) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (*shape, 3), dtype=np.uint8)
    frame = Frame(noise, 1.0, 1)
    outcome = Pipeline(OneCar()).process(frame)

    evidence = evidence_of("north", "a", frame, outcome, report(place=np.array([0, 0, 9.0, 9])))

    assert len(evidence.encode()) <= MAX_MESSAGE_BYTES
    assert Evidence.decode(evidence.encode()) == evidence
    assert picture_of(evidence).size


def test_packing_gives_up_size_rather_than_fail() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1500, 1500, 3), dtype=np.uint8)

    assert len(packed(noise)) <= MOST_BYTES
