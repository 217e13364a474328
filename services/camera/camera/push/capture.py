"""Where a client has its pictures from: a webcam, a file or a network camera."""

from __future__ import annotations

from errno import EHOSTUNREACH

import cv2
import numpy as np

from camera.drawing import Frame
from hazardcast.contract.errors import ConfigError

USUAL_FPS = 25.0


class Capture:
    """Pictures one after the other.

    Raises:
        ConfigError: the file or device cannot be opened.
        OSError: the camera of an address cannot be reached now.
    """

    def __init__(self, source: str) -> None:
        is_device = source.isascii() and source.isdecimal()
        self._capture = cv2.VideoCapture(int(source) if is_device else source)
        if not self._capture.isOpened():
            self._capture.release()
            if "://" in source:
                raise OSError(EHOSTUNREACH, "the source cannot be reached")
            raise ConfigError("--source: it cannot be opened")
        self.is_live = is_device or "://" in source
        """A file waits between its pictures; a camera does not."""
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 1 <= fps <= 240 else USUAL_FPS

    def skip(self) -> bool:
        """Pass over a picture; False at the end."""
        return bool(self._capture.grab())

    def read(self) -> Frame | None:
        """The next picture; None at the end."""
        ok, picture = self._capture.read()
        return np.asarray(picture, np.uint8) if ok else None

    def close(self) -> None:
        """Let go of it."""
        self._capture.release()


def encoded(picture: Frame, *, quality: int, share: float, most_width: int) -> bytes:
    """A JPEG of the picture, at `share` of its sides and at most `most_width` pixels wide."""
    height, width = picture.shape[:2]
    scale = share * min(1.0, most_width / width)
    if scale < 1:
        size = (max(16, round(width * scale)), max(16, round(height * scale)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
