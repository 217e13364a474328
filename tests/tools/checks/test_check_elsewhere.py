"""`hazardcast check` where others record and send, as in a container of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from hazardcast_tools.checks import camera_findings, camera_trials, findings

from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera, SiteConfig
from hazardcast.signing import trust


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Recordings are mounted for reading, the trust store is a copy, there is no ffmpeg, no service."""
    for module in (findings, camera_findings):
        monkeypatch.setattr(module, "records_here", lambda _settings: False)
    monkeypatch.setattr(camera_trials, "is_here", lambda _module: False)
    trust.ensure_keys(tmp_path / "station", station=4097)
    store = (tmp_path / "station" / trust.TRUSTSTORE_FILE).rename(tmp_path / "truststore.json")
    return Settings(data_dir=tmp_path / "data", truststore=store, ffmpeg=tmp_path / "no-ffmpeg", free_space_floor_gb=0)  # fmt: skip


def camera(**fields: str) -> SiteConfig:
    return SiteConfig(cameras={"north": Camera(**fields)})


def test_a_trust_store_alone_is_enough_where_nothing_is_sent(settings: Settings) -> None:
    found = findings.keys(settings, camera(url="demo://normal"))

    assert found.result == "ok"
    assert "no signing key here" in found.detail


def test_a_trust_store_that_knows_nothing_of_the_station_is_no_good(settings: Settings) -> None:
    config = SiteConfig.model_validate({"site": {"station_id": 5}, "cameras": {}})

    assert "trusts no key of station 5" in findings.keys(settings, config).detail


def test_neither_ffmpeg_nor_a_disk_to_write_on_is_missed(settings: Settings) -> None:
    assert findings.ffmpeg(settings).result == "ok"
    assert findings.disk(settings).result == "ok"
    assert "for reading only" in findings.disk(settings).detail


@pytest.mark.parametrize("url", ["/footage/crash.mp4", "v4l2:///dev/video9"])
def test_what_the_camera_service_reads_is_not_looked_for(settings: Settings, url: str) -> None:
    (found,) = camera_findings.cameras(settings, camera(url=url), print)

    assert found.result == "ok"
    assert "not from here" in found.detail


def test_a_network_camera_must_answer_but_its_password_is_not_asked_for(settings: Settings, free_tcp_port: int) -> None:  # fmt: skip
    config = camera(url=f"rtsp://127.0.0.1:{free_tcp_port}/main", credentials="NOT_SET_HERE")

    (found,) = camera_findings.cameras(settings, config, print)

    assert found.result == "failed"
    assert "nothing answers" in found.detail
