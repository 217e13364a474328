"""What waits to be sent through one socket, within bounds: who does not read costs others nothing.

Events are never left out: where they do not fit any more, the socket has to end, and the page asks
anew. Of a state and of a camera's detections only the newest is worth sending. Pure.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

MOST_EVENT_BYTES = 1_000_000
MOST_STATES = 20_000
MOST_ANSWERS = 256
"""Answers that wait, refusals included: who asks on and reads nothing has to end."""


class Outbox:
    """Words in the order in which they are sent: control and events, states, detections, media."""

    def __init__(self) -> None:
        self.overflowed = False
        """Something did not fit: end with 1013."""
        self._words: deque[str] = deque()
        self._words_bytes = 0
        self._states: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._detections: OrderedDict[str, str] = OrderedDict()
        self._media: deque[tuple[int, Any]] = deque()

    def __bool__(self) -> bool:
        return bool(self._words or self._states or self._detections or self._media)

    def word(self, text: str) -> None:
        """An event or a word about the socket itself, which must not be lost."""
        self._words.append(text)
        self._words_bytes += len(text)
        self.overflowed |= self._words_bytes > MOST_EVENT_BYTES

    def state(self, key: tuple[str, str], text: str) -> None:
        """The newest state of a key."""
        self._states.pop(key, None)
        self._states[key] = text
        self.overflowed |= len(self._states) > MOST_STATES

    def detections(self, camera: str, text: str) -> None:
        """The newest detections of a camera."""
        self._detections.pop(camera, None)
        self._detections[camera] = text

    def media(self, number: int, answer: Any) -> None:
        """What was asked for under a number."""
        self._media.append((number, answer))
        self.overflowed |= len(self._media) > MOST_ANSWERS

    def drop(self, number: int) -> None:
        """What was asked for under this number is not sent any more."""
        self._media = deque(one for one in self._media if one[0] != number)

    def withdraw(self, cameras: frozenset[str]) -> None:
        """Nothing of these cameras is sent any more."""
        for camera in cameras:
            self._detections.pop(camera, None)

    def next(self) -> str | Any | None:
        """What is to be sent next, None when nothing is."""
        if self._words:
            text = self._words.popleft()
            self._words_bytes -= len(text)
            return text
        for waiting in (self._states, self._detections):
            if waiting:
                return waiting.popitem(last=False)[1]
        return self._media.popleft()[1] if self._media else None
