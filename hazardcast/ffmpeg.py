"""Finding an ffmpeg on this machine."""

from __future__ import annotations

import shutil
from pathlib import Path

from hazardcast.errors import ToolMissingError


def find_ffmpeg(configured: Path | None = None) -> str:
    """The configured ffmpeg, else the one on PATH, else the one that imageio-ffmpeg carries.

    Raises:
        ToolMissingError: there is none; the error says how to get one.
    """
    if configured is not None:
        if shutil.which(str(configured)) is None:
            raise ToolMissingError(f"HAZARDCAST_FFMPEG: {configured} is not a program")
        return str(configured)
    return shutil.which("ffmpeg") or _bundled()


def _bundled() -> str:
    try:
        import imageio_ffmpeg  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise ToolMissingError(
            "no ffmpeg: install the system's package, or pip install imageio-ffmpeg"
        ) from None
    return str(imageio_ffmpeg.get_ffmpeg_exe())
