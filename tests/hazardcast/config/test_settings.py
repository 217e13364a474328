from __future__ import annotations

from pathlib import Path

import pytest

from hazardcast.config import settings
from hazardcast.contract.errors import ConfigError


def test_everything_starts_with_no_variable_set(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = settings.load()

    assert (loaded.mqtt_host, loaded.multicast_group, loaded.multicast_port) == (
        "127.0.0.1",
        "239.20.20.20",
        5520,
    )


def test_a_wrong_value_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAZARDCAST_MQTT_PORT", "mqtt")

    with pytest.raises(ConfigError, match="HAZARDCAST_MQTT_PORT"):
        settings.load()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("INSTANCE", "site/1"),
        ("INSTANCE", ""),
        ("INSTANCE", "+"),
        ("INSTANCE", "x" * 49),
        ("VEHICLE", "한강"),
        ("MQTT_PORT", "0"),
        ("MQTT_HOST", ""),
        ("MQTT_HOST", "a..b"),
        ("METRICS_HOST", ""),
    ],
)
def test_what_a_topic_or_a_socket_cannot_take_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"HAZARDCAST_{variable}", value)

    with pytest.raises(ConfigError, match=f"^HAZARDCAST_{variable}: "):
        settings.load()


@pytest.mark.parametrize("value", ["inf", "Infinity", "-inf", "nan", "1e999"])
@pytest.mark.parametrize(
    "name",
    [
        name
        for name, field in settings.Settings.model_fields.items()
        if "float" in str(field.annotation)
    ],
)
def test_no_number_is_infinite_or_none(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    variable = f"HAZARDCAST_{name.upper()}"
    monkeypatch.setenv(variable, value)

    with pytest.raises(ConfigError, match=f"^{variable}: "):
        settings.load()


@pytest.mark.parametrize("variable", ["DATA_DIR", "CONFIG", "FFMPEG", "SECRETS_DIR"])
def test_an_empty_path_is_not_the_folder_one_is_in(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(f"HAZARDCAST_{variable}", "")

    with pytest.raises(ConfigError, match=f"HAZARDCAST_{variable}: it is empty: name a path"):
        settings.load()


def test_a_list_without_a_camera_does_not_mean_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAZARDCAST_CAMERAS", " , ")

    with pytest.raises(ConfigError, match="HAZARDCAST_CAMERAS: it names no camera"):
        settings.load()


def test_a_password_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAZARDCAST_MQTT_PASSWORD", "s3cret")

    assert "s3cret" not in repr(settings.load())


def test_a_secret_may_lie_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "hazardcast_mqtt_password").write_text("s3cret\n")
    monkeypatch.setenv("HAZARDCAST_SECRETS_DIR", str(tmp_path))

    password = settings.load().mqtt_password

    assert password
    assert password.get_secret_value() == "s3cret"


def test_a_secrets_folder_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAZARDCAST_SECRETS_DIR", "/nowhere")

    with pytest.raises(ConfigError, match="HAZARDCAST_SECRETS_DIR"):
        settings.load()


def test_cameras_are_a_list_of_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAZARDCAST_CAMERAS", "north, south,")

    assert settings.load().camera_ids == frozenset({"north", "south"})


def test_a_child_gets_the_environment_with_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH_LIKE", "kept")

    environment = settings.environment_with(mqtt_port="1")

    assert (environment["PATH_LIKE"], environment["HAZARDCAST_MQTT_PORT"]) == ("kept", "1")


def test_every_setting_says_what_it_is_for() -> None:
    assert not [
        name for name, field in settings.Settings.model_fields.items() if not field.description
    ]
