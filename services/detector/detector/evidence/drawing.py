"""Edge to OpenCV's drawing: pictures with what the detector saw in them, and sheets of those."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from detector.evidence.moments import Moment
from hazardcast.contract.errors import HazardcastError
from hazardcast.vision.geometry.boxes import Floats
from hazardcast.vision.pixels.image import Image

PANEL_WIDTH = 640
COLUMNS = 3
LINE_PX = 20
MARGIN = 8
FONT, SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.45
WHITE, YELLOW, RED, GREEN, DARK = (
    (255, 255, 255), (0, 220, 255), (60, 60, 255), (120, 220, 120), (32, 32, 32),
)  # fmt: skip


def panel(moment: Moment, *, label_box: Floats | None, caption: str) -> Image:
    """One moment at `PANEL_WIDTH`: tracks green, hypotheses red, the label's box white."""
    assert moment.picture is not None
    height, width = moment.picture.shape[:2]
    scale = PANEL_WIDTH / width
    size = (PANEL_WIDTH, max(1, round(height * scale)))
    picture = cv2.resize(moment.picture, size, interpolation=cv2.INTER_AREA)
    for track in moment.tracks:
        trail = np.round(track.trail * scale).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(picture, [trail], isClosed=False, color=YELLOW, thickness=1)
        name = f"{track.track_id} {track.label} {track.speed_blps:.1f}"
        _box(picture, track.box * scale, GREEN, name)
    for hypothesis in moment.hypotheses:
        name = f"{hypothesis.type.value} {hypothesis.confidence:.2f}" + (
            "" if hypothesis.opens else " (weak)"
        )
        _box(picture, hypothesis.place * scale, RED, name)
    if label_box is not None:
        _box(picture, label_box * scale, WHITE, "label")
    _text(picture, caption, (MARGIN, size[1] - MARGIN), WHITE)
    return picture


def sheet(panels: Sequence[Image], lines: Sequence[str]) -> Image:
    """Panels in rows below lines of text."""
    rows = [list(panels[first : first + COLUMNS]) for first in range(0, len(panels), COLUMNS)]
    height = panels[0].shape[0]
    blank = np.full_like(panels[0], 20)
    grid = np.vstack([np.hstack(row + [blank] * (COLUMNS - len(row))) for row in rows])
    assert all(one.shape[0] == height for one in panels)
    return captioned(grid, lines)


def captioned(picture: Image, lines: Sequence[str]) -> Image:
    """The picture below lines of text."""
    head = np.full((LINE_PX * len(lines) + 2 * MARGIN, picture.shape[1], 3), DARK, np.uint8)
    for number, line in enumerate(lines, start=1):
        _text(head, line, (MARGIN, number * LINE_PX), WHITE)
    return np.vstack([head, picture])


def closer(picture: Image, place: Floats, *, side: int) -> Image:
    """What lies at `place` and around it, cut out as a square of `side` px."""
    height, width = picture.shape[:2]
    half = float(min(max(*(place[2:] - place[:2]), 0.1 * width), height, width)) / 2
    x, y = np.clip((place[:2] + place[2:]) / 2, half, np.array([width, height]) - half)
    cut = picture[int(y - half) : int(y + half), int(x - half) : int(x + half)]
    return cv2.resize(cut, (side, side), interpolation=cv2.INTER_CUBIC)


def write(path: Path, picture: Image) -> None:
    """Keep a picture as JPEG.

    Raises:
        HazardcastError: it cannot be written there.
    """
    path.write_bytes(jpeg(picture))


def jpeg(picture: Image, *, quality: int = 85) -> bytes:
    """The picture packed as JPEG."""
    ok, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not ok:
        raise HazardcastError("a picture could not be packed as JPEG")
    return bytes(packed)


def _box(picture: Image, box: Floats, colour: tuple[int, int, int], name: str) -> None:
    x1, y1, x2, y2 = (round(float(side)) for side in box)
    cv2.rectangle(picture, (x1, y1), (x2, y2), colour, 1, cv2.LINE_AA)
    _text(picture, name, (x1, max(10, y1 - 3)), colour)


def _text(picture: Image, text: str, at: tuple[int, int], colour: tuple[int, int, int]) -> None:
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(picture, plain, at, FONT, SIZE, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(picture, plain, at, FONT, SIZE, colour, 1, cv2.LINE_AA)
