"""How ffmpeg is asked to record: once for the network, twice for us.

The first output is the recording: MPEG-TS files cut at key frames, every frame flushed, one
continuous packet counter so that files joined end to end are one valid stream. The second output is
a line of text per frame, whose arrival tells when the frame arrived; it begins before the first key
frame, so that a camera whose key frame is awaited is known to send. Nothing is decoded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from hazardcast.media.camera_url import is_rtsp
from hazardcast.media.ffmpeg import Transport, rtsp_options
from recorder.console import Found

COPYABLE_VIDEO = frozenset({"h264", "hevc"})
COPYABLE_AUDIO = frozenset({"aac", "mp2", "mp3", "ac3", "eac3", "opus"})
"""What MPEG-TS carries so that players know it; other sound, such as G.711, becomes AAC."""
TIMELESS_FORMATS = frozenset({"mpjpeg", "mjpeg", "h264", "hevc"})
"""Bare pictures one after another: ffmpeg would count 25 a second whatever the camera sends."""
BYTE_STREAMS = frozenset({"mpegts", "h264", "hevc"})
"""They carry parameter sets as RTSP does; others, such as FLV, in a form of their own."""
ANALYSIS_US = 3_000_000
PATIENT_ANALYSIS_S = 300
PATIENT_PROBE_BYTES = 200_000_000
"""Where the size of the pictures is told by key frames only, and those are minutes apart."""
STAMP_LEAD_S = 1.0
"""Stamps in the files are this far ahead of stream time, so that none lies before zero where
B-frames are decoded before they are shown, and the programme clock runs before the pictures."""
CUT_EARLY_S = 0.1
"""A key frame this much early still cuts, so that jitter does not double a segment."""
INTERLEAVE_US = 1_000_000
"""Sound that has stopped must not hold back the picture for longer."""
KEY_INTERVAL_S = 2
SHIFT = ("-output_ts_offset", "1")
"""On both outputs: the first pictures may be decoded before zero, and the muxer within the segment
muxer would move the stamps of such a file, and of no other line."""
DECODED_EARLIER = 2
"""Steps; in steps, as ffmpeg 5.1 tells the filter a time base that is not the packets'."""
REORDERED = 4
"""Steps from a first picture to the next one decoded, with up to three B-frames between."""
MOST_DELAYED = 16
"""Pictures that may be held back for their order (H.264 A.3.1, H.265 A.4.2)."""
_SHOWN = (
    "if(eq(PTS,NOPTS),if(eq(N,0),NEXT_PTS-if(lt(DTS,0),"
    f"{REORDERED},1)*max(DURATION,1),PREV_OUTPTS+1),PTS)"
)
_DECODED = (
    f"if(gt(N,{MOST_DELAYED}),DTS,if(eq(N,0),{_SHOWN}-{DECODED_EARLIER}*max(DURATION,1),"
    f"min(PREV_OUTDTS+max(0.9*DURATION,1),{_SHOWN})))"
)
FIRST_TIMES = f"setts=pts='{_SHOWN}':dts='{_DECODED}'"
"""Over RTSP ffmpeg loses the time at which the first picture is shown, and learns only after a few
pictures when they are decoded, where there are B-frames (it guesses a time below zero then). So the
first is shown as long before the next as B-frames may lie between, and decoding begins early enough
and a little slowly, until its times are known."""
PARAMETER_SETS = "dump_extra"
"""Before every key frame, recovery points included, so that each file can be read by itself."""
SAME_LENGTH_S = 0.01
"""Where pictures are encoded, both outputs would guess lengths of their own: all get this one."""
ENCODED_HZ = 90_000
JPEG_HZ = 1_200_000
"""Clock of a stream of JPEGs (libavformat/rawdec.c)."""
EVEN_SIZE = "scale=trunc(iw/2)*2:trunc(ih/2)*2,format=yuv420p"


@dataclass(frozen=True)
class Plan:
    """What is done with the streams."""

    video: Literal["copy", "encode"] = "copy"
    audio: Literal["copy", "encode", "drop"] = "copy"
    times: Literal["stream", "arrival"] = "stream"
    """Where the pictures' times come from."""
    add_sets: bool = False
    """Repeat the parameter sets that a byte stream tells only once; RTSP always gets them."""
    track: int = 0
    """Which video track, of several."""
    patient: bool = False
    """Wait for the key frame that tells the size of the pictures, however long that takes."""
    transport: Transport = "auto"
    """How RTP comes; auto asks for TCP, and for UDP where that is refused."""


def plan_for(found: Found, *, keep_audio: bool = True, before: Plan | None = None) -> Plan:
    """Copy what MPEG-TS carries, re-encode what it does not.

    Args:
        found: the camera's streams.
        keep_audio: False gives up the sound, after it has failed: the picture matters.
        before: the plan so far; what has nothing to do with the streams stays.
    """
    plan = replace(
        before or Plan(),
        video="copy" if found.video in COPYABLE_VIDEO else "encode",
        track=found.track,
        times="arrival" if found.format in TIMELESS_FORMATS else "stream",
    )
    if not keep_audio or found.audio == "none":
        return replace(plan, audio="drop")
    copied = found.audio is None or found.audio in COPYABLE_AUDIO
    return replace(plan, audio="copy" if copied else "encode")


def frames_in_flight(found: Found, *, lengths_told: bool = False) -> int:
    """How many later frames must begin to arrive before ffmpeg hands one over.

    A picture in MPEG-TS ends where the next begins, unless its PES packet tells its length; RTP
    marks a picture's end. ffmpeg's parser waits for one more frame in either case (measured: 133 ms
    for MPEG-TS without lengths and 67 ms for RTSP at 15 fps, with ffmpeg 5.1 and 9.0), and the
    filter that sets times waits for one more again.

    Args:
        found: the camera's streams.
        lengths_told: True for streams of the camera service, whose PES packets tell their length.
    """
    is_copied = found.video in COPYABLE_VIDEO
    filtered = 0 if is_copied and found.format != "rtsp" else 1
    if found.format == "mpegts":
        return filtered + (1 if lengths_told else 2)
    if found.format in TIMELESS_FORMATS or (found.format == "rtsp" and is_copied):
        return filtered + 1
    return filtered


def command(
    program: str,
    url: str,
    plan: Plan,
    *,
    prefix: str,
    segment_s: float,
    list_fd: int,
) -> tuple[str, ...]:
    """The whole command; it runs in the directory that gets the files.

    Args:
        program: ffmpeg.
        url: where ffmpeg is to connect; everybody on this machine can read it.
        plan: what to do with its streams.
        prefix: files are named `{prefix}-{000000…}.ts`.
        segment_s: wanted length of a segment.
        list_fd: file descriptor that gets a line per finished segment.
    """
    over_rtsp, track = is_rtsp(url), f"0:v:{plan.track}"
    return (
        program, "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info",
        *(rtsp_options(plan.transport) if over_rtsp else ()), *_input(plan), "-i", url,
        "-map", track, *_video(plan, over_rtsp=over_rtsp), *_audio(plan),
        *_segments(f"{prefix}-%06d.ts", segment_s, list_fd),
        "-map", track, "-c", "copy", "-copyinkf", *_same_times(plan, over_rtsp=over_rtsp),
        *SHIFT,
        "-flush_packets", "1", "-f", "framecrc", "pipe:1",
    )  # fmt: skip


def _input(plan: Plan) -> tuple[str, ...]:
    options: tuple[str, ...] = ("-fflags", "+genpts")
    if plan.times == "arrival":
        options += ("-use_wallclock_as_timestamps", "1")
        if plan.video == "encode":
            # As a stream of bytes its clock is fine enough; multipart's has 25 ticks a second.
            options += ("-f", "mjpeg", "-raw_packet_size", "65536")
    if plan.patient:
        return (
            *options, "-analyzeduration", str(PATIENT_ANALYSIS_S * 1_000_000),
            "-probesize", str(PATIENT_PROBE_BYTES),
        )  # fmt: skip
    return (*options, "-analyzeduration", str(ANALYSIS_US))


def _segments(pattern: str, segment_s: float, list_fd: int) -> tuple[str, ...]:
    return (
        "-max_interleave_delta", str(INTERLEAVE_US), "-avoid_negative_ts", "disabled",
        *SHIFT,
        "-muxdelay", f"{STAMP_LEAD_S / 2:g}", "-fflags", "+flush_packets", "-f", "segment",
        "-segment_format", "mpegts", "-segment_time", f"{segment_s:g}",
        "-segment_time_delta", f"{CUT_EARLY_S:g}", "-individual_header_trailer", "0",
        "-segment_list", f"pipe:{list_fd}", "-segment_list_type", "csv", pattern,
    )  # fmt: skip


def _video(plan: Plan, *, over_rtsp: bool) -> tuple[str, ...]:
    if plan.video == "copy":
        # Other ways of transport tell decoding times.
        times = (FIRST_TIMES,) if over_rtsp else ()
        sets = (PARAMETER_SETS,) if over_rtsp or plan.add_sets else ()
        filters = ("-bsf:v", ",".join((*times, *sets))) if sets else ()
        return ("-c:v", "copy", *filters)
    return (
        "-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency", "-vf", EVEN_SIZE,
        "-fps_mode", "passthrough", "-enc_time_base", f"1:{ENCODED_HZ}",
        "-bsf:v", _same_length(ENCODED_HZ),
        "-force_key_frames", f"expr:gte(t,n_forced*{KEY_INTERVAL_S})",
    )  # fmt: skip


def _same_length(clock_hz: int) -> str:
    return f"setts=duration={round(SAME_LENGTH_S * clock_hz)}"


def _same_times(plan: Plan, *, over_rtsp: bool) -> tuple[str, ...]:
    """For the lines about frames the times that the recording gets."""
    if plan.video == "encode":
        return ("-bsf:v", _same_length(JPEG_HZ if plan.times == "arrival" else ENCODED_HZ))
    return ("-bsf:v", FIRST_TIMES) if over_rtsp else ()


def _audio(plan: Plan) -> tuple[str, ...]:
    if plan.audio == "drop":
        return ("-an",)
    return ("-map", "0:a:0?", "-c:a", "copy" if plan.audio == "copy" else "aac")
