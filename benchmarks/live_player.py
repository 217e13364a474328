"""A low-latency HLS player without a screen: fetches parts as they come, and tells how old its pictures are.

It does what players do: asks for the playlist with the next part and waits for the answer, begins with the
newest key frame behind the hold-back, and plays on at one second a second. Pictures that have not come when
they are due are a stall, and everything after is shown later by as much.
"""

from __future__ import annotations

import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import httpx

from hazardcast.media import burnt_clock

_PART = re.compile(
    r'#EXT-X-PART:DURATION=([\d.]+),URI="(\d+)\.ts",BYTERANGE="(\d+)@(\d+)"(,INDEPENDENT=YES)?'
)


@dataclass(frozen=True)
class HeardPart:
    """A part, and when its last byte came (epoch seconds)."""

    number: int
    place: int
    """Among the parts of its file."""
    duration_s: float
    key: bool
    data: bytes
    came_at: float


@dataclass
class Player:
    """Follows one camera for some seconds."""

    base: str
    """Up to and with `hls/{camera}/`."""
    heard: list[HeardPart] = field(default_factory=list)
    joined_s: float = 0.0
    """From the first request to the first part that can be shown."""
    asked: int = 0

    def follow(self, seconds: float) -> None:
        """Fetch parts until so long has passed."""
        began = time.time()
        with httpx.Client(base_url=self.base, timeout=10.0) as client:
            parts = self._parts(client, None)
            start = max(place for place, part in enumerate(parts) if part[4])
            for part in parts[start:]:
                self._fetch(client, part)
            self.joined_s = time.time() - began
            while time.time() - began < seconds:
                self._go_on(client)

    def _go_on(self, client: httpx.Client) -> None:
        last = self.heard[-1]
        parts = self._parts(client, (last.number, last.place + 1))
        for part in parts:
            if (part[0], part[1]) > (last.number, last.place):
                self._fetch(client, part)

    def _parts(
        self, client: httpx.Client, after: tuple[int, int] | None
    ) -> list[tuple[int, int, float, tuple[int, int], bool]]:
        """(file, place, seconds, (first byte, size), key) of every part that is told."""
        asked = {"_HLS_msn": after[0], "_HLS_part": after[1]} if after else {}
        self.asked += 1
        text = client.get("live.m3u8", params=asked).raise_for_status().text
        places: dict[int, int] = {}
        found = []
        for duration, number, size, offset, key in _PART.findall(text):
            place = places.get(int(number), 0)
            places[int(number)] = place + 1
            found.append((int(number), place, float(duration), (int(offset), int(size)), bool(key)))
        return found

    def _fetch(
        self, client: httpx.Client, part: tuple[int, int, float, tuple[int, int], bool]
    ) -> None:
        number, place, duration_s, (offset, size), key = part
        wanted = {"Range": f"bytes={offset}-{offset + size - 1}"}
        data = client.get(f"{number}.ts", headers=wanted).raise_for_status().content
        assert len(data) == size
        self.heard.append(HeardPart(number, place, duration_s, key, data, time.time()))

    def edge_ages_s(self) -> list[float]:
        """How old the last picture of each part was when it had come, by the clock in it."""
        shown = self._shown()
        return [
            part.came_at - times[-1] for part, times in zip(self.heard, shown, strict=True) if times
        ]

    def ages_s(self, hold_back_s: float = 1.5) -> tuple[list[float], int]:
        """(age of each picture when it is shown, stalls) of a player with this hold-back."""
        ages: list[float] = []
        stalls, starts_at, position_s = 0, None, 0.0
        reach_s = 0.0
        for part, times in zip(self.heard, self._shown(), strict=True):
            reach_s += part.duration_s
            if starts_at is None:
                position_s = reach_s
                if part is self._last_of_join():
                    starts_at = part.came_at - max(0.0, reach_s - hold_back_s)
                continue
            due_at = starts_at + position_s
            if part.came_at > due_at:
                stalls += 1
                starts_at += part.came_at - due_at
            step_s = part.duration_s / max(1, len(times))
            ages += [starts_at + position_s + n * step_s - shown for n, shown in enumerate(times)]
            position_s += part.duration_s
        return ages, stalls

    def _last_of_join(self) -> HeardPart:
        """The newest part of the first playlist: those came at once."""
        last = self.heard[0]
        for part in self.heard[1:]:
            if part.came_at - self.heard[0].came_at > self.joined_s + 0.05:
                break
            last = part
        return last

    def _shown(self) -> list[list[float]]:
        """What the burnt-in clock shows in the pictures of each part, epoch seconds."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "all.ts"
            path.write_bytes(b"".join(part.data for part in self.heard))
            capture = cv2.VideoCapture(str(path))
            times = []
            while True:
                read, picture = capture.read()
                if not read:
                    break
                shown = burnt_clock.read(picture)  # type: ignore[arg-type]
                times.append(shown / 1000 if shown else None)
        return _shared_out(times, [part.duration_s for part in self.heard])


def _shared_out(times: list[float | None], lengths_s: list[float]) -> list[list[float]]:
    """The pictures of all parts, in order, given to the parts by their lengths."""
    total_s = sum(lengths_s)
    shared: list[list[float]] = []
    begun_s, given = 0.0, 0
    for length_s in lengths_s:
        begun_s += length_s
        until = round(len(times) * begun_s / total_s)
        shared.append([one for one in times[given:until] if one is not None])
        given = until
    return shared
