"""How ffmpeg is asked to record: once for the network, twice for us.

The first output is the recording: MPEG-TS files cut at key frames, every frame flushed, one
continuous packet counter so that files joined end to end are one valid stream. The second output is
a line of text per frame, whose arrival tells when the frame arrived. Nothing is decoded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from recorder.console import Found

COPYABLE_VIDEO = frozenset({"h264", "hevc"})
COPYABLE_AUDIO = frozenset({"aac", "mp2", "mp3", "ac3", "eac3", "opus"})
"""What MPEG-TS carries so that players know it; other sound, such as G.711, becomes AAC."""
ANALYSIS_US = 3_000_000
UDP_BUFFER_BYTES = 2_097_152
"""A key frame of a 4K camera comes in one burst."""
STAMP_LEAD_S = 1.0
"""Stamps in the files are this far ahead of stream time, so that none lies before zero where
B-frames are decoded before they are shown, and the programme clock runs before the pictures."""
CUT_EARLY_S = 0.1
"""A key frame this much early still cuts, so that jitter does not double a segment."""
INTERLEAVE_US = 1_000_000
"""Sound that has stopped must not hold back the picture for longer."""
KEY_INTERVAL_S = 2


@dataclass(frozen=True)
class Plan:
    """What is done with the streams."""

    video: Literal["copy", "encode"] = "copy"
    audio: Literal["copy", "encode", "drop"] = "copy"


def plan_for(found: Found, *, keep_audio: bool = True) -> Plan:
    """Copy what MPEG-TS carries, re-encode what it does not.

    `keep_audio` False gives up the sound, after it has failed once: the picture matters.
    """
    plan = Plan(video="copy" if found.video in COPYABLE_VIDEO else "encode")
    if not keep_audio or found.audio == "none":
        return replace(plan, audio="drop")
    copied = found.audio is None or found.audio in COPYABLE_AUDIO
    return replace(plan, audio="copy" if copied else "encode")


def frames_in_flight(found: Found, *, lengths_told: bool = False) -> int:
    """How many later frames must begin to arrive before ffmpeg hands one over.

    A picture in MPEG-TS ends where the next begins, unless its PES packet tells its length; RTP
    marks a picture's end. ffmpeg's parser waits for one more frame in either case (measured: 133 ms
    for MPEG-TS without lengths and 67 ms for RTSP at 15 fps, with ffmpeg 5.1 and 9.0).

    Args:
        found: the camera's streams.
        lengths_told: True for streams of the camera service, whose PES packets tell their length.
    """
    if found.format == "mpegts":
        return 1 if lengths_told else 2
    return 1 if found.format == "rtsp" and found.video in COPYABLE_VIDEO else 0


def command(
    program: str,
    url: str,
    plan: Plan,
    *,
    prefix: str,
    segment_s: float,
    list_fd: int,
    rtsp_transport: str = "tcp",
) -> tuple[str, ...]:
    """The whole command; it runs in the directory that gets the files.

    Args:
        program: ffmpeg.
        url: the camera, credentials included.
        plan: what to do with its streams.
        prefix: files are named `{prefix}-{000000…}.ts`.
        segment_s: wanted length of a segment.
        list_fd: file descriptor that gets a line per finished segment.
        rtsp_transport: tcp or udp.
    """
    return (
        program, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "info",
        *_input(url, rtsp_transport),
        *_recording(plan, f"{prefix}-%06d.ts", segment_s, list_fd),
        "-map", "0:v:0", "-c", "copy", "-flush_packets", "1", "-f", "framecrc", "pipe:1",
    )  # fmt: skip


def _input(url: str, rtsp_transport: str) -> tuple[str, ...]:
    rtsp: tuple[str, ...] = ()
    if urlsplit(url).scheme in ("rtsp", "rtsps"):
        rtsp = ("-rtsp_transport", rtsp_transport, "-allowed_media_types", "video+audio")
        if rtsp_transport == "udp":
            rtsp += ("-buffer_size", str(UDP_BUFFER_BYTES))
    return (
        *rtsp, "-fflags", "+genpts", "-analyzeduration", str(ANALYSIS_US),
        "-i", url,
    )  # fmt: skip


def _recording(plan: Plan, pattern: str, segment_s: float, list_fd: int) -> tuple[str, ...]:
    return (
        "-map", "0:v:0", *_video(plan), *_audio(plan),
        "-max_interleave_delta", str(INTERLEAVE_US), "-avoid_negative_ts", "disabled",
        "-muxdelay", f"{STAMP_LEAD_S / 2:g}", "-fflags", "+flush_packets", "-f", "segment",
        "-segment_format", "mpegts", "-segment_time", f"{segment_s:g}",
        "-segment_time_delta", f"{CUT_EARLY_S:g}", "-individual_header_trailer", "0",
        "-segment_list", f"pipe:{list_fd}", "-segment_list_type", "csv", pattern,
    )  # fmt: skip


def _video(plan: Plan) -> tuple[str, ...]:
    if plan.video == "copy":
        return ("-c:v", "copy")
    return (
        "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-pix_fmt", "yuv420p",
        "-fps_mode", "passthrough",
        "-force_key_frames", f"expr:gte(t,n_forced*{KEY_INTERVAL_S})",
    )  # fmt: skip


def _audio(plan: Plan) -> tuple[str, ...]:
    if plan.audio == "drop":
        return ("-an",)
    return ("-map", "0:a:0?", "-c:a", "copy" if plan.audio == "copy" else "aac")
