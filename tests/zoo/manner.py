"""How a camera of the zoo sends its film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tests.zoo.film import Film

SOUNDS: dict[str, tuple[str, ...]] = {
    "pcmu": ("-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1", "-f", "nut"),
    "pcma": ("-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1", "-f", "nut"),
    "aac": ("-c:a", "aac", "-ar", "16000", "-ac", "1", "-b:a", "32k"),
    "opus": ("-c:a", "libopus", "-ar", "48000", "-ac", "2", "-b:a", "32k"),
}
Moment = tuple[float, float]
"""(seconds after the film's beginning, seconds by which something moves)."""


@dataclass(frozen=True)
class Rtsp:
    """Over RTSP and RTP (RFC 2326, RFC 3550)."""

    transport: Literal["any", "udp", "mute-tcp"] = "any"
    join: Literal["key", "middle", "own"] = "key"
    """A viewer gets the film from the next key frame, from wherever it is, or from its beginning."""
    sprop: bool = True
    """Parameter sets stand in the description."""
    inband: bool = True
    """Parameter sets come with the pictures."""
    together: bool = False
    """Small units share a packet (STAP-A)."""
    most: int = 1400
    """Bytes of a payload."""
    marks: bool = True
    """The last packet of a picture is marked."""
    delimiters: bool = False
    turned: bool = False
    """SEI before each key frame tells that the picture is to be turned by 90°."""
    supplements: int = 0
    """Bytes of SEI with each picture."""
    sound: str | None = None
    sound_stops_s: float | None = None
    video_after_s: float = 0.0
    """Sound alone comes until then."""
    metadata: bool = False
    """An ONVIF metadata track stands first."""
    second: Film | None = None
    """A second video track."""
    reports: bool = True
    """RTCP sender reports tell the wall clock."""
    clock_set: Moment | None = None
    """The reports' clock is set."""
    leap: Moment | None = None
    """RTP time leaps."""
    stamp: int = 1_234_567_890
    """RTP time of the film's beginning."""
    speed: float = 1.0
    """How much faster than the world the camera's clock runs."""
    same_stamp: int = 0
    """Each so many-th picture has the stamp of the one before."""
    lose: int = 0
    """Each so many-th packet is lost, but none of a key frame."""
    then: tuple[float, Film] | None = None
    """From that moment on, pictures of another film on the same connection."""
    redirect: bool = False
    account: str | None = None
    digest: tuple[str, ...] = ("MD5",)
    keyless_viewers: int = 0
    """So many viewers get no key frame."""


@dataclass(frozen=True)
class Jpegs:
    """JPEG after JPEG over HTTP (multipart/x-mixed-replace), without times."""

    lengths: bool = True
    """Each part tells its length."""
    redirect: bool = False
    account: str | None = None


@dataclass(frozen=True)
class Http:
    """The film's file over HTTP as time goes by: MPEG-TS, FLV or fragments of MP4."""

    tables_after_s: float = 0.0
    """MPEG-TS: no programme tables until then."""
    chunked: bool = False
    middle: bool = False
    """MPEG-TS: viewers come in anywhere."""


Manner = Rtsp | Jpegs | Http
