from __future__ import annotations

import pytest

from hazardcast.config import settings
from hazardcast.contract.errors import ConfigError
from hazardcast.net.addresses import group, host, host_port, interface, join


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("car.local:1", ("car.local", 1)),
        (" 10.0.0.5:5520 ", ("10.0.0.5", 5520)),
        ("[::1]:2948", ("::1", 2948)),
        ("[fe80::1%eth0]:65535", ("fe80::1%eth0", 65_535)),
        ("::1", ("::1", 2947)),
        ("[::1]", ("::1", 2947)),
        ("::ffff:10.0.0.5", ("::ffff:10.0.0.5", 2947)),
        ("2001:db8::5:5520", ("2001:db8::5:5520", 2947)),
        ("차.local", ("차.local", 2947)),
        ("localhost", ("localhost", 2947)),
    ],
)
def test_a_host_and_its_port_are_told_apart(text: str, address: tuple[str, int]) -> None:
    assert host_port(text, default_port=2947) == address


@pytest.mark.parametrize(
    "text",
    [
        "", ":5520", "a:", "a:b", "a:0", "a:65536", "a:+1", "a: 1", "a:٣", "a b:1", "::1:99999",
        "[::1]:", "[::1]2947", "[::1", "::1]", "[10.0.0.5]:1", "[car.local]:1", "[]:1", "a/b:1",
        "10.0.0:1", "10.0.0.256:1", "user@a:1", "http://a:1", "[::1]:0", "a:1:2",
    ],
)  # fmt: skip
def test_what_is_neither_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not .*host:port"):
        host_port(text, default_port=2947)


@pytest.mark.parametrize("text", ["car.local", "::1", "[::1]", "10.0.0.5"])
def test_without_a_default_the_port_must_be_said(text: str) -> None:
    with pytest.raises(ValueError, match="is not host:port"):
        host_port(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [("::", "::"), ("[::]", "::"), ("0.0.0.0", "0.0.0.0"), (" broker ", "broker"), ("a_b", "a_b")],
)
def test_a_host_stands_alone(text: str, found: str) -> None:
    assert host(text) == found


@pytest.mark.parametrize("text", ["", "a:1", "[::1]:1", "10.0.0", "1", "[a]", "a b", "a\nb", "x" * 254])  # fmt: skip
def test_no_host_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        host(text)


def test_in_a_url_an_ipv6_address_stands_in_brackets() -> None:
    assert join("::1", 8080) == "[::1]:8080"
    assert join("127.0.0.1", 8080) == "127.0.0.1:8080"
    assert host_port(join("::1", 8080)) == ("::1", 8080)


@pytest.mark.parametrize("text", ["239.20.20", "10.77.0.55", "ff15::20", "239.20.20.256", "all", "0xef.1.1.1", ""])  # fmt: skip
def test_what_is_no_group_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no IPv4 multicast group"):
        group(text)


@pytest.mark.parametrize("text", ["10.77", "::1", "", "eth0/1", "a b", "x" * 16, "..", "10.0.0.256"])  # fmt: skip
def test_what_can_never_be_an_interface_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no interface's name"):
        interface(text)


def test_an_interface_may_be_absent_but_well_named() -> None:
    assert [interface(text) for text in ("nosuch0", "10.9.9.9", "eth0.5", "wlp2s0")] == [
        "nosuch0", "10.9.9.9", "eth0.5", "wlp2s0",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MULTICAST_GROUP", "239.20.20"),
        ("MULTICAST_GROUP", "10.77.0.55"),
        ("MULTICAST_GROUP", "ff15::20"),
        ("MULTICAST_INTERFACE", "10.77"),
        ("METRICS_HOST", "0.0.0.0:9100"),
        ("HTTP_HOST", "[::1"),
        ("CAMERA_HOST", "10.0.0"),
        ("MQTT_HOST", "broker:1883"),
        ("MQTT_HOST", ""),
        ("CAMERA_SERVER", "http://::1:8090"),
        ("CAMERA_SERVER", "camera:8090"),
        ("CAMERA_SERVER", "http://camera:no"),
    ],
)
def test_a_wrong_address_is_named_by_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"HAZARDCAST_{variable}", value)

    with pytest.raises(ConfigError, match=f"^HAZARDCAST_{variable}: '{value[:3]}".replace("[", r"\[")):  # fmt: skip
        settings.load()


def test_brackets_are_for_writing_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("METRICS", "HTTP", "CAMERA", "MQTT"):
        monkeypatch.setenv(f"HAZARDCAST_{name}_HOST", "[::1]")
    monkeypatch.setenv("HAZARDCAST_CAMERA_SERVER", "http://[::1]:8090/")

    loaded = settings.load()

    hosts = {loaded.metrics_host, loaded.http_host, loaded.camera_host, loaded.mqtt_host}
    assert hosts == {"::1"}
    assert loaded.camera_server == "http://[::1]:8090/"
