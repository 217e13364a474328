"""What ffmpeg's log tells: streams, the reason of a failure, and never a password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder.command import Plan, command, frames_in_flight, plan_for
from recorder.console import Console, Found

URL = "rtsp://watcher:pa%2Fss@10.0.0.11/main"
TS_INPUT = """Input #0, mpegts, from 'http://127.0.0.1:8090/north.ts':
  Duration: N/A, start: 1.400000, bitrate: N/A
  Program 1
    Metadata:
      service_name    : Service01
  Stream #0:0[0x100]: Video: h264 (High) ([27][0][0][0] / 0x001B), yuv420p, 1280x720, 15 fps
  Stream #0:1[0x101](und): Audio: aac (LC) ([15][0][0][0] / 0x000F), 16000 Hz, mono, fltp, 69 kb/s
Output #0, segment, to '17-%06d.ts':
  Stream #0:0: Video: mjpeg
"""
RTSP_INPUT = """Input #0, rtsp, from 'rtsp://10.0.0.11/main':
  Stream #0:0: Audio: pcm_mulaw, 8000 Hz, mono, s16, 64 kb/s
  Stream #0:1: Video: hevc (Main), yuvj420p(pc), 3840x2160, 25 fps, 90k tbn
Stream mapping:
"""


def heard(text: str, url: str = URL) -> Console:
    console = Console(url)
    for line in text.splitlines():
        console.take(line)
    return console


def test_the_streams_of_the_input_are_found_and_those_of_the_output_are_not() -> None:
    assert heard(TS_INPUT).found == Found("mpegts", "h264", "aac")
    assert heard(RTSP_INPUT).found == Found("rtsp", "hevc", "pcm_mulaw")
    assert heard(TS_INPUT).complete
    assert not heard(TS_INPUT.split("Output", maxsplit=1)[0]).complete


@pytest.mark.parametrize(
    "line",
    [
        "[rtsp @ 0x55] method DESCRIBE failed: 401 Unauthorized",
        "rtsp://watcher:pa%2Fss@10.0.0.11/main: Server returned 401 Unauthorized (authorization failed)",
        "[http @ 0x1] HTTP error 403 Forbidden",
    ],
)
def test_refused_credentials_are_recognised(line: str) -> None:
    assert heard(line).unauthorised


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("rtsp://watcher:pa%2Fss@10.0.0.11/main: Connection refused", "rtsp://10.0.0.11/main: Connection refused"),
        ("[tcp @ 0x5581] Connection to tcp://10.0.0.11:554 failed: No route to host", "Connection to tcp://10.0.0.11:554 failed: No route to host"),
        ("Error opening input: Connection refused\nError opening input files: Connection refused", "Error opening input: Connection refused"),
    ],
)  # fmt: skip
def test_the_problem_is_the_last_line_that_says_something(line: str, problem: str) -> None:
    console = heard(line)

    assert console.problem == problem
    assert not console.unauthorised


def test_a_full_disk_is_recognised() -> None:
    assert heard(
        "[segment @ 0x1] Failed to open segment '17-000004.ts': No space left on device"
    ).disk_full


@given(
    before=st.text(max_size=30), after=st.text(max_size=30),
    password=st.text("abcXYZ019+-_~!$", min_size=4, max_size=20),
)  # fmt: skip
def test_a_password_never_leaves_the_console(before: str, after: str, password: str) -> None:
    console = Console(f"rtsp://watcher:{password}@10.0.0.11/main")
    for form in (f"rtsp://watcher:{password}@10.0.0.11/main", password, f"watcher:{password}"):
        console.take(f"{before}{form}{after}")

        assert password not in (console.problem or "")


def test_copied_is_what_transport_streams_carry_and_the_rest_is_encoded() -> None:
    assert plan_for(Found("rtsp", "h264", "aac")) == Plan("copy", "copy")
    assert plan_for(Found("rtsp", "hevc", "pcm_mulaw")) == Plan("copy", "encode")
    assert plan_for(Found("rtsp", "mjpeg", None)) == Plan("encode", "copy")


def test_sound_that_failed_is_given_up_rather_than_the_picture() -> None:
    assert plan_for(Found("rtsp", "h264", "g729"), keep_audio=False) == Plan("copy", "drop")


def test_pictures_are_handed_over_after_as_many_frames_as_the_way_they_came() -> None:
    assert frames_in_flight(Found("mpegts", "h264")) == 2
    assert frames_in_flight(Found("mpegts", "h264"), lengths_told=True) == 1
    assert frames_in_flight(Found("rtsp", "hevc")) == 1
    assert frames_in_flight(Found("rtsp", "mjpeg")) == 0


def test_the_command_copies_and_never_asks_for_arrival_stamps() -> None:
    words = command("ffmpeg", URL, Plan(), prefix="17", segment_s=10, list_fd=7)

    assert words.count("copy") == 3
    assert "-use_wallclock_as_timestamps" not in words
    assert words[words.index("-segment_list") + 1] == "pipe:7"
    assert "-buffer_size" not in words


def test_udp_gets_room_for_key_frames_and_http_no_rtsp_options() -> None:
    udp = command("ffmpeg", URL, Plan(), prefix="17", segment_s=10, list_fd=7, rtsp_transport="udp")
    http = command("ffmpeg", "http://camera/x.ts", Plan(), prefix="17", segment_s=10, list_fd=7)

    assert "-buffer_size" in udp
    assert "-rtsp_transport" not in http
