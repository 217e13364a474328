"""What ffmpeg's complaints mean, in words, and whether the camera was reached at all.

Texts as FFmpeg 5.1, 7.1 and 9.0 write them (strerror, libavutil/error.c, libavformat, fftools).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "unreached", "unauthorised", "unusable", "sizeless", "setless", "transport", "sound", "ended"
]


@dataclass(frozen=True)
class Reason:
    """Why a connection failed."""

    kind: Kind
    """unreached: nobody there; unusable: it answers, but what it sends cannot be recorded;
    sizeless: no key frame told the size of the pictures; setless: only the first did;
    transport: it refuses TCP or UDP."""
    words: str


OWN_ERROR = "the camera reports an error of its own: start it again"
_REASONS: tuple[tuple[str, Kind, str], ...] = (
    (r"\b401\b.*Unauthorized|authorization failed", "unauthorised",
     "the camera refuses the credentials"),
    (r"\b403\b.*Forbidden|access denied", "unauthorised",
     "the camera forbids access to these credentials"),
    (r"\b404\b|Stream Not Found", "unusable",
     "the camera knows no stream of this name: look at the path in its address"),
    (r"\b461\b|Unsupported Transport|Protocol not supported|Nonmatching transport", "transport",
     "the camera refuses this way of transport: try another rtsp_transport"),
    (r"\b(453|503)\b|Not Enough Bandwidth|Service Unavailable", "unusable",
     "the camera is busy: it may have too many viewers"),
    (r"\b454\b|Session Not Found", "ended", "the camera has forgotten this connection"),
    (r"\b5\d\d\b (Internal|Bad Gateway|Gateway|Option)|Server returned 5XX", "unusable",
     OWN_ERROR),
    (r"Server returned 4\d\d|Server returned 4XX|method \w+ failed: 4\d\d", "unusable",
     "the camera refuses what it is asked: look at the path in its address"),
    (r"Connection refused", "unreached",
     "nothing listens there (connection refused): look at its power, address and port"),
    (r"No route to host|Network is unreachable|Host is down", "unreached",
     "there is no way to it: look at its cable, its address and the network"),
    (r"Connection timed out|Operation timed out", "unreached",
     "it does not answer (timed out): look at its power, its cable and its address"),
    (r"Failed to resolve hostname|Name or service not known|Temporary failure in name", "unreached",
     "its name cannot be resolved: look at the address and at the DNS"),
    (r"TLS connection was non-properly terminated", "ended", "the camera closed the connection"),
    (r"\[tls[^\]]*\] (\[\w+\] )?\S", "unusable",
     "no encrypted connection comes about: look at the camera's certificate"),
    (r"(handshake|certificate|TLS|SSL).*(fail|error|verify|invalid)|TLS fatal alert", "unusable",
     "no encrypted connection comes about: look at the camera's certificate"),
    (r"dimensions not set|[Uu]nspecified size|non-existing [PS]PS|PPS id out of range", "sizeless",
     "no key frame has come yet"),
    (r"first pts and dts value must be set|Timestamps are unset in a packet", "unusable",
     "its pictures carry no times"),
    (r"matches no streams|does not contain any stream", "unusable", "it sends no pictures"),
    (r"Could not find tag for codec \w+ in stream #1", "sound", "its sound cannot be recorded"),
    (r"\[a(ac|dts)[^\]]*\].*rror|ost#0:1.*rror", "sound", "its sound cannot be recorded"),
    (r"(output|for|encoder).* stream #?0:1\b", "sound", "its sound cannot be recorded"),
    (r"Decoder .* not found|Unknown decoder|no decoder found", "unusable",
     "this ffmpeg cannot read the pictures' format"),
    (r"Unknown encoder|Encoder not found", "unusable",
     "its pictures must be encoded again, and this ffmpeg has no libx264"),
    (r"Error while opening encoder", "unusable",
     "its pictures must be encoded again, and the encoder does not take them"),
    (r"Invalid data found when processing input", "unusable",
     "what comes from there is no video that ffmpeg knows: look at the address"),
    (r"Connection reset by peer|Broken pipe|End of file|Input/output error", "ended",
     "the camera closed the connection"),
    (r"Protocol not found|Invalid argument.*(rtsp|http)", "unusable",
     "the address is none that ffmpeg can open"),
)  # fmt: skip
_PATTERNS = tuple((re.compile(text), Reason(kind, words)) for text, kind, words in _REASONS)


def reason_of(line: str) -> Reason | None:
    """What an error line means; None where it is not one of those known."""
    return next((reason for pattern, reason in _PATTERNS if pattern.search(line)), None)
