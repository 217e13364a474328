"""Puts the room of recordings together."""

from __future__ import annotations

import logging
from pathlib import Path
from zoneinfo import ZoneInfo

from console.archives.builder import Builder
from console.archives.listing import Shelf
from console.archives.routes import ArchiveRoom, Incidents
from console.archives.still import Stills
from console.live.routes import LiveRoom
from hazardcast.contract.errors import ToolMissingError
from hazardcast.media.ffmpeg import find_ffmpeg

log = logging.getLogger(__name__)


def ffmpeg_if_any(configured: Path | None) -> str:
    """Without one the console shows what is live; pictures and archives say what they lack."""
    try:
        return find_ffmpeg(configured)
    except ToolMissingError as error:
        log.warning("no still pictures and no archives: %s", error)
        return str(configured or "ffmpeg")


def open_archives(
    live: LiveRoom, recordings_dir: Path, *, built_dir: Path, zone: str, program: str,
    incidents: Incidents,
) -> ArchiveRoom:  # fmt: skip
    """The room; what it makes lies in `built_dir`."""
    return ArchiveRoom(
        live,
        recordings_dir,
        Shelf(recordings_dir, ZoneInfo(zone)),
        Builder(built_dir, program=program),
        Stills(live.live, recordings_dir, program=program),
        incidents,
    )
