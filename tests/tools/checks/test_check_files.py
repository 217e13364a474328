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


def test_a_folder_is_looked_at_and_one_where_played_files_cannot_go_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.mp4").touch()

    def found(**keys: str) -> tuple[str, str]:
        config = SiteConfig(cameras={"a": Camera(url=f"{tmp_path}/", **keys)})
        (finding,) = camera_findings.cameras(Settings(), config, print)
        return finding.result, finding.detail

    assert found(finished="move") == ("ok", f"{tmp_path}: 1 files")
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    assert found() == ("ok", f"{tmp_path}: 1 files")
    assert found(finished="move") == ("failed", f"{tmp_path}: played files cannot be moved")
    (tmp_path / "a.mp4").unlink()
    tmp_path.rmdir()
    result, detail = found()
    assert result == "failed"
    assert "no such" in detail
