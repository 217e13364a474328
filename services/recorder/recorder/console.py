"""Making sense of what ffmpeg writes to its log: the streams it found, and why it failed.

Nothing of it leaves this module unscrubbed: ffmpeg repeats the camera's URL, credentials included.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_INPUT = re.compile(r"Input #0, ([\w,]+), from ")
_STREAM = re.compile(r"\s*Stream #0:\d+.*?: (Video|Audio): (\w+)")
_OUTPUT = re.compile(r"\s*(Output #0|Stream mapping:)")
_USERINFO = re.compile(r"//[^/\s@]*@")
_CONTEXT = re.compile(r"^\[[^\]]* @ 0x[0-9a-f]+\] ")
_NOISE = re.compile(
    r"^\s*(Stream #|Metadata:|Duration:|Program |Input #|Output #|Press |frame=|video:|size=|"
    r"encoder |Last message|Exiting|Side data|[a-z_]+ +: )|Opening '|Error writing trailer|"
    r"Conversion failed|Error opening (input|output) files?\b|starts with packet|^\s*$"
)
_UNAUTHORISED = re.compile(r"\b(401|403)\b.*(Unauthorized|Forbidden)|authorization failed", re.I)
_DISK_FULL = re.compile(r"No space left on device", re.I)
LONGEST_DETAIL = 200


@dataclass(frozen=True)
class Found:
    """What the camera sends."""

    format: str | None = None
    video: str | None = None
    audio: str | None = None


class Console:
    """One ffmpeg's log, line by line."""

    def __init__(self, url: str) -> None:
        self._secrets = _secrets(url)
        self._listing = True
        self.found = Found()
        self.complete = False
        """True once every stream of the input has been listed."""
        self.unauthorised = False
        self.disk_full = False
        self.problem: str | None = None
        """The last line that says something, scrubbed."""

    def take(self, line: str) -> None:
        """Read one line of the log."""
        if self._listing:
            self._find(line)
        self.unauthorised |= _UNAUTHORISED.search(line) is not None
        self.disk_full |= _DISK_FULL.search(line) is not None
        if not _NOISE.search(line):
            self.problem = self.scrub(_CONTEXT.sub("", line)).strip()[:LONGEST_DETAIL]

    def _find(self, line: str) -> None:
        if container := _INPUT.match(line):
            self.found = Found(format=container[1])
        elif stream := _STREAM.match(line):
            kind, codec = stream.groups()
            before = self.found
            if kind == "Video" and before.video is None:
                self.found = Found(before.format, codec, before.audio)
            elif kind == "Audio" and before.audio is None:
                self.found = Found(before.format, before.video, codec)
        elif self.found.format and _OUTPUT.match(line):
            self.complete, self._listing = True, False

    def scrub(self, line: str) -> str:
        """`line` without the credentials that it may repeat."""
        for secret in self._secrets:
            line = line.replace(secret, "…")
        return _USERINFO.sub("//", line)


def _secrets(url: str) -> tuple[str, ...]:
    """The password and the pair, as written in the URL and as meant; longest first."""
    parts = urlsplit(url)
    if not parts.password:
        return ()
    quoted = parts.netloc.rpartition("@")[0]
    forms = {quoted, unquote(quoted), parts.password, unquote(parts.password)}
    return tuple(sorted(forms, key=len, reverse=True))
