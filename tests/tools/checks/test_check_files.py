"""`check` looks at a file camera and says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hazardcast_tools.checks import camera_findings

from hazardcast.config.settings import Settings
from hazardcast.config.site import Camera, SiteConfig


@pytest.mark.parametrize(
    ("name", "said"),
    [("gone #1.mp4", "no such file"), ("folder", "a folder"), ("x" * 300, "a name of 300 bytes")],
)
def test_a_file_that_cannot_play_is_named(name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    config = SiteConfig(cameras={"a": Camera(url=str(tmp_path / name))})

    (finding,) = camera_findings.cameras(Settings(), config, print)

    assert finding.result == "failed"
    assert finding.detail.startswith(f"{tmp_path / name}: {said}")
