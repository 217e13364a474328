"""Camera addresses: what may be shown of them, and what ffmpeg can carry."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.media import camera_address

PASSWORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)


@given(user=PASSWORDS.filter(lambda text: ":" not in text), password=PASSWORDS)
def test_credentials_are_read_back_from_the_address_as_they_were_meant(
    user: str, password: str
) -> None:
    parts = urlsplit(f"rtsp://{camera_address.credentials(user, password)}@10.0.0.11/main")

    assert (unquote(parts.username or ""), unquote(parts.password or "")) == (user, password)
    assert (parts.hostname, parts.path) == ("10.0.0.11", "/main")


@pytest.mark.parametrize(
    "password",
    ["비밀번호도로카메라일이삼사오", "aB3$%^&*()!@#{}[]<>?/|;:,.~`+=aB3$%^&*()!@#{}[]<>?/"],
)
def test_long_passwords_are_written_so_that_ffmpeg_carries_them(password: str) -> None:
    url = f"rtsp://{camera_address.credentials('operator', password)}@10.0.0.11/main"

    assert camera_address.too_long_for_ffmpeg(url) is None


def test_what_ffmpeg_would_cut_off_is_said() -> None:
    url = f"rtsp://{camera_address.credentials('operator', 'x' * 119)}@10.0.0.11/main"

    assert "128 bytes, and ffmpeg carries 127" in (camera_address.too_long_for_ffmpeg(url) or "")
    assert camera_address.too_long_for_ffmpeg(url.replace("rtsp", "http")) is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://a:b@10.0.0.11:8554/main?x=1", "rtsp://10.0.0.11:8554/…"),
        ("rtsp://a:p@b@cam/x", "rtsp://cam/…"),
        ("https://[2001:db8::1]:8443/?key", "https://[2001:db8::1]:8443/…"),
        ("http://cam/", "http://cam"),
        ("http://cam?password=x", "http://cam/…"),
    ],
)
def test_only_scheme_host_and_port_are_shown(url: str, shown: str) -> None:
    assert camera_address.shown(url) == shown
