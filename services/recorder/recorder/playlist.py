"""The live playlist over the segments themselves (HLS, RFC 8216; nothing is copied or remuxed)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

KEPT = 6
_SEQUENCE = re.compile(r"^#EXT-X-MEDIA-SEQUENCE:(\d{1,15})\s*$", re.M)
_DISCONTINUITIES = re.compile(r"^#EXT-X-DISCONTINUITY-SEQUENCE:(\d{1,15})\s*$", re.M)


@dataclass(frozen=True)
class Entry:
    """One segment of the playlist."""

    uri: str
    """Relative to the playlist."""
    start: float
    """Wall clock of its first frame, epoch seconds."""
    duration_s: float
    begins_run: bool = False
    """Its time stamps or format do not go on from the entry before."""


@dataclass(frozen=True)
class Playlist:
    """The newest segments, and how many came before them."""

    sequence: int = 0
    discontinuities: int = 0
    entries: tuple[Entry, ...] = ()

    def with_entry(self, entry: Entry) -> Playlist:
        """This playlist with `entry` at its end and no more than `KEPT` in all."""
        entries = (*self.entries, entry)
        gone = entries[:-KEPT]
        return Playlist(
            self.sequence + len(gone),
            self.discontinuities + sum(item.begins_run for item in gone),
            entries[-KEPT:],
        )


def following(text: str) -> Playlist:
    """An empty playlist whose numbers go on after those of `text`, an earlier playlist.

    A player that stayed through a restart must never see a number used twice (RFC 8216 §6.2.2).
    """
    sequence, discontinuities = _SEQUENCE.search(text), _DISCONTINUITIES.search(text)
    return Playlist(
        (int(sequence[1]) if sequence else 0) + text.count("#EXTINF:"),
        (int(discontinuities[1]) if discontinuities else 0) + text.count("#EXT-X-DISCONTINUITY\n"),
    )


def render(playlist: Playlist) -> str:
    """The file's text."""
    longest_s = max((entry.duration_s for entry in playlist.entries), default=1.0)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        f"#EXT-X-TARGETDURATION:{max(1, math.floor(longest_s + 0.5))}",
        f"#EXT-X-MEDIA-SEQUENCE:{playlist.sequence}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{playlist.discontinuities}",
        *_tags(playlist.entries),
    ]
    return "\n".join(lines) + "\n"


def _tags(entries: Sequence[Entry]) -> list[str]:
    lines = []
    for entry in entries:
        if entry.begins_run:
            lines.append("#EXT-X-DISCONTINUITY")
        moment = datetime.fromtimestamp(entry.start, UTC).replace(tzinfo=None)
        lines += [
            f"#EXT-X-PROGRAM-DATE-TIME:{moment.isoformat(timespec='milliseconds')}Z",
            f"#EXTINF:{entry.duration_s:.3f},",
            entry.uri,
        ]
    return lines
