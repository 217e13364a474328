from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hazardcast.config import site
from hazardcast.contract.errors import ConfigError

ROOT = Path(__file__).resolve().parents[3]


def parse(**camera: Any) -> site.Camera:
    return site.parse({"cameras": {"north": {"url": "rtsp://h/x", **camera}}}, source="t").cameras[
        "north"
    ]


def problem(data: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        site.parse(data, source="cameras.yaml")
    return str(caught.value)


def test_the_shipped_file_is_valid() -> None:
    assert site.load(ROOT / "config" / "cameras.yaml").cameras


def test_a_site_reads_the_time_in_its_own_zone() -> None:
    zone = {"site": {"time_zone": "Asia/Seoul"}, "cameras": {}}

    assert site.parse(zone, source="t").site.time_zone == "Asia/Seoul"
    assert site.parse({"cameras": {}}, source="t").site.time_zone == "UTC"


def test_defaults_lie_under_every_camera_and_a_camera_may_differ() -> None:
    config = site.parse(
        {
            "defaults": {"segment_s": 4, "detect_fps": 5},
            "cameras": {"a": {"url": "x.mp4"}, "b": {"url": "y.mp4", "segment_s": 20}},
        },
        source="t",
    )

    assert [camera.segment_s for camera in config.cameras.values()] == [4, 20]
    assert [camera.detect_fps for camera in config.cameras.values()] == [5, 5]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, "cameras.yaml: expected a mapping"),
        ({}, "cameras.yaml: cameras: Field required"),
        ({"camera": {}}, "cameras.yaml: cameras: Field required"),
        ({"cameras": {"a": None}}, "cameras.yaml: cameras.a"),
        ({"cameras": {"a": {"ulr": "x"}}}, "cameras.a.url: Field required"),
        ({"cameras": {"a": {"url": "x", "hedding_deg": 3}}}, "cameras.a.hedding_deg: unknown key"),
        ({"cameras": {"a": {"url": "x", "heading_deg": 400}}}, "cameras.a.heading_deg"),
        ({"cameras": {"a": {"url": "ftp://h/x"}}}, "ftp:// is not understood"),
        ({"cameras": {"a": {"url": "demo://volcano"}}}, "no drawn scene of this name"),
        ({"cameras": {"a": {"url": "rtsp://me:pw@h/x"}}}, "credentials do not belong in a URL"),
        ({"cameras": {"A 1": {"url": "x"}}}, "cameras.A 1: a camera id is made of"),
        (
            {"defaults": {"segment": 3}, "cameras": {"a": {"url": "x"}}},
            "cameras.a.segment: unknown",
        ),
        ({"site": {"station": 3}, "cameras": {}}, "site.station: unknown key"),
        ({"site": {"time_zone": "Seoul"}, "cameras": {}}, "site.time_zone: expected a time zone"),
        ({"site": {"time_zone": "../UTC"}, "cameras": {}}, "site.time_zone: expected a time zone"),
        ({"site": {"time_zone": ""}, "cameras": {}}, "site.time_zone: expected a time zone"),
    ],
)
def test_a_mistake_is_named_with_file_camera_and_key(data: Any, said: str) -> None:
    assert said in problem(data)


def test_a_refused_password_is_not_repeated_in_the_error() -> None:
    assert "s3cret" not in problem({"cameras": {"a": {"url": "rtsp://me:s3cret@h/x"}}})


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no such file; copy config/cameras\.yaml"):
        site.load(tmp_path / "cameras.yaml")


def test_text_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "cameras.yaml"
    path.write_text("cameras: [")
    with pytest.raises(ConfigError, match="not YAML"):
        site.load(path)


def test_credentials_come_from_the_variable_that_the_camera_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CAM_NORTH", "user:p@ss/word")
    camera = parse(credentials="CAM_NORTH")

    url = site.stream_url("north", camera, camera_server="http://c")

    assert url == "rtsp://user:p%40ss%2Fword@h/x"


def test_a_missing_credentials_variable_is_named() -> None:
    with pytest.raises(ConfigError, match=r"cameras\.north\.credentials: CAM_UNSET"):
        site.stream_url("north", parse(credentials="CAM_UNSET"), camera_server="http://c")


def test_the_detector_reads_the_substream_where_there_is_one() -> None:
    camera = parse(detect_url="rtsp://h/sub")

    assert site.stream_url("north", camera, camera_server="http://c") == "rtsp://h/x"
    assert site.stream_url("north", camera, camera_server="http://c", detect=True) == "rtsp://h/sub"


@pytest.mark.parametrize(
    "url", ["demo://normal?impact_s=3", "v4l2:///dev/video0", "clip.mp4", "file:///a.mp4"]
)
def test_what_is_not_a_network_camera_is_read_from_the_camera_service(url: str) -> None:
    camera = parse(url=url)

    assert site.stream_url("north", camera, camera_server="http://c:1/") == "http://c:1/north.ts"


def test_only_cameras_of_the_file_can_be_chosen() -> None:
    config = site.parse({"cameras": {"a": {"url": "x"}, "b": {"url": "y"}}}, source="t")

    assert list(config.chosen(frozenset({"b"}))) == ["b"]
    assert list(config.chosen(None)) == ["a", "b"]
    with pytest.raises(ConfigError, match="no camera 'c'"):
        config.chosen(frozenset({"c"}))


@given(st.text(max_size=200))
def test_no_text_crashes_the_reader(text: str) -> None:
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return
    try:
        site.parse(data, source="t")
    except ConfigError as error:
        assert str(error).startswith("t: ")
