"""Making sense of what ffmpeg writes to its log: the streams it found, and why it failed.

Nothing of it leaves this module unscrubbed: ffmpeg repeats the camera's URL, credentials included.
ffmpeg is asked to put the level before each line (`-loglevel level+info`): what it tells by the way
is never taken for a reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from hazardcast.media import camera_address
from hazardcast.media.ffmpeg_reasons import Reason, reason_of

_CONTEXT = r"(?:\[[^\]]* @ 0x[0-9a-f]+\] )"
_LEVEL = r"\[(panic|fatal|error|warning|info|verbose|debug)\] ?"
_PREFIX = re.compile(f"{_CONTEXT}*{_LEVEL}|{_CONTEXT}+")
_INPUT = re.compile(r"Input #0, ([\w,]+), from ")
_STREAM = re.compile(r"\s*Stream #0:\d+.*?: (Video|Audio): (\w+)")
_SIZE = re.compile(r", (\d{1,5}x\d{1,5})\b")
_OUTPUT = re.compile(r"\s*(Output #0|Stream mapping:)")
_GRAVE = frozenset({"error", "fatal", "panic"})
_FOLLOWING = re.compile(
    r"Conversion failed|Error opening (input|output)( files?)?\b|Error writing trailer|"
    r"Could not write header|Error (submitting|muxing) a packet|av_interleaved_write_frame|"
    r"Task finished with error|Terminating thread|Nothing was written|Output file is empty|"
    r"Error initializing output stream|Error (closing|while (filtering|processing))|"
    r"Last message repeated"
)
"""Says only that something failed because of what was said before."""
_DISK_FULL = re.compile(r"No space left on device|quota exceeded", re.I)
LONGEST_DETAIL = 200


@dataclass(frozen=True)
class Found:
    """What the camera sends."""

    format: str | None = None
    video: str | None = None
    audio: str | None = None
    size: str | None = field(default=None, compare=False)
    """Width and height of the pictures, as `1920x1080`."""
    track: int = 0
    """Which of its video tracks: the first that has shown what it holds, else the first."""

    @property
    def pixels(self) -> tuple[int, int] | None:
        """Width and height of the pictures; None where ffmpeg has not told."""
        if self.size is None:
            return None
        width, _, height = self.size.partition("x")
        return int(width), int(height)


class Console:
    """One ffmpeg's log, line by line."""

    def __init__(self, url: str, *, stand_in: str | None = None) -> None:
        """Read what an ffmpeg says about the camera at `url`, which it knows as `stand_in`."""
        self._secrets = camera_address.secrets_of(url)
        self._names = {stand_in: camera_address.shown(url)} if stand_in else {}
        self._listing = True
        self._tracks = 0
        self._unknown: str | None = None
        self.found = Found()
        self.complete = False
        """True once every stream of the input has been listed."""
        self.disk_full = False
        self.reason: Reason | None = None
        """The last known reason that was given."""

    def take(self, line: str) -> None:
        """Read one line of the log."""
        prefix = _PREFIX.match(line)
        level = prefix[1] if prefix else None
        text = line[prefix.end() :] if prefix else line
        if self._listing:
            self._find(text)
        if level is not None and level not in _GRAVE:
            return
        self.disk_full |= _DISK_FULL.search(line) is not None
        if reason := reason_of(line):
            # That the connection ended says less than what went wrong before.
            if reason.kind != "ended" or self.reason is None:
                self.reason = reason
        elif level is not None and text.strip() and not _FOLLOWING.search(text):
            self._unknown = self.scrub(text).strip()[:LONGEST_DETAIL]

    def forget(self) -> None:
        """Pictures came after all: what was complained of before them was no reason to end."""
        self.reason, self._unknown = None, None

    @property
    def problem(self) -> str | None:
        """Why it failed, in words; else ffmpeg's own last word about an error, scrubbed."""
        return self.reason.words if self.reason else self._unknown

    @property
    def unauthorised(self) -> bool:
        """Whether the camera refused the credentials."""
        return self.reason is not None and self.reason.kind == "unauthorised"

    def _find(self, text: str) -> None:
        if container := _INPUT.match(text):
            self.found = Found(format=container[1].partition(",")[0])
        elif stream := _STREAM.match(text):
            kind, codec = stream.groups()
            if kind == "Video":
                self._find_video(codec, _SIZE.search(text))
            elif kind == "Audio" and self.found.audio is None:
                self.found = replace(self.found, audio=codec)
        elif self.found.format and _OUTPUT.match(text):
            self.complete, self._listing = True, False

    def _find_video(self, codec: str, size: re.Match[str] | None) -> None:
        if self.found.video is None or (self.found.size is None and size):
            width_height = size[1] if size else None
            self.found = replace(self.found, video=codec, size=width_height, track=self._tracks)
        self._tracks += 1

    def scrub(self, line: str) -> str:
        """`line` without the credentials that it may repeat."""
        for name, shown in self._names.items():
            line = line.replace(name, shown)
        return camera_address.scrub(line, self._secrets)
