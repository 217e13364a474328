"""What ffmpeg's log tells: streams, the reason of a failure, and never a password."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorder.command import FIRST_TIMES, Plan, command, frames_in_flight, plan_for
from recorder.console import Console, Found

from hazardcast.media.ffmpeg import Transport

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
    ("said", "problem"),
    [
        ("[error] rtsp://watcher:pa%2Fss@10.0.0.11/main: Connection refused", "nothing listens there"),
        ("[tcp @ 0x5581] [error] Connection to tcp://10.0.0.11:554 failed: No route to host", "no way to it"),
        ("[in#0 @ 0x5] [error] Error opening input: Connection timed out\n[fatal] Error opening input files: Connection timed out", "does not answer"),
        ("[mpegts @ 0x5] [error] first pts and dts value must be set\n[error] av_interleaved_write_frame(): Invalid argument\n[error] Conversion failed!", "carry no times"),
        ("[mpegts @ 0x5] [error] dimensions not set\n[error] Error initializing output stream 0:0 -- \n[info] Stream mapping:\n[info] Qavg: 65536.000", "no key frame"),
        ("[rtsp @ 0x5] [error] method SETUP failed: 461 Unsupported Transport", "refuses this way of transport"),
        ("[tls @ 0x5] [error] Key usage violation in certificate has been detected.\n[error] rtsps://10.0.0.11/main: Input/output error", "no encrypted connection"),
        ("[http @ 0x5] [error] HTTP error 404 Not Found", "no stream of this name"),
    ],
)  # fmt: skip
def test_the_problem_is_told_in_words_by_what_failed_first(said: str, problem: str) -> None:
    console = heard(said)

    assert problem in (console.problem or "")
    assert not console.unauthorised


def test_a_video_track_that_sends_nothing_gives_way_to_the_one_that_does() -> None:
    silent = "[info]   Stream #0:0: Video: h264, none, 90k tbr, 90k tbn"
    sends = "[info]   Stream #0:1: Video: hevc, yuv420p(progressive), 640x360, 15 fps, 90k tbn"
    both = heard(f"[info] Input #0, rtsp, from 'x':\n{silent}\n{sends}\n[info] Stream mapping:")
    none = heard(f"[info] Input #0, rtsp, from 'x':\n{silent}\n{silent}\n[info] Stream mapping:")
    words = command("ffmpeg", URL, plan_for(both.found), prefix="1", segment_s=10, list_fd=7)

    assert (both.found.video, both.found.size, both.found.track) == ("hevc", "640x360", 1)
    assert none.found.track == 0
    assert words.count("0:v:1") == 2


def test_what_is_told_by_the_way_is_no_reason() -> None:
    console = heard(
        "[info] Stream mapping:\n[libx264 @ 0x5] [info] Qavg: 65536.000\n"
        "[rtsp @ 0x5] [warning] Timestamps are unset in a packet for stream 0.\n"
        "[error] Conversion failed!\n[fatal] Error opening output files: Invalid argument"
    )

    assert console.problem is None


def test_an_error_that_nobody_knows_is_told_as_ffmpeg_tells_it() -> None:
    assert heard("[x @ 0x5] [error] flux capacitor is empty").problem == "flux capacitor is empty"


def test_what_was_complained_of_before_pictures_came_is_no_reason_for_what_ended_them() -> None:
    console = heard("[mjpeg @ 0x5] [error] Invalid data found when processing input")
    console.forget()

    assert console.problem is None


def test_a_full_disk_is_recognised() -> None:
    assert heard(
        "[segment @ 0x1] [error] Failed to open segment '17-000004.ts': No space left on device"
    ).disk_full


@given(
    before=st.text(max_size=30), after=st.text(max_size=30),
    password=st.text("abcXYZ019+-_~!$", min_size=4, max_size=20),
)  # fmt: skip
def test_a_password_never_leaves_the_console(before: str, after: str, password: str) -> None:
    console = Console(f"rtsp://watcher:{password}@10.0.0.11/main")
    for form in (f"rtsp://watcher:{password}@10.0.0.11/main", password, f"watcher:{password}"):
        console.take(f"[error] {before}{form}{after}")

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
    assert frames_in_flight(Found("rtsp", "hevc")) == 2
    assert frames_in_flight(Found("rtsp", "mjpeg")) == 1
    assert frames_in_flight(Found("mpjpeg", "mjpeg")) == 2


URLS_WITH_SECRETS = (
    "rtsp://10.0.0.11/user=admin&password=Geheim123&channel=1&stream=0.sdp?",
    "rtsp://10.0.0.11/user=admin_password=Geheim123_channel=1_stream=0.sdp",
    "http://10.0.0.11/flv?port=1935&app=bcs&user=admin&password=Geheim123",
    "rtsp://10.0.0.11/live?token=Geheim123",
    "rtsp://op:Geheim123@10.0.0.11:8554/live#Geheim123",
)


@pytest.mark.parametrize("url", URLS_WITH_SECRETS)
def test_a_secret_leaves_the_console_from_no_part_of_the_address(url: str) -> None:
    path = url.split("/", 3)[3]
    for said in (
        url,
        f"'{url}'",
        f"Opening {url}.",
        f"/{path}",
        f"GET /{path} HTTP/1.1",
        "Geheim123",
    ):
        console = heard(f"[error] {said}: what a pity", url)

        assert "Geheim123" not in (console.problem or "")
        assert "what a pity" in (console.problem or "")


def test_the_address_that_ffmpeg_was_given_is_told_as_the_cameras() -> None:
    console = Console(URL, stand_in="rtsp://127.0.0.1:40111/Zm9v")
    console.take("[error] rtsp://127.0.0.1:40111/Zm9v: odd")

    assert console.problem == "rtsp://10.0.0.11/…: odd"


def test_the_command_copies_and_never_asks_for_arrival_stamps() -> None:
    words = command("ffmpeg", URL, Plan(), prefix="17", segment_s=10, list_fd=7)

    assert words.count("copy") == 3
    assert "-use_wallclock_as_timestamps" not in words
    assert words[words.index("-segment_list") + 1] == "pipe:7"


@pytest.mark.parametrize(
    ("transport", "asked_for", "has_room"),
    [("auto", "udp+tcp", True), ("udp", "udp", True), ("tcp", "tcp", False)],
)
def test_udp_gets_room_for_key_frames(transport: Transport, asked_for: str, has_room: bool) -> None:
    words = command("ffmpeg", URL, Plan(transport=transport), prefix="17", segment_s=10, list_fd=7)

    assert words[words.index("-rtsp_transport") + 1] == asked_for
    assert ("-buffer_size" in words) == has_room


@pytest.mark.parametrize("scheme", ["rtsp", "rtsps", "RTSP", "Rtsps"])
def test_rtsp_over_tls_is_asked_as_rtsp_is_however_it_is_written(scheme: str) -> None:
    words = command("ffmpeg", f"{scheme}://c/x", Plan(), prefix="17", segment_s=10, list_fd=7)

    assert "-rtsp_transport" in words
    assert [word for word in words if "dump_extra" in word]
    assert len([word for word in words if FIRST_TIMES in word]) == 2


@pytest.mark.parametrize("add_sets", [True, False])
def test_a_byte_stream_gets_parameter_sets_where_it_tells_them_once(add_sets: bool) -> None:
    plan = plan_for(Found("mpegts", "h264"), before=Plan(add_sets=add_sets))
    words = command("ffmpeg", "http://c/v", plan, prefix="17", segment_s=10, list_fd=7)

    assert ("dump_extra" in words) == add_sets
    assert not [word for word in words if "setts=pts" in word]


def test_http_gets_no_rtsp_options() -> None:
    words = command("ffmpeg", "http://c/x.ts", Plan(), prefix="17", segment_s=10, list_fd=7)

    assert not [word for word in words if "rtsp" in word]


@pytest.mark.parametrize(
    ("form", "video"), [("mpjpeg", "encode"), ("mjpeg", "encode"), ("h264", "copy")]
)
def test_pictures_without_times_get_those_of_their_arrival(form: str, video: str) -> None:
    plan = plan_for(Found(form, "h264" if video == "copy" else "mjpeg"))
    words = command("ffmpeg", "http://c/v", plan, prefix="17", segment_s=10, list_fd=7)

    assert (plan.video, plan.times) == (video, "arrival")
    assert "-use_wallclock_as_timestamps" in words
