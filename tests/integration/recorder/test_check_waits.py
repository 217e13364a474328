"""`check` has as much patience as the recorder, and sees what is recorded but not as it should be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hazardcast.config import settings as settings_module

pytestmark = [pytest.mark.network, pytest.mark.slow]


def test_a_rare_key_frame_is_awaited_and_a_clock_that_jumps_is_told(
    odd_camera: Any, film: Any, tmp_path: Path
) -> None:
    once_in_12_s = film(seconds=12, extra="-tune zerolatency -g 180")
    cameras = {
        "relay": {"url": odd_camera(once_in_12_s, "--relay")},
        "leap": {"url": odd_camera(film(), "--leap", "4:3600"), "retention_gb": 0.0001},
    }
    config = tmp_path / "cameras.yaml"
    config.write_text(yaml.safe_dump({"cameras": cameras}))
    told = subprocess.run(
        [sys.executable, "-m", "hazardcast_tools", "check"],
        env=settings_module.environment_with(
            config=str(config), data_dir=str(tmp_path / "data"), mqtt_port="1",
            multicast_interface="127.0.0.1", free_space_floor_gb="0",
        ),
        capture_output=True, text=True, check=False, timeout=150,
    )  # fmt: skip

    assert told.returncode == 0, told.stdout
    assert "a key frame every 12.0 s" in told.stdout
    assert "key frames are 12 s apart" in told.stdout
    assert "the camera's clock jumped" in told.stdout
    assert "as retention_gb says" in told.stdout
    assert "looked for" in told.stdout
    assert "Traceback" not in told.stderr
