"""A blur module as an operator would write it: it changes the place where the tests' head is."""

from __future__ import annotations

from typing import Any

HEAD = (40, 40, 104, 104)


class HeadBlurrer:
    """Inverts the head."""

    def __init__(self, num_camera: int = 1) -> None:
        self.num_camera = num_camera

    def process_frame(self, frame: Any, camera_index: int = 0) -> Any:
        assert camera_index < self.num_camera
        x1, y1, x2, y2 = HEAD
        frame[y1:y2, x1:x2] = 255 - frame[y1:y2, x1:x2]
        return frame


def apply_blur(frame: Any, thread_id: int = 0) -> Any:
    return HeadBlurrer(thread_id + 1).process_frame(frame, thread_id)
