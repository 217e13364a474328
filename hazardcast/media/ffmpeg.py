"""Finding an ffmpeg on this machine, and asking it for an RTSP camera."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Literal

from hazardcast.contract.errors import ToolMissingError

Transport = Literal["auto", "tcp", "udp"]
_TRANSPORTS = {"tcp": "tcp", "udp": "udp", "auto": "udp+tcp"}
UDP_BUFFER_BYTES = 2_097_152
"""A key frame of a 4K camera comes in one burst."""


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


def rtsp_options(transport: Transport) -> tuple[str, ...]:
    """Input options of an RTSP camera; auto asks for TCP, and for UDP where that is refused."""
    udp = () if transport == "tcp" else ("-buffer_size", str(UDP_BUFFER_BYTES))
    return (
        "-rtsp_transport", _TRANSPORTS[transport], "-rtsp_flags", "prefer_tcp", *udp,
        "-allowed_media_types", "video+audio",
    )  # fmt: skip
