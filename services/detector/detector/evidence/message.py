"""Why an incident is believed, as an operator sees it: the picture that decided, drawn upon."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import numpy as np

from detector.evidence import drawing
from detector.evidence.moments import Moment, moment
from detector.incidents import Report
from detector.pipeline import Outcome
from hazardcast.contract.messages import Evidence
from hazardcast.vision.pixels.frame import Frame
from hazardcast.vision.pixels.image import Image

MOST_BYTES = 44_000
"""Of the JPEG; in base64 it must fit into a message of 64 KiB."""
QUALITIES = (80, 65, 50, 35, 20)
NUMBERS_A_LINE = 5


def evidence_of(
    camera_id: str, event_id: str, frame: Frame, outcome: Outcome, report: Report
) -> Evidence:
    """The message that shows why `report` was made of `frame`."""
    height, width = frame.image.shape[:2]
    x1, y1, x2, y2 = (round(float(side), 1) for side in report.place)
    return Evidence(
        event_id=event_id,
        camera=camera_id,
        ts=frame.t,
        type=report.type,
        status="new" if report.status == "new" else "update",
        confidence=round(min(1.0, report.confidence), 3),
        reasons={**report.evidence, "onset": round(report.onset_t, 3)},
        box=(x1, y1, x2, y2),
        width=width,
        height=height,
        picture=base64.b64encode(packed(drawn(moment(frame, outcome), report))).decode(),
    )


def drawn(seen: Moment, report: Report) -> Image:
    """Tracks, their ways, what the rules say; beside it the place itself from closer."""
    assert seen.picture is not None
    panel = drawing.panel(seen, label_box=None, caption=f"frame at {seen.t:.2f} s")
    place = drawing.closer(seen.picture, report.place, side=panel.shape[0])
    return drawing.captioned(np.hstack([panel, place]), list(lines(report)))


def lines(report: Report) -> Iterator[str]:
    """What is written above: type, confidence, since when, and the rule's numbers."""
    since_s = report.t - report.onset_t
    yield (
        f"{report.type.value.upper()} ({report.severity.value}), confidence "
        f"{report.confidence:.2f}, began {since_s:.1f} s before this frame"
    )
    numbers = [f"{name} {value}" for name, value in report.evidence.items()]
    for first in range(0, len(numbers), NUMBERS_A_LINE):
        yield "   ".join(numbers[first : first + NUMBERS_A_LINE])


def packed(picture: Image) -> bytes:
    """JPEG of at most `MOST_BYTES`, as good as that allows."""
    for quality in QUALITIES:
        jpeg = drawing.jpeg(picture, quality=quality)
        if len(jpeg) <= MOST_BYTES:
            return jpeg
    return packed(picture[::2, ::2])
