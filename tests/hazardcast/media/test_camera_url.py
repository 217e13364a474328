"""A camera's address works as people write it, or is refused in words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hazardcast.media import camera_url


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("RTSP://10.0.0.11:8554/Main", "rtsp://10.0.0.11:8554/Main"),
        ("  rtsp://cam/x\t", "rtsp://cam/x"),
        ("Https://cam_1.example.:443?x=1", "https://cam_1.example.:443?x=1"),
        ("rtsp://[::1]:554/x", "rtsp://[::1]:554/x"),
        ("rtsp://[fe80::1%eth0]/x", "rtsp://[fe80::1%eth0]/x"),
        ("rtsp://cam/who@home", "rtsp://cam/who@home"),
        ("Demo://fire?impact_s=3", "demo://fire?impact_s=3"),
        ("V4L2:///dev/video0", "v4l2:///dev/video0"),
        ("FILE:///a b#1.mp4", "file:///a b#1.mp4"),
        ("한글 #1?.mp4", "한글 #1?.mp4"),
        ("12:30.mp4", "12:30.mp4"),
        ("httpd.mp4", "httpd.mp4"),
    ],
)
def test_what_can_be_read_is_read(written: str, read: str) -> None:
    assert camera_url.tidy(written) == read


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "the address is empty"),
        ("  ", "the address is empty"),
        ("rtsp://", "the address is empty"),
        ("file://", "the address is empty"),
        ("rtsp:///x", "names no host"),
        ("rtsp://:554/x", "names no host"),
        ("rtsp://cam:0/x", "the port is no number from 1 to 65535"),
        ("rtsp://cam:65536/x", "the port is no number from 1 to 65535"),
        ("rtsp://cam:/x", "the port is no number from 1 to 65535"),
        ("rtsp://cam:main", "the port is no number from 1 to 65535"),
        ("rtsp://[::1]8/x", "the port is no number from 1 to 65535"),
        ("rtsp://10.0.0.300/x", "the host is no name"),
        ("rtsp://10.0.1/x", "the host is no name"),
        ("rtsp://<address>/x", "the host is no name"),
        ("rtsp://[::1/x", "the host is no name"),
        ("rtsp://::1/x", "written in brackets"),
        ("rtsp://cam/a b", "a blank in the address"),
        ("rtsp:/cam/x", "must begin with rtsp://"),
        ("RTSP:cam/x", "must begin with rtsp://"),
        ("http//cam/x", "must begin with http://"),
        ("file:/a.mp4", "must begin with file:///"),
        ("v4l2:/dev/video0", "must begin with v4l2:///"),
        ("v4l2://dev/video0", "three strokes"),
        ("/dev/video0", "v4l2:///dev/video0"),
        ("rtmp://cam/x", "rtmp:// is not understood"),
        ("rtspt://cam/x", "write it as rtsp://, and rtsp_transport: tcp"),
        ("RTSPU://cam/x", "write it as rtsp://, and rtsp_transport: udp"),
        ("srt://cam:9", "srt:// is not understood"),
        ("udp://@239.1.1.1:5000", "udp:// is not understood"),
        ("C:\\videos\\a.mp4", "a Windows path"),
        ("d:/videos/a.mp4", "a Windows path"),
        ("\\\\server\\a.mp4", "a Windows path"),
        ("a\nb.mp4", "control characters"),
        ("demo://fire?impact=3", "seconds as impact_s and period_s"),
        ("demo://fire?impact_s=soon", "seconds as impact_s and period_s"),
        ("demo://volcano", "no drawn scene of this name"),
    ],
)
def test_what_cannot_is_refused_in_words(written: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        camera_url.tidy(written)


@pytest.mark.parametrize(
    "written",
    [
        "rtsp://me:s3cret@cam/x",
        "rtsp://me%3As3cret%40cam/x",
        "rtsp://me:s3/cret@cam/x",
        "rtsp://me:12#s3cret@cam/x",
        "HTTP://me@cam/x",
    ],
)
def test_credentials_in_any_form_are_refused_and_not_repeated(written: str) -> None:
    with pytest.raises(ValueError, match="credentials do not belong in a URL") as caught:
        camera_url.tidy(written)
    assert "cret" not in str(caught.value)


@pytest.mark.parametrize("name", ["a b.mp4", "a#1.mp4", "a?.mp4", "100%.mp4", "a%20b.mp4", "한글.mp4"])  # fmt: skip
def test_a_path_is_a_path_whatever_signs_it_holds(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.touch()

    assert camera_url.file_of(str(file)) == file
    assert camera_url.file_of(f"file://{file}") == file
    assert camera_url.file_of(f"file://localhost{file}") == file


@pytest.mark.parametrize("written", ["/videos/queue/", "file:///videos/queue/"])
def test_a_stroke_at_the_end_makes_it_a_folder(written: str) -> None:
    assert camera_url.folder_of(written) == Path("/videos/queue")
    assert camera_url.file_of(written) is None
    assert camera_url.folder_of(written.rstrip("/")) is None
    assert camera_url.folder_of("rtsp://10.0.0.11/main/") is None


def test_percent_signs_of_a_file_address_are_read(tmp_path: Path) -> None:
    written = f"file://{tmp_path}/%ED%95%9C%20%231.mp4"

    assert camera_url.file_of(written) == tmp_path / "한 #1.mp4"


def test_a_wave_is_the_home_folder_where_there_is_such_a_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/me")

    assert camera_url.file_of("~/a.mp4") == Path("/home/me/a.mp4")
    assert camera_url.file_of("~no-such-user.mp4") == Path("~no-such-user.mp4")


def test_a_name_too_long_for_a_file_is_no_crash() -> None:
    assert camera_url.file_of("file:///" + "x" * 5000) == Path("/" + "x" * 5000)


def test_only_a_device_is_a_device() -> None:
    assert camera_url.device_of("v4l2:///dev/v4l/by-id/usb#1") == "/dev/v4l/by-id/usb#1"
    assert camera_url.device_of("rtsp://cam/x") is None
